#pragma once

/// A piece of what a task said while it ran, as it is stored on the node that ran it and shown to
/// people. A value that the log store and the conversations share. Nothing here fails.

#include <cstdint>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::base {

/// Where the bytes of a record come from. schema/log.capnp holds the same list.
enum class LogStream : std::uint8_t {
  output,        ///< the command's stdout
  error_output,  ///< the command's stderr
  started,       ///< a mark: the attempt begins here; the bytes may say how
  ended,         ///< a mark: no more comes of the attempt; the bytes may say how it ended
  notice,        ///< a mark of the store itself, such as "[log cut: ...]": no task wrote it
};
const char* to_word(LogStream stream);

/// Not written by the user's program.
constexpr bool is_mark(LogStream stream) {
  return stream >= LogStream::started;
}

struct LogRecord {
  JobId job;
  std::uint32_t task{};  ///< of the job's array; 0 in a notice
  AttemptId attempt;     ///< none in a notice
  LogStream stream{LogStream::output};
  std::int64_t time_ns{};  ///< nanoseconds since 1970 UTC on the node that ran it; for people
  Bytes bytes;             ///< as they were written; the end of a record need not end a line
  bool operator==(const LogRecord&) const = default;
};

}  // namespace fastgpu::base
