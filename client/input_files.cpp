#include "client/input_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/protocol/arguments.hpp"

namespace fastgpu::client {
namespace {

namespace fs = std::filesystem;
namespace limits = base::limits;
using Contents = v1::JobSpec::Contents;

base::Error unreadable(const std::string& file, const std::string& why) {
  return {base::ErrorKind::invalid, base::ErrorCode::file_not_found,
          file + " cannot be read: " + why,
          "give a path from the current folder, or an absolute one"};
}

base::Result<Source> find_file(const fs::path& file) {
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(file, failed);
  if (failed) {
    return unreadable(file.string(), failed.message());
  }
  if (size > limits::object_bytes_max) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::too_large,
                       file.string() + " has " + std::to_string(size) + " bytes; at most " +
                           std::to_string(limits::object_bytes_max) + " are possible",
                       "split it"};
  }
  if (::access(file.c_str(), R_OK) != 0) {
    return unreadable(file.string(), std::strerror(errno));
  }
  return Source(file.string(), size);
}

bool is_executable(const fs::path& file) {
  std::error_code failed;
  const fs::perms perms = fs::status(file, failed).permissions();
  return !failed && (perms & fs::perms::owner_exec) != fs::perms::none;
}

/// What the command calls the file: as the user said, or by the file's own name.
std::string path_of(const Contents::Input& input) {
  if (!input.path.empty()) {
    return input.path;
  }
  fs::path file = fs::path(input.file).lexically_normal();
  if (!file.has_filename()) {  // "data/" is the folder "data"
    file = file.parent_path();
  }
  return file.filename().string();
}

base::Status add_file(const Contents::Input& input, std::uint32_t tasks,
                      std::vector<FoundInput>& found) {
  const bool each = input.file.find("{}") != std::string::npos;
  FoundInput file{path_of(input), false, {}};
  for (std::uint32_t task = 0; task < (each ? tasks : 1); ++task) {
    const fs::path from = protocol::fill_in(input.file, task, tasks);
    auto source = find_file(from);
    if (!source.ok()) {
      return source.error();
    }
    file.executable = file.executable || is_executable(from);
    file.sources.push_back(std::move(source).value());
  }
  found.push_back(std::move(file));
  return {};
}

/// Every regular file below the folder, by path, so that equal folders make equal jobs.
base::Status add_folder(const Contents::Input& input, std::vector<FoundInput>& found) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(input.file, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->is_regular_file()) {
      files.push_back(at->path());
    }
  }
  if (failed) {
    return unreadable(input.file, failed.message());
  }
  if (files.size() + found.size() > limits::command_files_max) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::too_large,
                       input.file + " has " + std::to_string(files.size()) +
                           " files below it; a task takes at most " +
                           std::to_string(limits::command_files_max),
                       "pack them into one archive, which the command unpacks"};
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    auto source = find_file(file);
    if (!source.ok()) {
      return source.error();
    }
    // "." puts what is in the folder beside the other files; a name puts it below that.
    const fs::path below = path_of(input) == "." ? fs::path() : fs::path(path_of(input));
    found.push_back({(below / fs::relative(file, input.file)).generic_string(),
                     is_executable(file),
                     {std::move(source).value()}});
  }
  return {};
}

}  // namespace

base::Result<base::Bytes> Source::read() const {
  if (file_.empty()) {
    return data_;
  }
  std::ifstream stream(file_, std::ios::binary);
  std::vector<std::uint8_t> data(size_bytes_);
  stream.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size()));
  if (!stream) {
    return unreadable(file_, stream.eof() ? "it became shorter" : std::strerror(errno));
  }
  return base::Bytes(std::move(data));
}

base::Result<std::vector<FoundInput>> find_inputs(const Contents& contents) {
  std::vector<FoundInput> found;
  for (const Contents::Input& input : contents.inputs) {
    if (input.file.empty()) {
      found.push_back({input.path, false, {input.data.begin(), input.data.end()}});
      continue;
    }
    std::error_code failed;
    const base::Status status = fs::is_directory(input.file, failed)
                                    ? add_folder(input, found)
                                    : add_file(input, contents.tasks, found);
    if (!status.ok()) {
      return status.error();
    }
  }
  return found;
}

}  // namespace fastgpu::client
