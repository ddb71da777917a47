#pragma once

/// The flags that describe a command, and what they add to a job's specification. Pure: whether a
/// word names a file is asked of a function.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fastgpu/job_spec.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::cli {

/// As typed; empty where not given.
struct CommandFlags {
  std::vector<std::string> argv;  ///< what stood behind "--"
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<std::string> environment;
  std::string cwd;
  std::string workdir;
  std::string memory;
  std::string gpu_memory;
  std::string disk;
  std::string lease;
  bool no_network{false};
};

/// Is there a regular file with this path here?
using IsFile = std::function<bool(const std::string& path)>;

/// Words of the command that name files below the current folder: brought along by themselves, so
/// that `-- python3 train.py` finds its script. Those that are inputs anyway are not among them.
std::vector<std::string> files_among_words(const CommandFlags& flags, const IsFile& is_file);

/// Adds the command with its files and limits to `spec`. An Error names the flag that is wrong.
base::Status add_command(v1::JobSpec& spec, const CommandFlags& flags, std::uint32_t tasks,
                         const IsFile& is_file);

/// "stage=train" each. An Error names the one that is no label.
base::Result<protocol::Labels> parse_labels(const std::vector<std::string>& texts);

/// "424", "424:any"
base::Status add_dependency(v1::JobSpec& spec, const std::string& text);

/// On disk.
bool is_file(const std::string& path);

}  // namespace fastgpu::cli
