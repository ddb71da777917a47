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
/// The kernel of a launch is not at hand: it is compiled or loaded first; or that is over, and the
/// launch runs now.
struct KernelMaking {
  LaunchToken token;
  bool over{false};
  bool operator==(const KernelMaking&) const = default;
};
/// The device's process is gone, and with it these launches; it is started again by itself.
struct ExecutorDied {
  std::string reason;
  std::vector<LaunchToken> in_flight;
  std::optional<LaunchToken> running;  ///< the one whose kernel was running, if known
  bool charged{false};                 ///< whose kernel did it has been told as ExecutorDone before
  bool proven{false};                  ///< and there is proof: it says nothing against the device
  bool operator==(const ExecutorDied&) const = default;
};
/// What watches the device from outside says that it is broken, as a GPU's driver does.
struct DeviceAccused {
  std::string why;  ///< a sentence for people: "its driver reported Xid 79"
  bool operator==(const DeviceAccused&) const = default;
};
/// The executor, or the warden, did not take a launch: not ready, or its window is full.
struct LaunchRefused {
  LaunchToken token;
  bool operator==(const LaunchRefused&) const = default;
};

/// A command's processes exist now.
struct CommandStarted {
  LaunchToken token;
  bool operator==(const CommandStarted&) const = default;
};
/// A command has ended, and every process that it started is gone. Told once for each LaunchCommand
/// that was not refused, also when the warden itself has died.
struct CommandEnded {
  LaunchToken token;
  base::FailureReason reason{base::FailureReason::none};  ///< none = it exited with 0 by itself
  std::string message;
  protocol::CommandEnd end;  ///< but for `output_paths`
  std::int64_t wall_ns{};
  bool operator==(const CommandEnded&) const = default;
};

/// Commands are taken from now on.
struct WardenReady {
  bool operator==(const WardenReady&) const = default;
};
/// Nothing starts commands now; also said again with another reason. What runs ends by itself, as
/// CommandEnded. Until one of the two is said, commands are taken.
struct WardenAway {
  std::string why;  ///< a sentence for people, never empty
  bool operator==(const WardenAway&) const = default;
};

/// Time has passed: `next_deadline()` was reached.
struct Tick {
  bool operator==(const Tick&) const = default;
};

using Event =
    std::variant<FromLeader<protocol::Assign>, FromLeader<protocol::Stop>,
                 FromLeader<protocol::Adopt>, FromLeader<protocol::Settled>,
                 FromLeader<protocol::Renewed>, protocol::Staged, protocol::Kept,
                 protocol::FolderReady, protocol::FolderCollected, protocol::DeviceTelemetry,
                 ExecutorReady, ExecutorDone, ExecutorDied, KernelMaking, DeviceAccused,
                 LaunchRefused, CommandStarted, CommandEnded, WardenReady, WardenAway, Tick>;

}  // namespace fastgpu::worker
