#include "runtime/exec/warden/child/confinement.hpp"

#include <sys/wait.h>
#include <unistd.h>

namespace fastgpu::exec {
namespace {

constexpr int shell_signal_base = 128;  ///< a keeper reports a signal as this and the signal
constexpr int signal_last = 64;

FolderOwner owner_of_commands(uid_t user) {
  return geteuid() != 0 ? FolderOwner{geteuid(), getegid()} : FolderOwner{user, user};
}

}  // namespace

base::Result<Confinement> Confinement::choose(const ConfinementRules& rules) {
  const auto mode = parse_sandbox_mode(rules.mode);
  if (!mode)
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                       "no such sandbox mode: '" + rules.mode + "'",
                       "use auto, bubblewrap or none"};
  if (geteuid() == 0 && rules.user == 0)
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                       "a warden that is root needs a user for its commands", ""};
  Confinement chosen;
  chosen.rules_ = rules;
  chosen.owner_ = owner_of_commands(rules.user);
  ProbeOptions probe;
  probe.user = {chosen.owner_.user, chosen.owner_.group};
  chosen.means_ = probe_sandbox(*mode, probe);
  if (mode == SandboxMode::bubblewrap && !chosen.has_keeper())
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::infeasible,
                       chosen.means_.why_not, ""};
  chosen.protection_ = protection_of(chosen.means_, geteuid() == 0).word;
  return chosen;
}

std::vector<std::string> Confinement::words(const RunMessage& task) const {
  if (!has_keeper())
    return task.argv;
  SandboxPolicy policy;
  policy.hidden = task.hidden_folders;
  policy.writable.push_back({task.folder, task.folder});
  for (const auto& folder : rules_.writable_folders)
    policy.writable.push_back({folder, folder});
  policy.devices = task.device_files;
  policy.folder = start_of(task);
  policy.network = task.network;
  policy.tmp_bytes = rules_.tmp_bytes;
  policy.user = {owner_.user, owner_.group};
  if (geteuid() == 0) {
    // The host has no name for its user, which some programs ask for.
    policy.uid = UnprivilegedUser{}.uid;
    policy.gid = UnprivilegedUser{}.gid;
  }
  return sandboxed(means_, policy, task.argv);
}

ProgramEnd Confinement::program_end(int wait_status) const {
  ProgramEnd end;
  if (WIFSIGNALED(wait_status)) {
    end.signal = WTERMSIG(wait_status);
    return end;
  }
  end.exit_code = WEXITSTATUS(wait_status);
  const int signal = end.exit_code - shell_signal_base;
  if (has_keeper() && signal > 0 && signal <= signal_last)
    return {-1, signal, false, false};
  return end;
}

}  // namespace fastgpu::exec
