#include "runtime/exec/warden/process_table.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <sstream>

#include "runtime/exec/channel/shared_memory.hpp"

namespace fastgpu::exec {
namespace {

constexpr std::uint64_t mark_bit = std::uint64_t{1} << 62;
constexpr int command_bits = 24;

std::string read_whole(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char piece[4096];
  for (;;) {
    const ssize_t got = file ? read(file.get(), piece, sizeof piece) : 0;
    if (got <= 0)
      return text;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

/// The entries of a folder that are numbers, in its order.
std::vector<pid_t> numbers_in(const std::string& path) {
  std::vector<pid_t> numbers;
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(path.c_str()));
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr) {
    const long number = std::strtol(entry->d_name, nullptr, 10);
    if (number > 0)
      numbers.push_back(static_cast<pid_t>(number));
  }
  return numbers;
}

/// Of /proc/N/stat: what follows the last parenthesis.
struct StatLine {
  char state{};
  pid_t parent{};
  long threads{};
};
StatLine stat_of(pid_t process) {
  constexpr int words_between_parent_and_threads = 15;
  const std::string text = read_process_file(process, "stat");
  const std::size_t name_end = text.rfind(')');
  StatLine stat;
  if (name_end == std::string::npos)
    return stat;
  std::istringstream words(text.substr(name_end + 1));
  std::string skipped;
  words >> stat.state >> stat.parent;
  for (int i = 0; i < words_between_parent_and_threads; ++i)
    words >> skipped;
  words >> stat.threads;
  return stat;
}

/// A kernel may lack the list of children.
bool kernel_lists_children() {
  static const bool listed =
      access(("/proc/self/task/" + std::to_string(getpid()) + "/children").c_str(), R_OK) == 0;
  return listed;
}

std::uint64_t line_value_kib(const std::string& text, const char* name) {
  const std::size_t at = text.find(name);
  return at == std::string::npos
             ? 0
             : std::strtoull(text.c_str() + at + std::strlen(name), nullptr, 10);
}

}  // namespace

std::string read_process_file(pid_t process, const char* name) {
  return read_whole("/proc/" + std::to_string(process) + "/" + name);
}

std::uint64_t to_limit(ProcessMark mark) {
  return mark_bit | (std::uint64_t{mark.warden} << command_bits) |
         (mark.command & mark_command_max);
}

std::optional<ProcessMark> to_mark(std::uint64_t limit) {
  if (limit >> (32 + command_bits) != mark_bit >> (32 + command_bits))
    return std::nullopt;
  return ProcessMark{static_cast<std::uint32_t>(limit >> command_bits),
                     static_cast<std::uint32_t>(limit) & mark_command_max};
}

std::optional<ProcessMark> mark_of(pid_t process) {
  constexpr const char* name = "Max realtime timeout";
  const std::string text = read_process_file(process, "limits");
  const std::size_t line = text.find(name);
  if (line == std::string::npos)
    return std::nullopt;
  char* end = nullptr;
  std::strtoull(text.c_str() + line + std::strlen(name), &end, 10);  // the soft limit
  return to_mark(std::strtoull(end, nullptr, 10));
}

std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> children;
  if (!kernel_lists_children()) {
    for (const pid_t other : all_processes())
      if (stat_of(other).parent == process)
        children.push_back(other);
    return children;
  }
  const std::string tasks = "/proc/" + std::to_string(process) + "/task";
  for (const pid_t thread : numbers_in(tasks)) {
    const std::string text = read_whole(tasks + "/" + std::to_string(thread) + "/children");
    const char* at = text.c_str();
    char* end = nullptr;
    for (long child = std::strtol(at, &end, 10); child > 0; child = std::strtol(at, &end, 10)) {
      children.push_back(static_cast<pid_t>(child));
      at = end;
    }
  }
  return children;
}

std::vector<pid_t> tree_below(const std::vector<pid_t>& roots, std::size_t count_max) {
  std::vector<pid_t> tree = roots;
  std::set<pid_t> seen(roots.begin(), roots.end());
  for (std::size_t i = 0; i < tree.size() && tree.size() < count_max; ++i)
    for (const pid_t child : children_of(tree[i]))
      if (seen.insert(child).second)
        tree.push_back(child);
  return tree;
}

std::vector<pid_t> all_processes() {
  return numbers_in("/proc");
}

pid_t parent_of(pid_t process) {
  return stat_of(process).parent;
}

bool is_zombie(pid_t process) {
  // A program's first thread may be done while others go on.
  const StatLine stat = stat_of(process);
  return (stat.state == 'Z' || stat.state == 'X') && stat.threads <= 1;
}

std::uint64_t resident_bytes(pid_t process) {
  static const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::string text = read_process_file(process, "statm");
  char* end = nullptr;
  std::strtoull(text.c_str(), &end, 10);  // the size
  return std::strtoull(end, nullptr, 10) * page_bytes;
}

std::optional<std::uint64_t> proportional_bytes(pid_t process) {
  const std::string text = read_process_file(process, "smaps_rollup");
  if (text.empty())
    return std::nullopt;
  return line_value_kib(text, "\nPss:") * 1024;
}

bool signal_process(pid_t process, int signal, const std::function<bool()>& still_wanted) {
  const FileDescriptor held(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  if (!held || !still_wanted())
    return false;
  return syscall(SYS_pidfd_send_signal, held.get(), signal, nullptr, 0) == 0;
}

}  // namespace fastgpu::exec
