#include <algorithm>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/objects/blob_errors.hpp"
#include "runtime/objects/jobs/folder_work.hpp"
#include "runtime/objects/jobs/job_paths.hpp"

namespace fastgpu::objects {

namespace limits = base::limits;

namespace {

base::Error still_written(const std::string& path) {
  return output_missing(path, "became shorter while it was read");
}

base::Error too_many_files() {
  base::Error error = wrong("the outputs are more than " +
                            std::to_string(limits::command_files_max) + " files and folders");
  error.code = base::ErrorCode::too_large;
  error.hint = "pack them into one file, or name fewer of them";
  return error;
}

}  // namespace

std::optional<base::Result<std::vector<JobFile>>> CollectWork::advance(const FolderGround& ground) {
  std::uint64_t bytes_left = limits::folder_slice_bytes;
  for (std::size_t i = 0; i < limits::folder_slice_files && bytes_left > 0; ++i) {
    base::Status status;
    if (!begun_) {
      status = begin();
    } else if (!to_look_at_.empty()) {
      status = look(ground.disk);
    } else if (!keeping_ || next_ != found_.end()) {
      status = keep(ground, bytes_left);
    } else if (!batch_.empty()) {
      status = put_batch(ground.store);
    } else {
      return std::move(kept_);
    }
    if (!status.ok()) {
      abandon(ground.store);
      return status.error();
    }
  }
  return std::nullopt;
}

void CollectWork::abandon(BlobStore& store) {
  if (intake_) {
    store.abandon(*intake_);
    intake_.reset();
  }
}

base::Status CollectWork::begin() {
  begun_ = true;
  if (outputs_.size() > limits::command_files_max) {
    return too_many_files();
  }
  if (auto status = check_folder_name(folder_); !status.ok()) {
    return status;
  }
  for (const std::string& path : outputs_) {
    if (auto status = check_path(path); !status.ok()) {
      return status;
    }
  }
  to_look_at_ = {outputs_.rbegin(), outputs_.rend()};
  return {};
}

base::Status CollectWork::look(JobDisk& disk) {
  const std::string path = std::move(to_look_at_.back());
  to_look_at_.pop_back();
  if (++looked_at_ > limits::command_entries_looked_at_max) {
    return too_many_files();
  }
  const auto info = disk.info(folder_, path);
  if (!info.ok()) {
    return left_out_or(info.error());
  }
  if (info.value().kind == JobFileKind::file) {
    return found_file(path, info.value());
  }
  if (info.value().kind == JobFileKind::folder) {
    return found_folder(path, disk);
  }
  if (std::find(outputs_.begin(), outputs_.end(), path) != outputs_.end()) {
    return left_out_or(
        output_missing(path, "is neither a file nor a folder; links are not followed"));
  }
  ++left_out_;
  return {};
}

base::Status CollectWork::left_out_or(const base::Error& error) {
  if (!partial_ || error.code != base::ErrorCode::output_missing) {
    return error;
  }
  ++left_out_;
  return {};
}

base::Status CollectWork::found_file(const std::string& path, const JobFileInfo& info) {
  if (!found_.emplace(path, info).second) {
    return {};  // named twice, or by its folder too
  }
  found_bytes_ += info.size_bytes;
  if (found_.size() > limits::command_files_max) {
    return too_many_files();
  }
  if (info.size_bytes > limits::object_bytes_max) {
    return too_large(("the output \"" + printable(path) + "\"").c_str(), info.size_bytes,
                     limits::object_bytes_max);
  }
  return found_bytes_ > limits::command_folder_bytes_max
             ? base::Status(too_large("what a command leaves", found_bytes_,
                                      limits::command_folder_bytes_max))
             : base::Status();
}

base::Status CollectWork::found_folder(const std::string& path, JobDisk& disk) {
  auto names = disk.names(folder_, path, limits::command_entries_looked_at_max);
  if (!names.ok()) {
    return names.error().code == base::ErrorCode::too_large ? too_many_files() : names.error();
  }
  for (auto name = names.value().rbegin(); name != names.value().rend(); ++name) {
    std::string below = joined(path, *name);
    if (below.size() > limits::path_bytes_max) {
      return too_large("the path of an output", below.size(), limits::path_bytes_max);
    }
    to_look_at_.push_back(std::move(below));
  }
  return to_look_at_.size() > limits::command_entries_looked_at_max ? too_many_files()
                                                                    : base::Status();
}

/// A file, or the next piece of a large one.
base::Status CollectWork::keep(const FolderGround& ground, std::uint64_t& bytes_left) {
  if (!keeping_) {
    keeping_ = true;
    next_ = found_.begin();
    const std::uint64_t free = ground.disk.bytes_free();
    const std::uint64_t usable = free - std::min(free, ground.reserve_bytes);
    return found_bytes_ > usable ? base::Status(disk_full(found_bytes_, usable)) : base::Status();
  }
  if (next_->second.size_bytes > limits::packed_object_bytes_max) {
    return keep_piece(ground, bytes_left);
  }
  bytes_left -= std::min<std::uint64_t>(bytes_left, next_->second.size_bytes);
  return keep_small(ground);
}

base::Status CollectWork::keep_small(const FolderGround& ground) {
  const auto& [path, info] = *next_;
  auto data = ground.disk.read(folder_, path, 0, info.size_bytes);
  if (!data.ok()) {
    return data.error();
  }
  if (data.value().size() != info.size_bytes) {
    return still_written(path);
  }
  if (info.size_bytes <= limits::inline_output_bytes_max &&
      inline_bytes_ + info.size_bytes <= limits::command_inline_bytes_max) {
    inline_bytes_ += info.size_bytes;
    kept_.push_back({path, info.executable, std::move(data).value()});
  } else {
    batch_.push_back({base::sha256(data.value().span()), data.value()});
    batch_bytes_ += info.size_bytes;
    kept_.push_back({path, info.executable, StoredBytes{batch_.back().hash, info.size_bytes}});
  }
  ++next_;
  return batch_bytes_ >= limits::folder_slice_bytes ? put_batch(ground.store) : base::Status();
}

base::Status CollectWork::put_batch(BlobStore& store) {
  const std::vector<Blob> batch = std::move(batch_);
  batch_.clear();
  batch_bytes_ = 0;
  return store.put(batch);
}

base::Status CollectWork::keep_piece(const FolderGround& ground, std::uint64_t& bytes_left) {
  const auto& [path, info] = *next_;
  if (!intake_) {
    intake_ = ground.store.begin_intake();
    intake_offset_ = 0;
  }
  const std::uint64_t length =
      std::min<std::uint64_t>(limits::object_chunk_bytes, info.size_bytes - intake_offset_);
  const auto piece = ground.disk.read(folder_, path, intake_offset_, length);
  if (!piece.ok()) {
    return piece.error();
  }
  if (piece.value().size() != length) {
    return still_written(path);
  }
  if (auto status = ground.store.append(*intake_, piece.value().span()); !status.ok()) {
    return status;
  }
  intake_offset_ += length;
  bytes_left -= std::min(bytes_left, length);
  if (intake_offset_ < info.size_bytes) {
    return {};
  }
  const auto hash = ground.store.finish(*intake_);
  intake_.reset();
  if (!hash.ok()) {
    return hash.error();
  }
  kept_.push_back({path, info.executable, StoredBytes{hash.value(), info.size_bytes}});
  ++next_;
  return {};
}

}  // namespace fastgpu::objects
