#include "runtime/objects/memory_folder.hpp"

#include <algorithm>
#include <set>

#include "runtime/base/check.hpp"

namespace fastgpu::objects {
namespace {

bool is_in(std::string_view name, std::string_view folder) {
  return name.size() > folder.size() && name.starts_with(folder) && name[folder.size()] == '/';
}

}  // namespace

base::Result<std::vector<FileEntry>> MemoryFolder::list() const {
  std::vector<FileEntry> entries;
  for (const auto& [name, file] : names_) {
    entries.push_back({name, file->now.size()});
  }
  return entries;
}

base::Result<base::Bytes> MemoryFolder::read(std::string_view name, std::uint64_t offset,
                                             std::uint64_t length) const {
  const auto found = names_.find(name);
  if (found == names_.end()) {
    return base::Error{base::ErrorKind::lost, base::ErrorCode::corrupt,
                       "cannot read " + std::string(name) + ": no such file", ""};
  }
  const std::span<const std::uint8_t> data(found->second->now);
  const auto begin = std::min<std::uint64_t>(offset, data.size());
  return base::Bytes::copy_of(
      data.subspan(begin, std::min<std::uint64_t>(length, data.size() - begin)));
}

bool MemoryFolder::write(std::string_view name, std::uint64_t offset,
                         std::span<const std::uint8_t> data) {
  auto& file = names_[std::string(name)];
  if (!file) {
    file = std::make_shared<File>();
  }
  FASTGPU_CHECK(offset <= file->now.size(), "a write leaves no gap");
  file->now.resize(offset);
  if (bytes_used() + data.size() > capacity_bytes_) {
    return false;
  }
  file->now.insert(file->now.end(), data.begin(), data.end());
  return true;
}

void MemoryFolder::sync_file(std::string_view name) {
  const auto found = names_.find(name);
  FASTGPU_CHECK(found != names_.end(), "sync of a file that is not there");
  found->second->durable = found->second->now;
}

void MemoryFolder::rename(std::string_view from, std::string_view to) {
  const auto found = names_.find(from);
  FASTGPU_CHECK(found != names_.end(), "rename of a file that is not there");
  auto file = found->second;
  names_.erase(found);
  names_[std::string(to)] = std::move(file);
}

void MemoryFolder::remove(std::string_view name) {
  if (const auto found = names_.find(name); found != names_.end()) {
    names_.erase(found);
  }
}

void MemoryFolder::sync_folder(std::string_view folder) {
  std::erase_if(durable_names_, [&](const auto& entry) { return is_in(entry.first, folder); });
  for (const auto& [name, file] : names_) {
    if (is_in(name, folder)) {
      durable_names_[name] = file;
    }
  }
}

void MemoryFolder::crash(base::Random& random) {
  std::set<std::string> all;
  for (const auto* names : {&names_, &durable_names_}) {
    for (const auto& [name, file] : *names) {
      all.insert(name);
    }
  }
  Names left;
  for (const auto& name : all) {
    const bool keep_new = random.chance(500'000);
    const Names& from = keep_new ? names_ : durable_names_;
    if (const auto found = from.find(name); found != from.end()) {
      // A file under two names (a rename that is half durable) becomes two files, as after a
      // repair.
      left[name] = std::make_shared<File>(*found->second);
      settle(*left[name], random);
    }
  }
  names_ = left;
  durable_names_ = std::move(left);
}

void MemoryFolder::settle(File& file, base::Random& random) {
  const bool appended = file.durable.size() <= file.now.size() &&
                        std::equal(file.durable.begin(), file.durable.end(), file.now.begin());
  const bool cut = file.now.size() <= file.durable.size() &&
                   std::equal(file.now.begin(), file.now.end(), file.durable.begin());
  if (cut && random.chance(500'000)) {
    file.now = file.durable;  // the cut never came to the disk
  }
  const std::size_t at_least = cut ? file.now.size() : appended ? file.durable.size() : 0;
  const std::size_t kept = at_least + random.below(file.now.size() - at_least + 1);
  const bool filled_up = random.chance(300'000);
  const std::size_t length = filled_up ? file.now.size() : kept;
  file.now.resize(kept);
  file.now.resize(length, 0);
  file.durable = file.now;
}

void MemoryFolder::damage(std::string_view name, std::uint64_t offset) {
  const auto found = names_.find(name);
  FASTGPU_CHECK(found != names_.end() && offset < found->second->now.size(), "nothing to damage");
  found->second->now[offset] ^= 1;
  found->second->durable = found->second->now;
}

std::uint64_t MemoryFolder::bytes_used() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, file] : names_) {
    bytes += file->now.size();
  }
  return bytes;
}

}  // namespace fastgpu::objects
