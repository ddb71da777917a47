#pragma once

/// Memory for one buffer argument, between pages that nobody may touch.
///
/// Place in the flow: taken by the CPU device for each task, given back to the pool afterwards. The
/// buffer ends at a guard, up to the 16-byte alignment that kernels may count on; the few bytes
/// beyond it and those before it are filled with a pattern, so that writes there are seen after the
/// run. Used by one thread.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastgpu::exec {

class GuardedBuffer {
 public:
  static constexpr std::size_t guard_bytes = 1u << 20;

  char* begin() const { return begin_; }
  std::size_t size() const { return size_; }
  char* mapping_begin() const { return mapping_; }
  char* mapping_end() const { return mapping_ + 2 * guard_bytes + capacity_; }
  std::size_t capacity() const { return capacity_; }

  /// Bytes written just beyond the end, or just before the begin (negative); 0 if none.
  std::int64_t bytes_overrun() const;

 private:
  friend class BufferPool;
  char* mapping_{nullptr};
  std::size_t capacity_{0};  ///< usable bytes, whole pages
  char* begin_{nullptr};
  std::size_t size_{0};
};

class BufferPool {
 public:
  /// Keeps up to `kept_bytes_max` of returned memory for the next tasks.
  explicit BufferPool(std::size_t kept_bytes_max) : kept_bytes_max_(kept_bytes_max) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// False if the host has no memory. The content is undefined, the borders are marked.
  bool take(std::size_t bytes, GuardedBuffer& buffer);
  void give_back(GuardedBuffer& buffer);

 private:
  const std::size_t kept_bytes_max_;
  std::size_t kept_bytes_{0};
  std::vector<GuardedBuffer> kept_;
};

}  // namespace fastgpu::exec
