#pragma once

/// The node's end of the control socket: sends without blocking, keeps what does not fit.
///
/// Place in the flow: owned by the ProcessRunner, used under its mutex.
/// Failures: a socket whose other end is gone swallows; that end is seen by the one who reads.
/// Limits: what is kept is bounded by the caller: one RunMessage and one StopMessage per command,
/// and of leases the latest of each.

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/warden/wire.hpp"

namespace fastgpu::exec {

class WardenLink {
 public:
  void open(FileDescriptor socket);
  /// Forgets what was not sent.
  void close();
  int fd() const { return socket_.get(); }

  /// Takes the files over, which the warden gets.
  void send(const NodeMessage& message, std::vector<FileDescriptor> files);
  void send_lease(const LeaseMessage& message);
  /// Sends what was kept, as far as it fits now.
  void flush();
  bool has_unsent() const { return !unsent_.empty() || !leases_.empty(); }
  /// The next packet, nullopt if none is there. `gone` if the other end is, or sent nonsense.
  std::optional<WardenMessage> receive(bool& gone);

 private:
  struct Packet {
    std::vector<std::uint8_t> bytes;
    std::vector<FileDescriptor> files;
  };
  bool try_send(const Packet& packet);

  FileDescriptor socket_;
  std::deque<Packet> unsent_;
  std::map<CommandToken, LeaseMessage> leases_;
};

}  // namespace fastgpu::exec
