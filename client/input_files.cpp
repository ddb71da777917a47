#include "client/input_files.hpp"

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

base::Result<base::Bytes> read_file(const fs::path& file) {
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
  std::ifstream stream(file, std::ios::binary);
  std::vector<std::uint8_t> data(size);
  stream.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(size));
  if (!stream) {
    return unreadable(file.string(), std::strerror(errno));
  }
  return base::Bytes(std::move(data));
}

bool is_executable(const fs::path& file) {
  std::error_code failed;
  const fs::perms perms = fs::status(file, failed).permissions();
  return !failed && (perms & fs::perms::owner_exec) != fs::perms::none;
}

/// What the command calls the file: as the user said, or by the file's own name.
std::string path_of(const Contents::Input& input) {
  return input.path.empty() ? fs::path(input.file).lexically_normal().filename().string()
                            : input.path;
}

base::Status load_file(const Contents::Input& input, std::uint32_t tasks,
                       std::vector<LoadedInput>& loaded) {
  const bool each = input.file.find("{}") != std::string::npos;
  LoadedInput file{path_of(input), false, {}};
  for (std::uint32_t task = 0; task < (each ? tasks : 1); ++task) {
    const fs::path from = protocol::fill_in(input.file, task, tasks);
    auto data = read_file(from);
    if (!data.ok()) {
      return data.error();
    }
    file.executable = file.executable || is_executable(from);
    file.data.push_back(std::move(data).value());
  }
  loaded.push_back(std::move(file));
  return {};
}

/// Every regular file below the folder, by path, so that equal folders make equal jobs.
base::Status load_folder(const Contents::Input& input, std::vector<LoadedInput>& loaded) {
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
  if (files.size() + loaded.size() > limits::command_files_max) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::too_large,
                       input.file + " has " + std::to_string(files.size()) +
                           " files below it; a task takes at most " +
                           std::to_string(limits::command_files_max),
                       "pack them into one archive, which the command unpacks"};
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    auto data = read_file(file);
    if (!data.ok()) {
      return data.error();
    }
    // "." puts what is in the folder beside the other files; a name puts it below that.
    const fs::path below = path_of(input) == "." ? fs::path() : fs::path(path_of(input));
    loaded.push_back({(below / fs::relative(file, input.file)).generic_string(),
                      is_executable(file),
                      {std::move(data).value()}});
  }
  return {};
}

}  // namespace

base::Result<std::vector<LoadedInput>> load_inputs(const Contents& contents) {
  std::vector<LoadedInput> loaded;
  for (const Contents::Input& input : contents.inputs) {
    if (input.file.empty()) {
      loaded.push_back({input.path, false, input.data});
      continue;
    }
    std::error_code failed;
    const base::Status status = fs::is_directory(input.file, failed)
                                    ? load_folder(input, loaded)
                                    : load_file(input, contents.tasks, loaded);
    if (!status.ok()) {
      return status.error();
    }
  }
  return loaded;
}

}  // namespace fastgpu::client
