#include "runtime/exec/warden/child/confinement.hpp"

#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fastgpu::exec {
namespace {

constexpr uid_t nobody = 65534;
constexpr int shell_signal_base = 128;  ///< a keeper reports a signal as this and the signal
constexpr int signal_last = 64;

FolderOwner owner_of_commands(uid_t user) {
  if (geteuid() != 0)
    return {geteuid(), getegid()};
  const passwd* entry = user != 0 ? getpwuid(user) : getpwnam("nobody");
  if (entry != nullptr && entry->pw_uid != 0)
    return {entry->pw_uid, entry->pw_gid != 0 ? entry->pw_gid : nobody};
  return {user != 0 ? user : nobody, user != 0 ? gid_t{user} : gid_t{nobody}};
}

}  // namespace

base::Result<Confinement> Confinement::choose(const std::string& mode, uid_t user) {
  Confinement chosen;
  chosen.owner_ = owner_of_commands(user);
  if (mode == "bubblewrap")
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::infeasible,
                       "commands cannot run under bubblewrap on this host", ""};
  chosen.protection_ = "no sandbox, user " + std::to_string(chosen.owner_.user);
  return chosen;
}

std::vector<std::string> Confinement::words(const RunMessage& task, const std::string&) const {
  return task.argv;
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
    return {-1, signal, false};
  return end;
}

}  // namespace fastgpu::exec
