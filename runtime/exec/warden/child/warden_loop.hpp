#pragma once

/// The warden: the process that starts users' commands and answers for their end.
///
/// Place in the flow: `fastgpu-executor --warden`, started by a node's ProcessRunner with the
/// control socket as descriptor 3 and, where it is root, the claim of its commands' user as 4. One
/// thread, one poll loop; deadlines by CLOCK_BOOTTIME, kept here, so that a node that sleeps or is
/// stopped cannot let a command outlive its lease.
/// Failures: when the node's end of the socket closes, or SIGTERM comes, all commands are killed;
/// it exits with 0 once the kernel has said that no child is left, and not before. A packet that it
/// does not understand ends it in the same way with exit_wire.
/// Limits: limits::commands_in_flight_max commands; it holds no output.

#include <cstdint>
#include <string>

#include "runtime/exec/warden/child/confinement.hpp"

namespace fastgpu::exec {

struct WardenOptions {
  std::string marker;  ///< of the data folder (leftovers.hpp)
  ConfinementRules confinement;
  std::uint64_t grace_ms{2000};
  std::uint64_t processes_max{4096};  ///< of the user that runs the commands
};

/// Runs until the node is gone; the program's exit code.
int run_warden(const WardenOptions& options);
/// The same for the words after `--warden`.
int warden_main(int count, char** words);

}  // namespace fastgpu::exec
