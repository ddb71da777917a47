#pragma once

/// What is checked and made ready before a command is launched, and the words for what went wrong.
///
/// Place in the flow: the warden's loop, at the start of a command.
/// Failures: a Refusal has the reason and a sentence: the user's fault is bad_argument, the host's
/// is staging_failed, which another node may do better.

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/failure.hpp"
#include "runtime/exec/warden/child/confinement.hpp"
#include "runtime/exec/warden/child/launch.hpp"

namespace fastgpu::exec {

struct Refusal {
  base::FailureReason reason{};
  std::string message;
};

struct Starting {
  const RunMessage& task;
  const Confinement& confinement;
  base::Time now;
  std::size_t commands_running{};
  // Filled in by make_ready():
  std::string program{};             ///< to execute
  std::vector<std::string> words{};  ///< its arguments, from its name on
};

/// Gives the folder to the command's user and finds the program; nullopt when all is ready.
std::optional<Refusal> make_ready(Starting& starting);

Refusal refusal_of(const Launched& launched, const RunMessage& task);

}  // namespace fastgpu::exec
