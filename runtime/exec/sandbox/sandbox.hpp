#pragma once

/// Walls around a program that is not ours: what it sees of this host, and what it can reach.
///
/// Place in the flow: whoever starts a user's command, or a compiler on a user's source, asks once
/// what this host can do (`probe_sandbox`), and puts the words of `sandboxed` in front of each
/// command. Calls without state, from any thread; `probe_sandbox` blocks up to its limit.
/// The walls are bubblewrap's: namespaces of its own for users, processes, IPC, host name, mounts
/// and, unless asked otherwise, the network; no capabilities; no new privileges.
/// Failures: a host on which bubblewrap is missing or cannot work is told as a sentence with its
/// remedy. Then `sandboxed` adds nothing, and what is left is limits and a uid of its own
/// (process_limits.hpp, user_claim.hpp): `protection_of` says so in a word, for results and for
/// `doctor`. Limits: no wall against faults of the kernel or of a GPU's driver. Users who attack
/// each other need hosts of their own.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/exec/sandbox/process_limits.hpp"

namespace fastgpu::exec {

enum class SandboxMode : unsigned char {
  automatic,   ///< bubblewrap where it works, else without
  bubblewrap,  ///< whoever asks refuses to go on without it
  none,        ///< not even tried
};
/// "auto", "bubblewrap", "none"; nothing for any other word.
std::optional<SandboxMode> parse_sandbox_mode(std::string_view word);

/// What this host can do.
struct SandboxMeans {
  std::string bubblewrap;    ///< path of bwrap; empty: there is none that works
  std::string why_not;       ///< one sentence with its remedy; empty when all works
  bool cuts_network{false};  ///< a sandbox can be without the network
};

struct ProbeOptions {
  std::string program;  ///< path of bwrap; empty = looked for in the usual folders
  UnprivilegedUser user;
  std::chrono::milliseconds limit{5000};
};
/// Really starts a sandbox, as the user that commands run as, and looks at how it ends.
SandboxMeans probe_sandbox(SandboxMode mode, const ProbeOptions& options = {});

/// What one command may see and reach. Paths are absolute. A folder that the command's user cannot
/// reach on the host (search permission of its parents) cannot be bound: the command would not
/// start, and bubblewrap says why on standard error.
struct SandboxPolicy {
  struct Bind {
    std::string from;  ///< on the host
    std::string to;    ///< inside; made if missing
  };
  /// What of the host is seen, read-only. The default is all of it.
  std::vector<std::string> roots{"/"};
  /// Covered: an empty, read-only folder stands there, or an unreadable file. Keys, the node's
  /// data, other jobs. What is bound below reappears in it.
  std::vector<std::string> hidden;
  std::vector<Bind> read_only;
  std::vector<Bind> writable;        ///< the command's own folder
  std::vector<std::string> devices;  ///< "/dev/nvidia0": beside the harmless ones; may be missing
  std::string folder;                ///< where it starts; empty = where it was started
  bool network{false};               ///< it sees the host's network
  bool nested{false};                ///< it may make user namespaces of its own
  std::uint64_t tmp_bytes{1ull << 30};  ///< of /tmp, /var/tmp and /dev/shm each; all private, empty
  std::optional<uid_t> uid;             ///< as it sees itself; outside it is the user who starts it
  std::optional<gid_t> gid;
  std::string hostname;   ///< empty = the host's
  UnprivilegedUser user;  ///< who root becomes before the start, as with drop_root
};

/// The whole command: walls first, then `command`. Without bubblewrap, `command` as it is.
std::vector<std::string> sandboxed(const SandboxMeans& means, const SandboxPolicy& policy,
                                   const std::vector<std::string>& command);

struct Protection {
  std::string word;      ///< "bubblewrap", "uid only", "none"
  std::string sentence;  ///< what it means for a user, and how to get more
};
Protection protection_of(const SandboxMeans& means, bool started_as_root);

}  // namespace fastgpu::exec
