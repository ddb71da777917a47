#pragma once

/// Owned file descriptors and shared mappings. Movable, closed with their owner.

#include <cstddef>
#include <utility>

#include "runtime/base/result.hpp"

namespace fastgpu::exec {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_{-1};
};

/// A memory file mapped for reading and writing. Pages exist once touched.
class SharedMemory {
 public:
  SharedMemory() = default;
  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept { *this = std::move(other); }
  SharedMemory& operator=(SharedMemory&& other) noexcept;

  static base::Result<SharedMemory> create(const char* name, std::size_t bytes);
  /// Maps what another process created, in whole. Takes the descriptor over.
  static base::Result<SharedMemory> open(FileDescriptor fd);

  char* data() const { return data_; }
  std::size_t size() const { return size_; }
  int fd() const { return fd_.get(); }

 private:
  static base::Result<SharedMemory> map(FileDescriptor fd, std::size_t bytes);
  FileDescriptor fd_;
  char* data_{nullptr};
  std::size_t size_{0};
};

}  // namespace fastgpu::exec
