#pragma once

/// What a group's log needs of its owner, beside the store: the way to the other replicas, and the
/// time. Implemented by the shard actor's log desk, and by tests.

#include "runtime/base/time.hpp"
#include "runtime/raft/raft_effects.hpp"

namespace fastgpu::actors {

class RaftHost {
 public:
  virtual ~RaftHost() = default;
  /// To another replica of the shard; may be lost. Never answered from inside the call.
  virtual void send(const raft::Send& said) = 0;
  /// Somebody sends what no sound replica sends.
  virtual void alarm(const raft::Alarm& alarm) = 0;
  /// The time of the present turn.
  virtual base::Time now() const = 0;
};

}  // namespace fastgpu::actors
