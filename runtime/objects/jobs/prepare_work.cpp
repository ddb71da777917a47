#include <algorithm>

#include "runtime/base/limits.hpp"
#include "runtime/objects/blob_errors.hpp"
#include "runtime/objects/jobs/folder_work.hpp"
#include "runtime/objects/jobs/job_paths.hpp"

namespace fastgpu::objects {

namespace limits = base::limits;

namespace {

std::uint64_t size_of(const JobFile& file) {
  const auto* stored = std::get_if<StoredBytes>(&file.data);
  return stored != nullptr ? stored->size_bytes : std::get<base::Bytes>(file.data).size();
}

}  // namespace

std::optional<base::Result<std::string>> PrepareWork::advance(const FolderGround& ground) {
  if (!made_) {
    if (auto status = begin(ground); !status.ok()) {
      return status.error();
    }
  }
  std::uint64_t bytes_left = limits::folder_slice_bytes;
  for (std::size_t i = 0; i < limits::folder_slice_files && bytes_left > 0; ++i) {
    if (next_file_ == files_.size()) {
      return ground.disk.host_path(folder_);
    }
    if (auto status = fill(ground, bytes_left); !status.ok()) {
      return status.error();
    }
  }
  return std::nullopt;
}

base::Status PrepareWork::check(const FolderGround& ground) const {
  if (auto status = check_folder_name(folder_); !status.ok()) {
    return status;
  }
  if (files_.size() > limits::command_files_max) {
    return wrong("a command gets " + std::to_string(files_.size()) + " files, the limit is " +
                 std::to_string(limits::command_files_max));
  }
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;
  for (const JobFile& file : files_) {
    paths.push_back(file.path);
    if (const auto* stored = std::get_if<StoredBytes>(&file.data)) {
      const auto size = ground.store.size(stored->hash);
      if (!size.ok()) {
        return size.error();
      }
      if (size.value() != stored->size_bytes) {
        return wrong("object " + base::to_string(stored->hash) + " has " +
                     std::to_string(size.value()) + " bytes, not " +
                     std::to_string(stored->size_bytes));
      }
    }
    bytes += size_of(file);
  }
  if (bytes > limits::command_folder_bytes_max) {
    return too_large("a command's inputs", bytes, limits::command_folder_bytes_max);
  }
  const std::uint64_t free = ground.disk.bytes_free();
  const std::uint64_t usable = free - std::min(free, ground.reserve_bytes);
  return bytes > usable ? base::Status(disk_full(bytes, usable)) : check_paths(paths);
}

base::Status PrepareWork::begin(const FolderGround& ground) {
  if (auto status = check(ground); !status.ok()) {
    return status;
  }
  if (auto status = ground.disk.make(folder_); !status.ok()) {
    return status;
  }
  made_ = true;
  std::set<std::string> folders;
  for (const JobFile& file : files_) {
    for (std::string& above : folders_above(file.path)) {
      folders.insert(std::move(above));
    }
  }
  for (const std::string& path : folders) {  // a parent sorts before what is in it
    if (auto status = ground.disk.make_folder(folder_, path); !status.ok()) {
      return status;
    }
  }
  return {};
}

/// A file, or the next piece of one.
base::Status PrepareWork::fill(const FolderGround& ground, std::uint64_t& bytes_left) {
  const JobFile& file = files_[next_file_];
  if (!file_made_) {
    if (auto status = ground.disk.make_file(folder_, file.path, file.executable); !status.ok()) {
      return status;
    }
    file_made_ = true;
  }
  const auto* stored = std::get_if<StoredBytes>(&file.data);
  base::Bytes piece;
  if (stored == nullptr) {
    piece = std::get<base::Bytes>(file.data);
  } else if (next_offset_ == 0 && stored->size_bytes > 0 &&
             ground.disk.clone(folder_, file.path, ground.store.file_of(stored->hash))) {
    next_offset_ = stored->size_bytes;
  } else if (next_offset_ < stored->size_bytes) {
    auto read = ground.store.read(stored->hash, next_offset_, limits::object_chunk_bytes);
    if (!read.ok()) {
      return read.error();
    }
    piece = read.value();
  }
  if (auto status = ground.disk.append(folder_, file.path, piece.span()); !status.ok()) {
    return status;
  }
  bytes_left -= std::min<std::uint64_t>(bytes_left, piece.size());
  next_offset_ += piece.size();
  if (next_offset_ == size_of(file)) {
    ++next_file_;
    next_offset_ = 0;
    file_made_ = false;
  }
  return {};
}

}  // namespace fastgpu::objects
