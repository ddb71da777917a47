#include "runtime/logs/memory_logs.hpp"

#include <algorithm>
#include <string>

namespace fastgpu::logs {
namespace {

base::Error failed(const char* what) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal, what, ""};
}

}  // namespace

base::Result<std::vector<LogFileEntry>> MemoryLogs::list() const {
  std::vector<LogFileEntry> entries;
  for (const auto& [name, data] : files_) {
    entries.push_back({name, data.size()});
  }
  return entries;
}

base::Result<base::Bytes> MemoryLogs::read(const LogFileName& name, std::uint64_t offset,
                                           std::uint64_t length) {
  const auto found = files_.find(name);
  if (found == files_.end()) {
    return failed("no such file");
  }
  const std::span<const std::uint8_t> data = found->second;
  const auto from = std::min<std::uint64_t>(offset, data.size());
  return base::Bytes::copy_of(
      data.subspan(from, std::min<std::uint64_t>(length, data.size() - from)));
}

base::Status MemoryLogs::append(const LogFileName& name, std::uint64_t size_bytes,
                                std::span<const std::uint8_t> data) {
  std::uint64_t used = 0;
  for (const auto& [other, contents] : files_) {
    used += contents.size();
  }
  if (used + data.size() > capacity_bytes_) {
    return failed("No space left on device");
  }
  std::vector<std::uint8_t>& file = files_[name];
  file.resize(size_bytes);
  file.insert(file.end(), data.begin(), data.end());
  return {};
}

base::Status MemoryLogs::overwrite(const LogFileName& name, std::uint64_t offset,
                                   std::span<const std::uint8_t> data) {
  const auto found = files_.find(name);
  if (found == files_.end() || offset + data.size() > found->second.size()) {
    return failed("no such bytes");
  }
  std::copy(data.begin(), data.end(), found->second.begin() + static_cast<std::ptrdiff_t>(offset));
  return {};
}

void MemoryLogs::remove(const LogFileName& name) {
  files_.erase(name);
}

void MemoryLogs::crash(base::Random& random) {
  for (auto& [name, data] : files_) {
    const std::size_t loose = std::min<std::size_t>(data.size(), 4096);
    const std::size_t lost = random.below(loose + 1);
    data.resize(data.size() - lost);
    if (random.below(2) == 0) {
      data.resize(data.size() + random.below(lost + 1));  // the size was noted, the bytes not
    }
  }
}

void MemoryLogs::damage(const LogFileName& name, std::uint64_t offset) {
  files_.at(name).at(offset) ^= 0x40;
}

}  // namespace fastgpu::logs
