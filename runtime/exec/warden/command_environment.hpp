#pragma once

/// The environment of a command, composed of what the node knows and what the user asked for.
///
/// Place in the flow: the worker calls it while it makes a CommandTask. Pure.
/// Limits: names of FASTGPU_* and of the devices cannot be set by the user.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/ids.hpp"

namespace fastgpu::exec {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// The part of a command in a gang: one process per rank.
struct GangPlace {
  std::uint32_t rank{};
  std::uint32_t world_size{1};
  std::uint32_t local_rank{};
  std::string master_address;
  std::uint16_t master_port{};
};

struct CommandFacts {
  base::JobId job;
  std::uint32_t task{};  ///< the index in the array; done again, the one that it had there
  std::uint32_t task_count{1};
  base::AttemptId attempt;
  std::string node;                       ///< its name
  std::vector<std::string> device_uuids;  ///< of all devices that are given to it
  std::vector<std::string> gpu_uuids;     ///< those of them that are GPUs; empty hides all GPUs
  std::string folder;                     ///< the job folder as the command sees it
  std::optional<GangPlace> gang;
};

/// The user's variables first, in their order and without those that are ours; then ours.
Environment command_environment(const CommandFacts& facts, const Environment& user);

/// Adds what every program expects and `env` lacks: PATH, HOME = the folder, LANG, and USER and
/// LOGNAME, which stand in for an entry in /etc/passwd.
void add_default_variables(Environment& env, const std::string& folder, const std::string& user);

}  // namespace fastgpu::exec
