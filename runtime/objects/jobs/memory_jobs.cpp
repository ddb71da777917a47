#include "runtime/objects/jobs/memory_jobs.hpp"

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/objects/blob_errors.hpp"
#include "runtime/objects/jobs/job_paths.hpp"

namespace fastgpu::objects {
namespace {

std::string parent_of(const std::string& path) {
  return path.substr(0, std::min(path.rfind('/'), path.size()));
}

}  // namespace

base::Status MemoryJobs::add(const std::string& path, JobFileKind kind, bool executable) {
  const std::string parent = parent_of(path);
  const auto above = entries_.find(parent);
  if (parent != path && (above == entries_.end() || above->second.kind != JobFileKind::folder)) {
    return output_missing(parent, "is not there");
  }
  if (!entries_.emplace(path, Entry{kind, executable, {}}).second) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::conflict,
                       "the job folder or file " + path + " is there already", ""};
  }
  return {};
}

base::Status MemoryJobs::make(const std::string& folder) {
  return add(folder, JobFileKind::folder, false);
}

base::Status MemoryJobs::make_folder(const std::string& folder, const std::string& path) {
  return add(joined(folder, path), JobFileKind::folder, false);
}

base::Status MemoryJobs::make_file(const std::string& folder, const std::string& path,
                                   bool executable) {
  return add(joined(folder, path), JobFileKind::file, executable);
}

base::Result<MemoryJobs::Entry*> MemoryJobs::find(const std::string& folder,
                                                  const std::string& path) {
  for (const std::string& above : folders_above(joined(folder, path))) {
    const auto found = entries_.find(above);
    if (found != entries_.end() && found->second.kind == JobFileKind::other) {
      return output_missing(path, "is behind a link or a mount, which is not followed");
    }
  }
  const auto found = entries_.find(joined(folder, path));
  if (found == entries_.end()) {
    return output_missing(path, "is not there");
  }
  return &found->second;
}

base::Status MemoryJobs::append(const std::string& folder, const std::string& path,
                                std::span<const std::uint8_t> data) {
  const auto found = find(folder, path);
  if (!found.ok()) {
    return found.error();
  }
  if (data.size() > bytes_free()) {
    return disk_full(data.size(), bytes_free());
  }
  auto& bytes = found.value()->data;
  bytes.insert(bytes.end(), data.begin(), data.end());
  return {};
}

base::Result<JobFileInfo> MemoryJobs::info(const std::string& folder, const std::string& path) {
  const auto found = find(folder, path);
  if (!found.ok()) {
    return found.error();
  }
  const Entry& entry = *found.value();
  return JobFileInfo{entry.kind, entry.data.size(), entry.executable};
}

base::Result<base::Bytes> MemoryJobs::read(const std::string& folder, const std::string& path,
                                           std::uint64_t offset, std::uint64_t length) {
  const auto found = find(folder, path);
  if (!found.ok()) {
    return found.error();
  }
  if (found.value()->kind != JobFileKind::file) {
    return output_missing(path, "is no file");
  }
  const std::span<const std::uint8_t> data(found.value()->data);
  const auto begin = std::min<std::uint64_t>(offset, data.size());
  return base::Bytes::copy_of(
      data.subspan(begin, std::min<std::uint64_t>(length, data.size() - begin)));
}

base::Result<std::vector<std::string>> MemoryJobs::names(const std::string& folder,
                                                         const std::string& path,
                                                         std::size_t names_max) {
  const auto found = find(folder, path);
  if (!found.ok()) {
    return found.error();
  }
  if (found.value()->kind != JobFileKind::folder) {
    return output_missing(path, "is no folder");
  }
  std::vector<std::string> names;
  const std::string begin = joined(folder, path) + '/';
  for (auto at = entries_.lower_bound(begin); at != entries_.end() && at->first.starts_with(begin);
       ++at) {
    const std::string name = at->first.substr(begin.size());
    if (name.find('/') != std::string::npos) {
      continue;
    }
    if (names.size() == names_max) {
      return too_large("a folder of files", names.size() + 1, names_max);
    }
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void MemoryJobs::drop(const std::string& folder) {
  dropped_ += std::erase_if(entries_, [&](const auto& entry) {
    return entry.first == folder || entry.first.starts_with(folder + "/");
  });
}

void MemoryJobs::drop_all() {
  dropped_ += entries_.size();
  entries_.clear();
}

bool MemoryJobs::sweep(std::size_t entries_max) {
  dropped_ -= std::min(dropped_, entries_max);
  return dropped_ > 0;
}

std::uint64_t MemoryJobs::bytes_free() const {
  return capacity_bytes_ - std::min(capacity_bytes_, bytes_used());
}

std::uint64_t MemoryJobs::bytes_used() const {
  std::uint64_t bytes = 0;
  for (const auto& [path, entry] : entries_) {
    bytes += entry.data.size();
  }
  return bytes;
}

void MemoryJobs::write(const std::string& folder, const std::string& path, std::string_view text,
                       bool executable) {
  for (const std::string& above : folders_above(joined(folder, path))) {
    entries_[above].kind = JobFileKind::folder;
  }
  entries_[joined(folder, path)] = {JobFileKind::file, executable, {text.begin(), text.end()}};
}

void MemoryJobs::link(const std::string& folder, const std::string& path) {
  FASTGPU_CHECK(add(joined(folder, path), JobFileKind::other, false).ok(), "no place for a link");
}

}  // namespace fastgpu::objects
