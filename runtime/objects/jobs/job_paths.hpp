#pragma once

/// Names of job folders and of the files in them, checked before anything touches the disk; pure.
///
/// A folder's name is one component of letters, digits, '.', '-' and '_', and does not begin with a
/// dot. A path is relative and stays below its folder: no empty component, no "." or "..", no NUL.
/// What a command leaves behind may have any name; only names that come from a request pass here.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace fastgpu::objects {

base::Status check_folder_name(std::string_view name);
base::Status check_path(std::string_view path);
/// Each path by itself, and all together: none twice, none both a file and a folder of another.
base::Status check_paths(std::span<const std::string> paths);

/// The folders above `path`, outermost first: "a/b/c" gives "a" and "a/b".
std::vector<std::string> folders_above(std::string_view path);
/// "a" and "b" give "a/b"; an empty one gives the other.
std::string joined(std::string_view folder, std::string_view name);
/// A path as people can read it in a message: what does not print is replaced, the rest is cut.
std::string printable(std::string_view path);
/// Of a command's file: what is wrong with it.
base::Error output_missing(std::string_view path, const std::string& why);

}  // namespace fastgpu::objects
