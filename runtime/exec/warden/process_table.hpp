#pragma once

/// What /proc says about processes, and how ours are told from all others.
///
/// Place in the flow: the warden finds and measures the processes of a command with it, a later
/// life of the node those that an earlier warden left.
/// A command's processes carry a mark that they keep whatever they do in good faith: forking twice,
/// a session of their own, an emptied environment. It is the hard limit of RLIMIT_RTTIME, which is
/// inherited, can be lowered but not raised, means nothing to a program without real-time priority
/// and is readable by everybody. The value 2^62 + (warden's number << 24) + command's number is no
/// limit in effect: 146,000 years.
/// Failures: a process that is gone or unreadable has no children, no mark, no memory.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fastgpu::exec {

struct ProcessMark {
  std::uint32_t warden{};   ///< the same for all wardens of one data folder
  std::uint32_t command{};  ///< 24 bits, counts the commands of one warden
  bool operator==(const ProcessMark&) const = default;
};
inline constexpr std::uint32_t mark_command_max = (1u << 24) - 1;

/// So many are killed at once, before they could start many more. Of a larger tree all are stopped
/// first: while it grows as it is hunted, each that ends makes room for another under its user's
/// limit of processes, and one that is stopped keeps its place.
inline constexpr std::size_t few_processes = 32;

std::uint64_t to_limit(ProcessMark mark);
std::optional<ProcessMark> to_mark(std::uint64_t limit);
std::optional<ProcessMark> mark_of(pid_t process);

/// All children, of all threads; a zombie is one, too.
std::vector<pid_t> children_of(pid_t process);
/// The roots and all below them, parents first; at most `count_max`.
std::vector<pid_t> tree_below(const std::vector<pid_t>& roots, std::size_t count_max);
std::vector<pid_t> all_processes();
/// 0 if it is gone.
pid_t parent_of(pid_t process);
/// True for a process that only waits to be reaped.
bool is_zombie(pid_t process);

/// Resident memory; pages shared with other processes count in full.
std::uint64_t resident_bytes(pid_t process);
/// Resident memory, shared pages divided among their holders; nullopt where that is not readable.
std::optional<std::uint64_t> proportional_bytes(pid_t process);

/// Sends a signal if `still_wanted` says so once the process can no longer be mistaken for another
/// that got its number. True if it was sent.
bool signal_process(pid_t process, int signal, const std::function<bool()>& still_wanted);

/// A whole small file of /proc; empty if it cannot be read.
std::string read_process_file(pid_t process, const char* name);

}  // namespace fastgpu::exec
