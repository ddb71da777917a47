#pragma once

/// The task that a device has to do right before it is trusted again: a tiny kernel that uses
/// threads, shared memory and a barrier, launched as any other. Belongs to no job. Pure.

#include <optional>
#include <string>

#include "runtime/worker/worker_effects.hpp"
#include "runtime/worker/worker_events.hpp"

namespace fastgpu::worker {

/// True for launches that `self_test` has made.
bool is_self_test(const Launch& launch);

/// What it computes depends on the token: an answer to an earlier one is not taken for this one's.
Launch self_test(LaunchToken token);

/// Why a device of this kind has not passed; none if it has. A device that cannot compile anything
/// now, or ever, but answers, has.
std::optional<std::string> why_failed(const ExecutorDone& done, protocol::DeviceKind kind);

}  // namespace fastgpu::worker
