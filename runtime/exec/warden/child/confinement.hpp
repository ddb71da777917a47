#pragma once

/// How commands are kept apart from the host: chosen once when the warden starts, told to people.
///
/// Place in the flow: the warden's loop asks it for the words that are really executed and for the
/// user that they run as.
/// A warden that is root gives every command to an unprivileged user; no command runs as root.
/// Failures: a mode that this host does not offer is an error, not a weaker mode.

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/exec/warden/child/command_watch.hpp"
#include "runtime/exec/warden/child/folder.hpp"
#include "runtime/exec/warden/wire.hpp"

namespace fastgpu::exec {

class Confinement {
 public:
  /// `mode`: "auto", "bubblewrap" or "none". `user`: the user id of commands if this process is
  /// root; 0 = that of "nobody".
  static base::Result<Confinement> choose(const std::string& mode, uid_t user);

  /// For people: "bubblewrap", "no sandbox, user 65534".
  const std::string& protection() const { return protection_; }
  const FolderOwner& owner() const { return owner_; }
  /// True if the program that the warden starts is the sandbox's keeper, whose end is the end of
  /// all: it must not be asked to end, what runs inside must.
  bool has_keeper() const { return !bubblewrap_.empty(); }
  bool can_cut_network() const { return has_keeper(); }
  /// What to execute for a command whose program has been found at `program`.
  std::vector<std::string> words(const RunMessage& task, const std::string& program) const;
  /// The wait status of what was executed, as that of the command's program.
  ProgramEnd program_end(int wait_status) const;

 private:
  std::string protection_;
  std::string bubblewrap_;
  FolderOwner owner_;
};

}  // namespace fastgpu::exec
