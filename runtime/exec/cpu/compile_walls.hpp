#pragma once

/// What stands around a compiler that works on a user's source, and what is left where this host
/// can have no walls.
///
/// Place in the flow: the Compiler decides once (`prepare`), then asks for the command of each
/// compile. Why walls: a source can name any file to its compiler, and the compiler prints it.
/// In order of preference: the compile child confines itself
/// (runtime/exec/sandbox/landlock.hpp); bubblewrap, 5 ms dearer; nothing, and then the compiler
/// reports what it has read, prints no lines of files, and a source that has reached for others is
/// refused without its log. What then remains possible is no more than the kernel could do itself.
/// Failures: where walls are demanded that cannot be had, `prepare` says why.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/exec/cpu/child.hpp"
#include "runtime/exec/sandbox/sandbox.hpp"

namespace fastgpu::exec {

enum class CompilerWalls : unsigned char { automatic, confinement, bubblewrap, none };

struct CompileLimits {
  /// For a compiler that waits and does not work. Long, because a busy host makes no source wrong.
  std::chrono::milliseconds wall{600'000};
  std::chrono::seconds cpu{30};  ///< of each process that takes part: this one stops real work
  std::uint64_t memory_bytes{4ull << 30};
  std::uint64_t file_bytes{256u << 20};
  std::size_t log_bytes{64u << 10};
};

class CompileWalls {
 public:
  /// `compiler`, `include_folder` and `more_folders` are what every compile may read beside the
  /// system's folders.
  base::Status prepare(CompilerWalls wanted, const std::string& compiler,
                       const std::string& include_folder,
                       const std::vector<std::string>& more_folders = {});
  /// The command that runs `compiler_words` in `work_folder`, behind walls and limits.
  ChildCommand command(const std::string& child_program, const std::string& work_folder,
                       const CompileLimits& limits,
                       const std::vector<std::string>& compiler_words) const;
  CompilerWalls chosen() const { return chosen_; }
  /// Further words for the compiler, so that `foreign_file` can work.
  std::vector<std::string> reporting_words() const;
  /// Without walls: takes the report out of the log, and names what the source has read and must
  /// not; empty if nothing.
  std::string foreign_file(std::string& log) const;

 private:
  CompilerWalls chosen_{CompilerWalls::none};
  SandboxMeans means_;
  std::string include_folder_;
  std::vector<std::string> compiler_folders_;
};

/// Which limit ended the compile, as a sentence; empty if none did.
std::string limit_reached(const ChildEnd& end, const CompileLimits& limits);

/// Where a compiler outside the system's folders keeps what it needs.
std::vector<std::string> folders_of_compiler(const std::string& program);

}  // namespace fastgpu::exec
