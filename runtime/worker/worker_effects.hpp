#pragma once

/// Everything that the worker machine can do to the world, performed in order. A Finish goes out
/// only after its outputs were kept (Keep answered by Kept); a Launch only under a lease.

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/worker/worker_events.hpp"

namespace fastgpu::worker {

/// To the node that led the shard when it last spoke to us. May be lost; what matters is resent.
struct SendToNode {
  base::NodeId node;
  protocol::PeerMessage message;
  bool operator==(const SendToNode&) const = default;
};

/// A scalar parameter, with "{}" and "{n}" filled in and parsed.
struct LaunchScalar {
  protocol::ScalarType type{protocol::ScalarType::i32};
  std::array<std::uint8_t, 8> bytes{};  ///< the first 4 or 8, by type
  bool operator==(const LaunchScalar&) const = default;
};
/// A buffer parameter with the bytes of this task at hand.
struct LaunchBuffer {
  protocol::BufferUse use{protocol::BufferUse::in};
  base::Bytes data;            ///< in and inout
  std::uint64_t size_bytes{};  ///< of the buffer on the device
  bool operator==(const LaunchBuffer&) const = default;
};
using LaunchArgument = std::variant<LaunchScalar, LaunchBuffer>;

/// Run this task, or a self-test, now. Answered by exactly one of ExecutorDone, ExecutorDied,
/// LaunchRefused.
struct Launch {
  LaunchToken token;
  base::JobId job;
  std::uint32_t task{};
  protocol::SharedSpec spec;
  std::vector<LaunchArgument> arguments;
  bool operator==(const Launch&) const = default;
};
/// End the device's process at once. Answered by ExecutorDied, unless it had died already.
struct KillExecutor {
  std::string why;
  bool operator==(const KillExecutor&) const = default;
};

/// Start this task's command in its folder. Answered by LaunchRefused or, in the end, CommandEnded.
struct LaunchCommand {
  LaunchToken token;
  base::JobId job;
  std::uint32_t task{};
  base::AttemptId attempt;
  protocol::SharedSpec spec;
  std::string folder;  ///< on the host
  base::Time until;  ///< it is killed then, unless ExtendLease came before, whatever this node does
  bool operator==(const LaunchCommand&) const = default;
};
struct ExtendLease {
  LaunchToken token;
  base::Time until;
  bool operator==(const ExtendLease&) const = default;
};
/// End this command and nothing else: asked first, killed after a grace. Answered by CommandEnded.
struct StopCommand {
  LaunchToken token;
  std::string why;
  bool operator==(const StopCommand&) const = default;
};

/// Stage, Keep and the messages of folders go to objects, DeviceBooks to the monitor.
using Effect = std::variant<SendToNode, protocol::Stage, protocol::Keep, protocol::PrepareFolder,
                            protocol::CollectFolder, protocol::DropFolder, Launch, KillExecutor,
                            LaunchCommand, ExtendLease, StopCommand, protocol::DeviceBooks>;
using Effects = std::vector<Effect>;

}  // namespace fastgpu::worker
