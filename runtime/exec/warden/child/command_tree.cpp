#include "runtime/exec/warden/child/command_tree.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/warden/leftovers.hpp"

namespace fastgpu::exec {
namespace {

constexpr std::size_t processes_looked_at_max = 65536;
constexpr int stop_rounds_max = 8;

/// The number of the command that the environment names for this marker; nullopt if it names none.
std::optional<std::uint32_t> command_in_environment(pid_t process, const std::string& marker) {
  const std::string name = std::string(marker_variable) + "=" + marker + ".";
  const std::string env = read_process_file(process, "environ");
  const std::size_t at = env.find(name);
  if (at == std::string::npos)
    return std::nullopt;
  return static_cast<std::uint32_t>(std::strtoul(env.c_str() + at + name.size(), nullptr, 10));
}

/// Of this process's only thread. The list is kept open: it is read at the end of each command.
std::vector<pid_t> own_children() {
  static const FileDescriptor list(open(
      ("/proc/self/task/" + std::to_string(getpid()) + "/children").c_str(), O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t got = list ? pread(list.get(), text, sizeof text - 1, 0) : -1;
  // A long list, or a kernel without it.
  if (got < 0 || got == sizeof text - 1)
    return children_of(getpid());
  text[got] = '\0';
  std::vector<pid_t> children;
  char* at = text;
  for (long child = std::strtol(at, &at, 10); child > 0; child = std::strtol(at, &at, 10))
    children.push_back(static_cast<pid_t>(child));
  return children;
}

bool contains(const std::vector<pid_t>& list, pid_t process) {
  return std::find(list.begin(), list.end(), process) != list.end();
}

}  // namespace

bool CommandTree::owns_orphan(pid_t child) const {
  const auto mark = mark_of(child);
  if (mark && mark->warden == mark_.warden)
    return mark->command == mark_.command;
  if (const auto command = command_in_environment(child, marker_))
    return *command == mark_.command;
  return true;
}

std::vector<pid_t> CommandTree::roots(const std::vector<pid_t>& orphans) const {
  std::vector<pid_t> roots;
  if (program_ != 0)
    roots.push_back(program_);
  for (const pid_t orphan : orphans)
    if (owns_orphan(orphan))
      roots.push_back(orphan);
  return roots;
}

std::vector<pid_t> CommandTree::processes(const std::vector<pid_t>& orphans) const {
  return tree_below(roots(orphans), processes_looked_at_max);
}

void CommandTree::ask(const std::vector<pid_t>& orphans, bool spare_program) const {
  const std::vector<pid_t> top = roots(orphans);
  const std::vector<pid_t> all = tree_below(top, processes_looked_at_max);
  const std::size_t spared = spare_program && program_ != 0 ? 1 : 0;  // it is the first
  signal(SIGTERM, {all.begin() + static_cast<std::ptrdiff_t>(spared), all.end()},
         top.size() - spared);
}

void CommandTree::end(const std::vector<pid_t>& orphans) const {
  const std::vector<pid_t> top = roots(orphans);
  std::vector<pid_t> all = tree_below(top, processes_looked_at_max);
  std::set<pid_t> seen;
  for (int round = 0; all.size() > few_processes && round < stop_rounds_max; ++round) {
    const std::size_t before = seen.size();
    seen.insert(all.begin(), all.end());
    if (seen.size() == before)
      break;  // whoever is stopped starts no more
    signal(SIGSTOP, all, top.size());
    all = tree_below(top, processes_looked_at_max);
  }
  signal(SIGKILL, all, top.size());
}

void CommandTree::signal(int signal, const std::vector<pid_t>& tree, std::size_t top) const {
  const std::set<pid_t> all(tree.begin(), tree.end());
  // Its own children are the warden's to reap, so their numbers are theirs. One further down may
  // have been reaped by its parent meanwhile, and its number given to a stranger.
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const pid_t process = tree[i];
    if (i < top)
      kill(process, signal);
    else
      signal_process(process, signal, [&] {
        const auto mark = mark_of(process);
        return (mark && *mark == mark_) || all.contains(parent_of(process));
      });
  }
}

std::uint64_t CommandTree::memory_bytes(const std::vector<pid_t>& orphans,
                                        std::uint64_t limit) const {
  const std::vector<pid_t> all = processes(orphans);
  std::uint64_t resident = 0;
  for (const pid_t process : all)
    resident += resident_bytes(process);
  if (limit == 0 || resident <= limit || all.size() == 1)
    return resident;
  std::uint64_t shared_once = 0;
  for (const pid_t process : all)
    shared_once += proportional_bytes(process).value_or(resident_bytes(process));
  return shared_once;
}

std::uint64_t CommandTree::device_memory_bytes(const std::vector<pid_t>& orphans,
                                               const std::vector<GpuProcess>& use) const {
  const std::vector<pid_t> all = processes(orphans);
  std::uint64_t bytes = 0;
  for (const GpuProcess& one : use)
    if (contains(all, one.process))
      bytes += one.memory_bytes.value_or(0);
  return bytes;
}

bool CommandTree::gone(const std::vector<pid_t>& orphans) const {
  return program_ == 0 && std::none_of(orphans.begin(), orphans.end(),
                                       [this](pid_t orphan) { return owns_orphan(orphan); });
}

std::vector<pid_t> own_orphans(const std::vector<pid_t>& programs) {
  std::vector<pid_t> orphans = own_children();
  std::erase_if(orphans, [&](pid_t child) { return contains(programs, child); });
  return orphans;
}

}  // namespace fastgpu::exec
