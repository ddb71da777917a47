#pragma once

/// The worker machine's words in those of the executor's port, and back. The two know nothing of
/// each other: exec stands on base alone, the worker machine on no port at all.

#include "runtime/exec/executor.hpp"
#include "runtime/worker/worker_effects.hpp"
#include "runtime/worker/worker_events.hpp"

namespace fastgpu::actors {

exec::ExecutorTask executor_task_of(const worker::Launch& launch);
worker::Event worker_event_of(const exec::ExecutorEvent& event);

}  // namespace fastgpu::actors
