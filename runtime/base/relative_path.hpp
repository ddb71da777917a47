#pragma once

/// Paths that users give for files below a command's folder. The gateway refuses bad ones before a
/// job is accepted, and whoever opens such a path checks again. Pure: no file is looked at.

#include <string_view>

#include "runtime/base/result.hpp"

namespace fastgpu::base {

/// Success for "a", "a/b.txt" and the like: not empty, at most limits::path_bytes_max bytes, not
/// absolute, no part that is empty, "." or "..", no NUL. Otherwise bad_argument with the reason.
Status check_relative_path(std::string_view path);

}  // namespace fastgpu::base
