#pragma once

/// How commands are kept apart from the host: chosen once when the warden starts, told to people.
///
/// Place in the flow: the warden's loop asks it for the words that are really executed and for the
/// user that they run as. The walls themselves are sandbox/sandbox.hpp's.
/// A warden that is root gives every command to the user that the node has claimed for it
/// (sandbox/user_claim.hpp); no command runs as root.
/// Failures: a mode that this host does not offer is an error, not a weaker mode.

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/exec/sandbox/sandbox.hpp"
#include "runtime/exec/warden/child/command_watch.hpp"
#include "runtime/exec/warden/child/folder.hpp"
#include "runtime/exec/warden/wire.hpp"

namespace fastgpu::exec {

/// What all commands of a warden have in common.
struct ConfinementRules {
  std::string mode{"auto"};              ///< "auto", "bubblewrap" or "none"
  uid_t user{0};                         ///< of commands; must be there if this process is root
  std::uint64_t tmp_bytes{10ull << 30};  ///< of each private folder for temporary files
  std::vector<std::string> writable_folders;  ///< of the host, besides the job folder
};

class Confinement {
 public:
  /// Tries what the host can do; blocks for some ten milliseconds.
  static base::Result<Confinement> choose(const ConfinementRules& rules);

  /// The word for people: "bubblewrap", "uid only", "none".
  const std::string& protection() const { return protection_; }
  const FolderOwner& owner() const { return owner_; }
  /// True if the program that the warden starts is the sandbox's keeper, whose end is the end of
  /// all: it must not be asked to end, what runs inside must.
  bool has_keeper() const { return !means_.bubblewrap.empty(); }
  bool can_cut_network() const { return has_keeper() && means_.cuts_network; }
  /// What to execute for a command; keeper_words() go behind a keeper's name.
  std::vector<std::string> words(const RunMessage& task) const;
  /// The wait status of what was executed, as that of the command's program.
  ProgramEnd program_end(int wait_status) const;

 private:
  ConfinementRules rules_;
  SandboxMeans means_;
  std::string protection_;
  FolderOwner owner_;
};

}  // namespace fastgpu::exec
