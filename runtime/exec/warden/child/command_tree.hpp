#pragma once

/// The processes of one command, and only those, while other commands run beside it.
///
/// Place in the flow: the warden's loop signals and measures them, and asks whether any is left.
/// The warden is a subreaper: whatever loses its parent becomes its child. So when the program of a
/// command has ended, each living process that comes from it hangs below a child of the warden that
/// is no running command's program; the mark tells whose it is (process_table.hpp). One whose mark
/// cannot be read counts as everybody's and does not survive the end of any command.

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/exec/cuda/gpu_process.hpp"
#include "runtime/exec/warden/process_table.hpp"

namespace fastgpu::exec {

class CommandTree {
 public:
  CommandTree(pid_t program, ProcessMark mark, std::string marker)
      : program_(program), mark_(mark), marker_(std::move(marker)) {}

  pid_t program() const { return program_; }
  ProcessMark mark() const { return mark_; }
  /// The program was reaped; what is left of the tree are orphans.
  void forget_program() { program_ = 0; }
  /// True if this child of the warden, no running program, comes from this command.
  bool owns_orphan(pid_t child) const;

  /// All living processes of the command. `orphans`: the warden's children that are no programs.
  std::vector<pid_t> processes(const std::vector<pid_t>& orphans) const;
  /// Asks each of them to end; without the program itself if `spare_program`.
  void ask(const std::vector<pid_t>& orphans, bool spare_program) const;
  /// Ends those that are there now, unasked; to be called until `gone`.
  void end(const std::vector<pid_t>& orphans) const;
  /// What they use together. If that is above `limit`, pages that they share count once.
  std::uint64_t memory_bytes(const std::vector<pid_t>& orphans, std::uint64_t limit) const;
  /// Those of them that are in the list use so much of their GPU together.
  std::uint64_t device_memory_bytes(const std::vector<pid_t>& orphans,
                                    const std::vector<GpuProcess>& use) const;
  /// True when the program was reaped and nothing of it is left. Call it with no zombie unreaped.
  bool gone(const std::vector<pid_t>& orphans) const;

 private:
  std::vector<pid_t> roots(const std::vector<pid_t>& orphans) const;
  /// Of a tree whose roots come first: as many as `top`.
  void signal(int signal, const std::vector<pid_t>& tree, std::size_t top) const;

  pid_t program_;
  ProcessMark mark_;
  std::string marker_;
};

/// The children of this process that are not in `programs`.
std::vector<pid_t> own_orphans(const std::vector<pid_t>& programs);

}  // namespace fastgpu::exec
