#pragma once

/// Everything that the worker machine can be told. The router gives it the messages that name its
/// device, with the node that sent them (the frame proves node and incarnation); objects answers
/// what it asked; the executor's events come from another thread through the actor's mailbox.
/// Every message of a peer may come twice, late or never.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/failure.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/log_record.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::worker {

/// Names a launch between worker and executor: from 1, never reused in a process's life.
using LaunchToken = base::Id<struct LaunchTokenTag, std::uint64_t>;

/// A message of a shard's leader (Assign, Stop, Adopt, Settled, Renewed) and who sent it.
template <class Message>
struct FromLeader {
  base::NodeId from;
  Message message;
  bool operator==(const FromLeader&) const = default;
};

/// The device's process is up, at first or again; this is what it found.
struct ExecutorReady {
  protocol::DeviceKind kind{protocol::DeviceKind::cpu};
  std::string model;
  std::string uuid;
  std::uint64_t memory_bytes{};
  bool operator==(const ExecutorReady&) const = default;
};
/// A launch ended by itself. `outputs` of out and inout buffers in their order, on success.
struct ExecutorDone {
  LaunchToken token;
  base::FailureReason reason{base::FailureReason::none};
  std::string message;
  std::vector<base::Bytes> outputs;
  protocol::Timings timings;  ///< `queue_ns` is not the executor's to know
  bool operator==(const ExecutorDone&) const = default;
};
/// The device's process is gone, and with it these launches; it is started again by itself.
struct ExecutorDied {
  std::string reason;
  std::vector<LaunchToken> in_flight;
  std::optional<LaunchToken> running;  ///< the one whose kernel was running, if known
  bool operator==(const ExecutorDied&) const = default;
};
/// The executor did not take a launch: not ready, or its window is full.
struct LaunchRefused {
  LaunchToken token;
  bool operator==(const LaunchRefused&) const = default;
};

/// Commands are taken from now on; nothing of earlier ones runs.
struct CommandsReady {
  bool operator==(const CommandsReady&) const = default;
};
/// `time_ns` of these three: since 1970 UTC on this node, for the log.
struct CommandStarted {
  LaunchToken token;
  std::string protection;
  std::int64_t time_ns{};
  bool operator==(const CommandStarted&) const = default;
};
struct CommandWrote {
  LaunchToken token;
  base::LogStream stream{base::LogStream::output};
  std::int64_t time_ns{};
  base::Bytes bytes;
  bool operator==(const CommandWrote&) const = default;
};
/// The command and every process that it started are gone.
struct CommandEnded {
  LaunchToken token;
  base::FailureReason reason{base::FailureReason::none};
  std::string message;
  protocol::CommandEnd end;  ///< `output_paths` is not the warden's to know
  std::int64_t time_ns{};
  bool operator==(const CommandEnded&) const = default;
};
/// Whoever starts commands is gone, and it is proven that these run no more.
struct CommandsDied {
  std::string reason;
  std::vector<LaunchToken> in_flight;
  bool operator==(const CommandsDied&) const = default;
};
/// A RunCommand was not taken.
struct CommandRefused {
  LaunchToken token;
  bool operator==(const CommandRefused&) const = default;
};

/// Time has passed: `next_deadline()` was reached.
struct Tick {
  bool operator==(const Tick&) const = default;
};

using Event =
    std::variant<FromLeader<protocol::Assign>, FromLeader<protocol::Stop>,
                 FromLeader<protocol::Adopt>, FromLeader<protocol::Settled>,
                 FromLeader<protocol::Renewed>, protocol::Staged, protocol::Kept, ExecutorReady,
                 ExecutorDone, ExecutorDied, LaunchRefused, protocol::FolderReady,
                 protocol::FolderCollected, CommandsReady, CommandStarted, CommandWrote,
                 CommandEnded, CommandsDied, CommandRefused, Tick>;

}  // namespace fastgpu::worker
