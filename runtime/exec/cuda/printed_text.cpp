#include "runtime/exec/cuda/printed_text.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

namespace fastgpu::exec {

PrintedText::PrintedText(int stream) : file_(memfd_create("fastgpu-printed", MFD_CLOEXEC)) {
  if (!file_)
    return;
  std::fflush(stream == STDOUT_FILENO ? stdout : stderr);
  // Appending: the driver and the C library each keep a position of their own.
  fcntl(file_.get(), F_SETFL, O_APPEND);
  if (dup2(file_.get(), stream) < 0)
    file_.reset();
}

std::size_t PrintedText::take(std::span<char> room) {
  if (!file_)
    return 0;
  std::fflush(stdout);
  const ssize_t count = pread(file_.get(), room.data(), room.size(), 0);
  if (count != 0 && ftruncate(file_.get(), 0) != 0)
    return 0;
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

}  // namespace fastgpu::exec
