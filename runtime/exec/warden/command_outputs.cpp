#include "runtime/exec/warden/command_outputs.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/base/limits.hpp"
#include "runtime/exec/warden/text.hpp"

namespace fastgpu::exec {
namespace {

using base::limits::command_output_piece_bytes_max;

constexpr int events_at_once_max = 64;
/// A stream that gave this much is written fast: it is looked at again without a rest.
constexpr std::size_t busy_bytes = 16u << 10;
/// What a command that is gone can have left: two full pipes, the largest that a user may make.
constexpr int last_reads_max = 64;
constexpr std::size_t dropped_at_once_max = 1u << 20;

std::int64_t wall_time_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

CommandOutputs::CommandOutputs(Deliver deliver)
    : deliver_(std::move(deliver)),
      watch_(epoll_create1(EPOLL_CLOEXEC)),
      null_(open("/dev/null", O_WRONLY | O_CLOEXEC)),
      piece_(command_output_piece_bytes_max) {}

void CommandOutputs::add(CommandToken token, FileDescriptor standard_output,
                         FileDescriptor standard_error, std::uint64_t bytes_max) {
  Command& command = commands_[token];
  command.streams[0].pipe = std::move(standard_output);
  command.streams[1].pipe = std::move(standard_error);
  command.bytes_left = command.bytes_max = bytes_max;
  rest(token, 0);
  rest(token, 1);
}

std::uint64_t CommandOutputs::finish(CommandToken token) {
  const auto found = commands_.find(token);
  if (found == commands_.end())
    return 0;
  for (int stream = 0; stream < 2; ++stream)
    for (int i = 0; i < last_reads_max; ++i) {
      const ReadEnd end = read_once(token, found->second, stream);
      if (end == ReadEnd::closed || end == ReadEnd::empty)
        break;
    }
  const std::uint64_t dropped = found->second.dropped;
  commands_.erase(found);  // closing takes the pipes out of the watch
  return dropped;
}

CommandOutputs::Clock::time_point CommandOutputs::next_read() const {
  return resting_.empty() ? Clock::time_point::max() : resting_.front().until;
}

void CommandOutputs::read_ready(bool fd_readable) {
  const auto now = Clock::now();
  while (!resting_.empty() && resting_.front().until <= now) {
    const Resting due = resting_.front();
    resting_.pop();
    read_stream(due.token, due.stream);
  }
  if (!fd_readable)
    return;
  epoll_event events[events_at_once_max];
  const int count = epoll_wait(watch_.get(), events, events_at_once_max, 0);
  for (int i = 0; i < count; ++i)
    read_stream({events[i].data.u64 >> 1}, static_cast<int>(events[i].data.u64 & 1));
}

void CommandOutputs::read_stream(CommandToken token, int stream) {
  const auto found = commands_.find(token);
  if (found == commands_.end() || !found->second.streams[stream].pipe)
    return;
  Stream& one = found->second.streams[stream];
  switch (read_once(token, found->second, stream)) {
    case ReadEnd::closed:
      unwatch(one);
      one.pipe.reset();
      return;
    case ReadEnd::some:
      unwatch(one);
      return rest(token, stream);
    case ReadEnd::empty:
    case ReadEnd::full:
      return watch(token, one, stream);
  }
}

CommandOutputs::ReadEnd CommandOutputs::read_once(CommandToken token, Command& command,
                                                  int stream) {
  if (!command.streams[stream].pipe)
    return ReadEnd::closed;
  if (command.bytes_left == 0)
    return drop_once(token, command, stream);
  const std::size_t wanted = std::min<std::uint64_t>(piece_.size(), command.bytes_left);
  const ssize_t got = read(command.streams[stream].pipe.get(), piece_.data(), wanted);
  if (got < 0)
    return errno == EAGAIN || errno == EINTR ? ReadEnd::empty : ReadEnd::closed;
  if (got == 0)
    return ReadEnd::closed;
  const auto bytes = static_cast<std::size_t>(got);
  command.bytes_left -= bytes;
  deliver(token, stream, piece_.data(), bytes, false);
  return bytes >= busy_bytes || command.bytes_left == 0 ? ReadEnd::full : ReadEnd::some;
}

CommandOutputs::ReadEnd CommandOutputs::drop_once(CommandToken token, Command& command,
                                                  int stream) {
  const ssize_t got = splice(command.streams[stream].pipe.get(), nullptr, null_.get(), nullptr,
                             dropped_at_once_max, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (got < 0)
    return errno == EAGAIN || errno == EINTR ? ReadEnd::empty : ReadEnd::closed;
  if (got == 0)
    return ReadEnd::closed;
  if (!command.marked)
    mark(token, command, stream);
  command.dropped += static_cast<std::uint64_t>(got);
  return ReadEnd::full;
}

void CommandOutputs::mark(CommandToken token, Command& command, int stream) {
  command.marked = true;
  const std::string words = "\n[fastgpu: the limit of " + size_text(command.bytes_max) +
                            " of output is reached, the rest is dropped]\n";
  deliver(token, stream, words.data(), words.size(), true);
}

void CommandOutputs::rest(CommandToken token, int stream) {
  resting_.push({Clock::now() + base::limits::command_output_interval, token, stream});
}

void CommandOutputs::watch(CommandToken token, Stream& stream, int index) {
  if (stream.watched)
    return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = token.value << 1 | static_cast<unsigned>(index);
  stream.watched = epoll_ctl(watch_.get(), EPOLL_CTL_ADD, stream.pipe.get(), &event) == 0;
}

void CommandOutputs::unwatch(Stream& stream) {
  if (std::exchange(stream.watched, false))
    epoll_ctl(watch_.get(), EPOLL_CTL_DEL, stream.pipe.get(), nullptr);
}

void CommandOutputs::deliver(CommandToken token, int stream, const char* data, std::size_t bytes,
                             bool is_mark) {
  deliver_({token, stream == 0 ? CommandStream::standard_output : CommandStream::standard_error,
            wall_time_ns(), base::Bytes::copy_of(std::string_view(data, bytes)), is_mark});
}

}  // namespace fastgpu::exec
