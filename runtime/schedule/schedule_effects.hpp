#pragma once

/// Everything that the scheduler machine can do to the world: both go to the shard they name, in
/// order. A job of which no Waiting was said, or `none` last, waits as not_yet_considered.

#include <variant>
#include <vector>

#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::schedule {

using Effect = std::variant<protocol::Place, protocol::Waiting>;
using Effects = std::vector<Effect>;

}  // namespace fastgpu::schedule
