#pragma once

/// The flags that describe a kernel, and what they add to a job's specification. Reading files is
/// left to a function, so all of this is pure.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "fastgpu/job_spec.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::cli {

/// As typed; empty where not given.
struct KernelFlags {
  std::string kernel;
  std::string source;
  std::string grid{"1"};
  std::string block{"1"};
  std::string shared{"0"};
  std::vector<std::string> defines;
  std::string standard{"c++17"};
  std::vector<std::string> arguments;
  bool precise{false};
};

// --- one `--arg` ---------------------------------------------------------------------------------

struct ScalarFlag {
  protocol::ScalarType type{protocol::ScalarType::i32};
  std::string text;
  bool operator==(const ScalarFlag&) const = default;
};
struct BufferFlag {
  protocol::BufferUse use{protocol::BufferUse::in};
  std::string input;           ///< file that is read; `in` and `inout`
  std::string output;          ///< file that is written; `out` and `inout`
  std::uint64_t size_bytes{};  ///< `out` and `scratch`
  bool operator==(const BufferFlag&) const = default;
};
using ArgumentFlag = std::variant<ScalarFlag, BufferFlag>;

/// "i32:42", "in:x.f32", "out:y.f32=4096", "inout:x.f32=y.f32", "scratch:1MiB"
base::Result<ArgumentFlag> parse_argument(const std::string& text);

// --- all of them ---------------------------------------------------------------------------------

/// The bytes of a file; "-" is standard input.
using ReadFile = std::function<base::Result<std::vector<std::uint8_t>>(const std::string& path)>;

/// Adds the kernel with its arguments to `spec`. An Error names the flag that is wrong.
base::Status add_kernel(v1::JobSpec& spec, const KernelFlags& flags, std::uint32_t tasks,
                        const ReadFile& read);

/// From disk.
base::Result<std::vector<std::uint8_t>> read_file(const std::string& path);
base::Status write_file(const std::string& path, std::span<const std::uint8_t> data);

}  // namespace fastgpu::cli
