#pragma once

/// What must hold of a worker machine after every step, found out from its state alone and in
/// another way than the machine keeps it. For tests and simulation.

#include <string>
#include <vector>

#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::worker {

/// One sentence for each broken invariant; empty when all is well.
std::vector<std::string> broken_invariants(const WorkerMachine& machine);

}  // namespace fastgpu::worker
