#pragma once

/// Everything that the scheduler machine can be told. The shards of the node say what waits and
/// what became of it, the monitor shows the cluster. Nothing is answered; nothing is required to
/// come in a certain order.

#include <variant>

#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::schedule {

/// Time has passed: `next_deadline()` was reached.
struct Tick {
  bool operator==(const Tick&) const = default;
};

/// SharedView is compared by identity.
using Event = std::variant<protocol::TasksReady, protocol::TasksGone, protocol::AssignAnswered,
                           protocol::TasksRan, protocol::ShardRetired, protocol::SharedView, Tick>;

}  // namespace fastgpu::schedule
