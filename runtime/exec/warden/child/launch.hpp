#pragma once

/// Starts one program as a command: a session of its own, another user, limits, nothing inherited.
///
/// Place in the flow: the warden's loop, once per command.
/// Failures: what went wrong before the program began is told with the step and the error, never by
/// an exit code. Limits: the calling thread waits until the program is loaded, as every spawn does.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/exec/warden/child/folder.hpp"
#include "runtime/exec/warden/process_table.hpp"

namespace fastgpu::exec {

/// Where a sandbox's keeper writes what becomes of the command.
inline constexpr int keeper_report_fd = 3;

struct Launch {
  std::string program;  ///< path, absolute or from the folder
  std::vector<std::string> words;
  std::vector<std::string> env;
  std::string folder;
  int input{-1};  ///< the three standard streams
  int output{-1};
  int error{-1};
  int keeper_report{-1};              ///< the program gets it as keeper_report_fd; -1 = nothing
  std::optional<FolderOwner> become;  ///< only root can
  ProcessMark mark;
  std::uint64_t file_bytes_max{0};  ///< 0 = no limit
  std::uint64_t processes_max{0};
};

enum class LaunchStep : std::uint32_t { none, process, user, folder, program };

struct Launched {
  pid_t process{0};
  LaunchStep failed{LaunchStep::none};  ///< none = it runs
  int error{0};
};

Launched launch(const Launch& launch);

struct FoundProgram {
  std::string path;
  int error{0};  ///< why there is none: ENOENT, EACCES
};

/// The file that a word names as a program: by PATH of the environment unless it has a slash;
/// relative ones from the folder.
FoundProgram find_program(const std::string& word, const std::vector<std::string>& env,
                          const std::string& folder);

}  // namespace fastgpu::exec
