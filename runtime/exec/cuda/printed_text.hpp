#pragma once

/// What kernels print: the driver writes it to standard output when it waits for the device, and to
/// standard error of which assertions have failed.
///
/// Place in the flow: owned by the CUDA device, one for each of the two. Puts a file in memory in
/// the place of the stream, and empties it when it is asked for what is there: after each task of
/// standard output, at the process's end of standard error. One thread. Without such a file nothing
/// is collected.

#include <cstddef>
#include <span>

#include "runtime/exec/channel/shared_memory.hpp"

namespace fastgpu::exec {

class PrintedText {
 public:
  /// Of the stream's descriptor: STDOUT_FILENO or STDERR_FILENO.
  explicit PrintedText(int stream);
  /// Copies what was printed since the last time, cut at the room; returns how many bytes.
  std::size_t take(std::span<char> room);

 private:
  FileDescriptor file_;
};

}  // namespace fastgpu::exec
