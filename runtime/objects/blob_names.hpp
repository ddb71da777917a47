#pragma once

/// How blobs and uploads are named in a BlobFolder; pure.
///
///     ab/ab01...            a blob, under the first two of its 64 hexadecimal digits
///     upload/ab01...        an upload in pieces; resumed after a restart
///     fresh/ab01...         a whole blob on its way in; all in here is dropped at a start
///     fresh/intake.7        bytes on their way in, not named yet
///
/// Packs and the log of pins name their own files.

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/ids.hpp"

namespace fastgpu::objects {

std::string blob_folder_of(const base::ObjectHash& hash);
std::string blob_name(const base::ObjectHash& hash);
std::string upload_name(const base::ObjectHash& hash);
std::string fresh_name(const base::ObjectHash& hash);
std::string intake_name(std::uint64_t number);

inline constexpr std::string_view upload_folder = "upload";
inline constexpr std::string_view fresh_folder = "fresh";

/// What a name stands for; `hash` is absent for files of somebody else.
struct ParsedName {
  std::string_view folder;
  std::optional<base::ObjectHash> hash;
};
ParsedName parse_name(std::string_view name);

}  // namespace fastgpu::objects
