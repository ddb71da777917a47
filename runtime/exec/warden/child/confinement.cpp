#include "runtime/exec/warden/child/confinement.hpp"

#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/exec/warden/child/launch.hpp"

namespace fastgpu::exec {
namespace {

constexpr int shell_signal_base = 128;  ///< a keeper reports a signal as this and the signal
constexpr int signal_last = 64;

FolderOwner owner_of_commands(uid_t user) {
  if (geteuid() != 0)
    return {geteuid(), getegid()};
  const UnprivilegedUser nobody;
  if (user == 0)
    return {nobody.uid, nobody.gid};
  const passwd* entry = getpwuid(user);
  const bool has_group = entry != nullptr && entry->pw_gid != 0;
  return {user, has_group ? entry->pw_gid : nobody.gid};
}

}  // namespace

base::Result<Confinement> Confinement::choose(const ConfinementRules& rules) {
  const auto mode = parse_sandbox_mode(rules.mode);
  if (!mode)
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                       "no such sandbox mode: '" + rules.mode + "'",
                       "use auto, bubblewrap or none"};
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
  std::vector<std::string> words = sandboxed(means_, policy, task.argv);
  const std::string report[] = {"--json-status-fd", std::to_string(keeper_report_fd)};
  words.insert(words.begin() + 1, std::begin(report), std::end(report));
  return words;
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

bool keeper_saw_end(const std::string& report) {
  return report.find("\"exit-code\"") != std::string::npos;
}

}  // namespace fastgpu::exec
