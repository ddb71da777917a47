#include "runtime/objects/jobs/job_paths.hpp"

#include <algorithm>
#include <set>

#include "runtime/base/limits.hpp"
#include "runtime/objects/blob_errors.hpp"

namespace fastgpu::objects {
namespace {

namespace limits = base::limits;

constexpr std::size_t component_bytes_max = 255;  ///< of Linux file systems

bool is_plain(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '.' || character == '-' ||
         character == '_';
}

base::Error bad_path(std::string_view path, const char* why) {
  base::Error error = wrong("the path \"" + printable(path) + "\" " + why);
  error.hint = "name files relative to the job's folder, below it";
  return error;
}

/// What is wrong with one component of a path; null if nothing is.
const char* fault_of(std::string_view component) {
  if (component.empty()) {
    return "has an empty part";
  }
  if (component == "." || component == "..") {
    return "has a part \".\" or \"..\"";
  }
  if (component.size() > component_bytes_max) {
    return "has a part of more than 255 bytes";
  }
  return component.find('\0') != std::string_view::npos ? "holds a NUL byte" : nullptr;
}

}  // namespace

base::Status check_folder_name(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), is_plain);
  if (name.empty() || name.size() > component_bytes_max || !plain || name.front() == '.') {
    return wrong("\"" + printable(name) + "\" is no name of a job folder");
  }
  return {};
}

base::Status check_path(std::string_view path) {
  if (path.empty()) {
    return bad_path(path, "is empty");
  }
  if (path.size() > limits::path_bytes_max) {
    return too_large("a path", path.size(), limits::path_bytes_max);
  }
  if (path.front() == '/') {
    return bad_path(path, "is absolute");
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (const char* fault = fault_of(path.substr(begin, end - begin))) {
      return bad_path(path, fault);
    }
    begin = end + 1;
  }
  return {};
}

base::Status check_paths(std::span<const std::string> paths) {
  std::set<std::string_view> files;
  for (const std::string& path : paths) {
    if (auto status = check_path(path); !status.ok()) {
      return status;
    }
    if (!files.insert(path).second) {
      return bad_path(path, "is named twice");
    }
  }
  for (const std::string& path : paths) {
    for (const std::string& folder : folders_above(path)) {
      if (files.contains(folder)) {
        return bad_path(folder, "is named as a file and as a folder");
      }
    }
  }
  return {};
}

std::vector<std::string> folders_above(std::string_view path) {
  std::vector<std::string> folders;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    folders.emplace_back(path.substr(0, slash));
  }
  return folders;
}

std::string joined(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty() && !name.empty()) {
    path += '/';
  }
  path += name;
  return path;
}

std::string printable(std::string_view path) {
  constexpr std::size_t shown_max = 200;
  std::string text(path.substr(0, shown_max));
  for (char& character : text) {
    const auto byte = static_cast<unsigned char>(character);
    character = byte < 0x20 || byte == 0x7f || byte == '"' ? '?' : character;
  }
  return path.size() > shown_max ? text + "..." : text;
}

base::Error output_missing(std::string_view path, const std::string& why) {
  return {base::ErrorKind::invalid, base::ErrorCode::output_missing,
          "the output \"" + printable(path) + "\" " + why,
          "mend the path of the output, or the command that should write it"};
}

}  // namespace fastgpu::objects
