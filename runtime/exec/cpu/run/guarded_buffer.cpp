#include "runtime/exec/cpu/run/guarded_buffer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace fastgpu::exec {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t alignment = 16;
constexpr int border_pattern = 0xA5;

std::size_t rounded(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

std::int64_t GuardedBuffer::bytes_overrun() const {
  const char* usable = mapping_ + guard_bytes;
  const char* usable_end = usable + capacity_;
  const char pattern = static_cast<char>(border_pattern);
  std::int64_t beyond = 0;
  for (const char* at = begin_ + size_; at < usable_end; ++at)
    if (*at != pattern)
      beyond = at - (begin_ + size_) + 1;
  if (beyond != 0)
    return beyond;
  for (const char* at = usable; at < begin_; ++at)
    if (*at != pattern)
      return at - begin_;
  return 0;
}

BufferPool::~BufferPool() {
  for (auto& buffer : kept_)
    munmap(buffer.mapping_, 2 * GuardedBuffer::guard_bytes + buffer.capacity_);
}

bool BufferPool::take(std::size_t bytes, GuardedBuffer& buffer) {
  const std::size_t capacity = std::max(page_bytes, rounded(rounded(bytes, alignment), page_bytes));
  const auto same = std::find_if(kept_.begin(), kept_.end(), [capacity](const auto& kept) {
    return kept.capacity_ == capacity;
  });
  if (same != kept_.end()) {
    buffer = *same;
    *same = kept_.back();
    kept_.pop_back();
    kept_bytes_ -= capacity;
  } else {
    void* mapping = mmap(nullptr, 2 * GuardedBuffer::guard_bytes + capacity, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
      return false;
    buffer.mapping_ = static_cast<char*>(mapping);
    buffer.capacity_ = capacity;
    if (mprotect(buffer.mapping_ + GuardedBuffer::guard_bytes, capacity, PROT_READ | PROT_WRITE)) {
      munmap(mapping, 2 * GuardedBuffer::guard_bytes + capacity);
      return false;
    }
  }
  char* usable = buffer.mapping_ + GuardedBuffer::guard_bytes;
  buffer.size_ = bytes;
  buffer.begin_ = usable + capacity - rounded(bytes, alignment);
  std::memset(usable, border_pattern, static_cast<std::size_t>(buffer.begin_ - usable));
  char* end = buffer.begin_ + bytes;
  std::memset(end, border_pattern, static_cast<std::size_t>(usable + capacity - end));
  return true;
}

void BufferPool::give_back(GuardedBuffer& buffer) {
  if (buffer.mapping_ == nullptr)
    return;
  if (kept_bytes_ + buffer.capacity_ <= kept_bytes_max_) {
    kept_bytes_ += buffer.capacity_;
    kept_.push_back(buffer);
  } else {
    munmap(buffer.mapping_, 2 * GuardedBuffer::guard_bytes + buffer.capacity_);
  }
  buffer = {};
}

}  // namespace fastgpu::exec
