#pragma once

/// The flags of `run` and `submit`, and the job they describe: a kernel or a command.

#include <cstdint>
#include <string>
#include <vector>

#include "node/cli/flags/command_flags.hpp"
#include "node/cli/flags/kernel_flags.hpp"

namespace fastgpu::cli {

/// As typed; empty where not given.
struct JobFlags {
  std::string file;  ///< job.toml
  KernelFlags kernel;
  CommandFlags command;
  std::string device{"any"};
  std::uint32_t tasks{1};
  std::string name;
  std::string time_limit;
  std::uint32_t retries{0};
  std::uint32_t crash_limit{base::limits::retries_node_loss_default};
  std::string if_infeasible{"fail"};
  std::vector<std::string> after;
  std::vector<std::string> labels;

  bool is_command() const { return !command.argv.empty(); }
};

/// An Error names the flag that is wrong or missing.
base::Result<v1::JobSpec> job_from(const JobFlags& flags, const ReadFile& read,
                                   const IsFile& is_file);

}  // namespace fastgpu::cli
