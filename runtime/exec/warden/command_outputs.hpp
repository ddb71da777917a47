#pragma once

/// Reads what commands write, for all commands of one runner.
///
/// Place in the flow: the ProcessRunner's thread adds a command's two pipes when it has started,
/// looks here when fd() is readable or next_read() has come, and finishes with it at its end.
/// Pieces: after a read a stream rests for limits::command_output_interval, so that a chatty
/// command makes few large pieces and a short one is read once, at its end; a full pipe does not
/// rest. Beyond the command's limit one mark is delivered and the rest is read and dropped, as fast
/// as the command writes: it never blocks for long and never costs memory.

#include <chrono>
#include <functional>
#include <map>
#include <queue>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/warden/command_runner.hpp"

namespace fastgpu::exec {

class CommandOutputs {
 public:
  using Clock = std::chrono::steady_clock;
  using Deliver = std::function<void(CommandOutput)>;

  explicit CommandOutputs(Deliver deliver);

  void add(CommandToken token, FileDescriptor standard_output, FileDescriptor standard_error,
           std::uint64_t bytes_max);
  /// Delivers what is left in the pipes and closes them; the bytes that were dropped in all.
  std::uint64_t finish(CommandToken token);

  int fd() const { return watch_.get(); }
  /// When a resting stream is due; time_point::max() if none rests.
  Clock::time_point next_read() const;
  /// Reads what is due and, if fd() was found readable, what is readable; does not block.
  void read_ready(bool fd_readable);

 private:
  struct Stream {
    FileDescriptor pipe;
    bool watched{false};
  };
  struct Command {
    Stream streams[2];
    std::uint64_t bytes_left{};
    std::uint64_t bytes_max{};
    std::uint64_t dropped{};
    bool marked{false};
  };
  struct Resting {
    Clock::time_point until;
    CommandToken token;
    int stream;
  };
  enum class ReadEnd { closed, empty, some, full };

  ReadEnd read_once(CommandToken token, Command& command, int stream);
  ReadEnd drop_once(CommandToken token, Command& command, int stream);
  void read_stream(CommandToken token, int stream);
  void rest(CommandToken token, int stream);
  void watch(CommandToken token, Stream& stream, int index);
  void unwatch(Stream& stream);
  void mark(CommandToken token, Command& command, int stream);
  void deliver(CommandToken token, int stream, const char* data, std::size_t bytes, bool is_mark);

  Deliver deliver_;
  FileDescriptor watch_;  ///< epoll
  FileDescriptor null_;
  std::map<CommandToken, Command> commands_;
  std::queue<Resting> resting_;  ///< by time, because all rest equally long
  std::vector<char> piece_;
};

}  // namespace fastgpu::exec
