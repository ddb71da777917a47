#pragma once

/// What a driver can load, and what can be read of it without one.
///
/// Place in the flow: the NVRTC child writes an image file, the maker loads it; a job may also
/// bring PTX or a cubin in place of source, which is told by looking at its first bytes. Pure.
/// Failures: bytes that are not what they seem read as nothing.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace fastgpu::exec {

/// Of what a job gives as its source.
enum class SourceKind : unsigned char { cuda, ptx, cubin, fatbin };
SourceKind kind_of_source(std::string_view bytes);
const char* to_word(SourceKind kind);

/// A kernel's code as cuLibraryLoadData takes it. Immutable.
struct CudaImage {
  std::string kernel;       ///< its name in the image: "_Z5saxpyifPKfPf"
  std::string bytes;        ///< cubin, PTX or fatbin; PTX ends with a zero byte
  bool has_globals{false};  ///< variables that outlive a launch: each task gets it loaded afresh
};

struct CubinFacts {
  unsigned arch{};  ///< 90 for sm_90
  bool has_globals{false};
};
/// Of an ELF file for NVIDIA's devices; nothing if it is another file.
std::optional<CubinFacts> read_cubin(std::string_view bytes);

struct PtxFacts {
  int version{};    ///< 9000 for ".version 9.0", in the driver's way of counting CUDA's
  unsigned arch{};  ///< 90 for ".target sm_90"
  bool has_globals{false};
};
std::optional<PtxFacts> read_ptx(std::string_view text);

/// The first CUDA whose driver takes that version of PTX (8040 -> 12040); 0 if not known.
int driver_for_ptx(int version);

/// The file in which a compiled kernel is kept, and what is in it; more bytes may follow.
std::string image_file(std::string_view kernel, std::string_view image);
base::Result<std::shared_ptr<const CudaImage>> read_image_file(const std::string& path);

}  // namespace fastgpu::exec
