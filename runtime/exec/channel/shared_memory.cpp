#include "runtime/exec/channel/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace fastgpu::exec {
namespace {

base::Error failed(const std::string& what) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal,
          what + ": " + std::strerror(errno), ""};
}

}  // namespace

void FileDescriptor::reset() {
  if (fd_ >= 0)
    close(std::exchange(fd_, -1));
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr)
    munmap(data_, size_);
}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

base::Result<SharedMemory> SharedMemory::create(const char* name, std::size_t bytes) {
  FileDescriptor fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd)
    return failed("no memory file");
  if (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
    return failed("no memory file of " + std::to_string(bytes) + " bytes");
  // A child that shortened the file would end this process with SIGBUS.
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return failed("cannot seal a memory file");
  return map(std::move(fd), bytes);
}

base::Result<SharedMemory> SharedMemory::open(FileDescriptor fd) {
  struct stat info {};
  if (fstat(fd.get(), &info) != 0)
    return failed("no shared memory from the node");
  return map(std::move(fd), static_cast<std::size_t>(info.st_size));
}

base::Result<SharedMemory> SharedMemory::map(FileDescriptor fd, std::size_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED)
    return failed("cannot map " + std::to_string(bytes) + " bytes");
  SharedMemory memory;
  memory.fd_ = std::move(fd);
  memory.data_ = static_cast<char*>(data);
  memory.size_ = bytes;
  return memory;
}

}  // namespace fastgpu::exec
