#include "runtime/exec/warden/child/launch.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "runtime/exec/channel/shared_memory.hpp"

namespace fastgpu::exec {
namespace {

constexpr rlim_t files_open_max = 65536;
constexpr int first_inherited_too_many = 3;
constexpr int exit_not_started = 127;
constexpr char shell[] = "/bin/sh";
constexpr mode_t no_writing_by_others = 022;

rlim_t allowed_now(__rlimit_resource_t resource) {
  rlimit now{};
  getrlimit(resource, &now);
  return now.rlim_max;
}

/// What this process may give at most; it does not change.
struct Allowed {
  rlim_t core = allowed_now(RLIMIT_CORE);
  rlim_t files = allowed_now(RLIMIT_NOFILE);
  rlim_t processes = allowed_now(RLIMIT_NPROC);
  rlim_t file_bytes = allowed_now(RLIMIT_FSIZE);
  rlim_t real_time = allowed_now(RLIMIT_RTTIME);
};
const Allowed& allowed_here() {
  static const Allowed allowed;
  return allowed;
}

/// All that the child needs, made before it exists: it may not allocate.
struct Plan {
  const Launch* launch;
  const Allowed* allowed;
  std::vector<char*> words;
  std::vector<char*> shell_words;  ///< what runs the program as a script
  std::vector<char*> env;
  int report;
  pid_t warden;
};

/// What a child that could not begin writes into its pipe.
struct Report {
  LaunchStep step;
  int error;
};

[[noreturn]] void give_up(const Plan& plan, LaunchStep step) {
  const Report report{step, errno};
  [[maybe_unused]] const ssize_t written = write(plan.report, &report, sizeof report);
  _exit(exit_not_started);
}

/// Soft and hard; never above what is allowed already.
void limit(__rlimit_resource_t resource, rlim_t allowed, rlim_t value) {
  const rlimit both{std::min(allowed, value), std::min(allowed, value)};
  setrlimit(resource, &both);
}

void set_limits(const Launch& launch, const Allowed& allowed) {
  limit(RLIMIT_CORE, allowed.core, 0);
  limit(RLIMIT_NOFILE, allowed.files, files_open_max);
  if (launch.processes_max != 0)
    limit(RLIMIT_NPROC, allowed.processes, launch.processes_max);
  if (launch.file_bytes_max != 0)
    limit(RLIMIT_FSIZE, allowed.file_bytes, launch.file_bytes_max);
  limit(RLIMIT_RTTIME, allowed.real_time, to_limit(launch.mark));
}

/// By system calls: the library's functions would change all threads of the memory that the child
/// shares with the warden.
bool become(const FolderOwner& owner) {
  return syscall(SYS_setgroups, 0, nullptr) == 0 &&
         syscall(SYS_setresgid, owner.group, owner.group, owner.group) == 0 &&
         syscall(SYS_setresuid, owner.user, owner.user, owner.user) == 0;
}

/// In the child, which shares the warden's memory until it executes the program.
[[noreturn]] __attribute__((noinline)) void be_command(const Plan& plan) {
  const Launch& launch = *plan.launch;
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (dup2(launch.input, 0) < 0 || dup2(launch.output, 1) < 0 || dup2(launch.error, 2) < 0)
    give_up(plan, LaunchStep::process);
  // Every descriptor closes by itself when the program begins; this is for those of others.
  syscall(SYS_close_range, first_inherited_too_many, ~0U, CLOSE_RANGE_CLOEXEC);
  set_limits(launch, *plan.allowed);
  if (launch.become && !become(*launch.become))
    give_up(plan, LaunchStep::user);
  umask(no_writing_by_others);
  errno = EPERM;
  if (geteuid() == 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    give_up(plan, LaunchStep::user);
  // After the change of users, which would undo it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.warden)
    _exit(exit_not_started);
  if (chdir(launch.folder.c_str()) != 0)
    give_up(plan, LaunchStep::folder);
  // Takes the place of the control socket's copy, which nothing needs here.
  if (launch.keeper_report >= 0 && dup2(launch.keeper_report, keeper_report_fd) < 0)
    give_up(plan, LaunchStep::process);
  execve(launch.program.c_str(), plan.words.data(), plan.env.data());
  if (errno == ENOEXEC)  // a script without a first line that names its shell
    execve(shell, plan.shell_words.data(), plan.env.data());
  give_up(plan, LaunchStep::program);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const auto& text : texts)
    out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

/// While it lives, what is started is what the host's memory killer takes first, before any node.
/// The file stays open, for a child would have to look up its own.
class MemoryKillersChoice {
 public:
  MemoryKillersChoice() {
    own();  // reads it before it is changed
    set("500");
  }
  ~MemoryKillersChoice() {
    const int error = errno;  // of the start, which its caller reads
    set(own().c_str());
    errno = error;
  }
  MemoryKillersChoice(const MemoryKillersChoice&) = delete;
  MemoryKillersChoice& operator=(const MemoryKillersChoice&) = delete;

 private:
  static void set(const char* score) {
    static const FileDescriptor file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    [[maybe_unused]] const ssize_t written = pwrite(file.get(), score, std::strlen(score), 0);
  }
  static const std::string& own() {
    static const std::string score = read_process_file(getpid(), "oom_score_adj");
    return score;
  }
};

FoundProgram look_at(const std::string& path) {
  constexpr mode_t anybody_executes = S_IXUSR | S_IXGRP | S_IXOTH;
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0)
    return {"", errno};
  const bool good = S_ISREG(facts.st_mode) && (facts.st_mode & anybody_executes) != 0;
  return good ? FoundProgram{path, 0} : FoundProgram{"", EACCES};
}

std::string path_variable(const std::vector<std::string>& env) {
  for (const auto& variable : env)
    if (variable.starts_with("PATH="))
      return variable.substr(5);
  return "";
}

pid_t start(const Plan& plan) {
  const MemoryKillersChoice commands_first;
  const pid_t child = vfork();
  if (child == 0)
    be_command(plan);
  return child;
}

}  // namespace

Launched launch(const Launch& launch) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0)
    return {0, LaunchStep::process, errno};
  const FileDescriptor read_end(report[0]);
  FileDescriptor write_end(report[1]);
  Plan plan{&launch,   &allowed_here(), pointers(launch.words), {}, pointers(launch.env),
            report[1], getpid()};
  plan.shell_words = plan.words;
  plan.shell_words.front() = const_cast<char*>(launch.program.c_str());
  plan.shell_words.insert(plan.shell_words.begin(), const_cast<char*>(shell));
  const pid_t child = start(plan);
  if (child < 0)
    return {0, LaunchStep::process, errno};
  write_end.reset();
  Report failure{};
  if (read(read_end.get(), &failure, sizeof failure) != sizeof failure)
    return {child, LaunchStep::none, 0};
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {0, failure.step, failure.error};
}

FoundProgram find_program(const std::string& word, const std::vector<std::string>& env,
                          const std::string& folder) {
  const auto in_folder = [&](const std::string& path) {
    return !path.empty() && path.front() == '/' ? path : folder + "/" + path;
  };
  if (word.find('/') != std::string::npos)
    return look_at(in_folder(word));
  FoundProgram found{"", ENOENT};
  std::istringstream places(path_variable(env));
  for (std::string place; !word.empty() && std::getline(places, place, ':');) {
    const FoundProgram here = look_at(in_folder(place) + "/" + word);
    if (here.error == 0)
      return here;
    if (here.error == EACCES)  // as long as there is no better one
      found = here;
  }
  return found;
}

}  // namespace fastgpu::exec
