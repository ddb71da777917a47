#include "runtime/base/relative_path.hpp"

#include <string>

#include "runtime/base/limits.hpp"

namespace fastgpu::base {
namespace {

Status refuse(std::string_view path, const std::string& why) {
  return Error{ErrorKind::invalid, ErrorCode::bad_argument,
               "the path '" + std::string(path.substr(0, 80)) + "' " + why,
               "give a path below the command's folder, such as data/in.csv"};
}

}  // namespace

Status check_relative_path(std::string_view path) {
  if (path.size() > limits::path_bytes_max) {
    return refuse(path, "has " + std::to_string(path.size()) + " bytes; at most " +
                            std::to_string(limits::path_bytes_max) + " are possible");
  }
  if (path.find('\0') != std::string_view::npos) {
    return refuse(path, "holds a NUL");
  }
  if (path.starts_with('/')) {
    return refuse(path, "is absolute");
  }
  for (std::string_view rest = path;;) {
    const std::size_t end = rest.find('/');
    const std::string_view part = rest.substr(0, end);
    if (part.empty()) {
      return refuse(path, "has an empty part");
    }
    if (part == "." || part == "..") {
      return refuse(path, "has a part '" + std::string(part) + "'");
    }
    if (end == std::string_view::npos) {
      return {};
    }
    rest.remove_prefix(end + 1);
  }
}

}  // namespace fastgpu::base
