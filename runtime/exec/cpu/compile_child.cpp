#include "runtime/exec/cpu/compile_child.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace fastgpu::exec {
namespace {

/// The executor died or lost patience: nobody of this group may go on.
extern "C" void end_group(int) {
  ::kill(0, SIGKILL);
}

/// Index of the first word of the program; 0 if the words make no plan.
int parse(int count, char** words, CompileChildPlan& plan) {
  for (int i = 0; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const char* value = words[i + 1];
    if (name == "--")
      return i + 1;
    if (name == "--parent")
      plan.parent = std::strtol(value, nullptr, 10);
    else if (name == "--cpu-seconds")
      plan.limits.cpu_seconds = std::strtoull(value, nullptr, 10);
    else if (name == "--memory")
      plan.limits.address_space_bytes = std::strtoull(value, nullptr, 10);
    else if (name == "--file-bytes")
      plan.limits.file_bytes = std::strtoull(value, nullptr, 10);
    else if (name == "--open-files")
      plan.limits.open_files = std::strtoull(value, nullptr, 10);
    else if (name == "--confined")
      plan.confined = std::string_view(value) == "yes";
    else if (name == "--readable")
      plan.files.readable.emplace_back(value);
    else if (name == "--writable")
      plan.files.writable.emplace_back(value);
    else
      return 0;
  }
  return 0;
}

int fail(const char* what, const char* why) {
  std::fprintf(stderr, "%s: %s\n", what, why);
  return compile_child_failed;
}

[[noreturn]] void become(const ProcessLimits& limits, char** program) {
  if (const int error = set_limits(limits); error != 0)
    _exit(fail("cannot limit the compiler", std::strerror(error)));
  execv(program[0], program);
  _exit(fail(program[0], std::strerror(errno)));
}

}  // namespace

std::vector<std::string> words_of(const CompileChildPlan& plan) {
  std::vector<std::string> words;
  const auto add = [&words](const char* name, std::string value) {
    words.emplace_back(name);
    words.push_back(std::move(value));
  };
  add("--parent", std::to_string(plan.parent));
  add("--cpu-seconds", std::to_string(plan.limits.cpu_seconds));
  add("--memory", std::to_string(plan.limits.address_space_bytes));
  add("--file-bytes", std::to_string(plan.limits.file_bytes));
  add("--open-files", std::to_string(plan.limits.open_files));
  add("--confined", plan.confined ? "yes" : "no");
  for (const auto& path : plan.files.readable)
    add("--readable", path);
  for (const auto& path : plan.files.writable)
    add("--writable", path);
  words.emplace_back("--");
  return words;
}

int compile_child_main(int count, char** words) {
  CompileChildPlan plan;
  const int program = parse(count, words, plan);
  if (program == 0)
    return fail("fastgpu-executor --compile-child", "is started by the executor, not by hand");
  struct sigaction action {};
  action.sa_handler = end_group;
  sigaction(SIGTERM, &action, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != plan.parent)
    return fail("the executor", "it died before its compiler started");
  if (plan.confined) {
    const base::Status confined = confine(plan.files);
    if (!confined.ok())
      return fail("cannot confine the compiler", confined.error().message.c_str());
  }
  const pid_t pid = fork();
  if (pid == 0)
    become(plan.limits, words + program);
  if (pid < 0)
    return fail("cannot start the compiler", std::strerror(errno));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace fastgpu::exec
