#pragma once

/// A user id of this host for programs that are not ours, and for nobody else as long as it is
/// held.
///
/// Place in the flow: a node that is root claims one id for its kernels and one for the commands of
/// each device, when nothing of its earlier lives runs any more; each is handed to the executor or
/// the runner that starts programs under it. The kernel counts and limits processes by user over
/// all namespaces, and lets a user signal and read what is his: so what one device runs cannot take
/// the processes of another, nor reach them or their folders, also where there is no sandbox. A
/// node that is not root runs all as itself and claims nothing.
/// Rule: whoever holds an id has locked the byte of that number in one file of the host. The lock
/// belongs to the open file: a child that inherits it holds the id as well, and the kernel lets go
/// with the last of them, however they end. An id under which a process runs is not given out.
/// Calls without state, from any thread.
/// Failures: no file to lock, or no id that is free, is an error with its remedy.
/// Limits: containers that share a user namespace with others, but not /run or its processes, do
/// not see each other's claims; the wish, random for each cluster, makes one id for two unlikely,
/// and ranges of their own rule it out.

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/sandbox/process_limits.hpp"

namespace fastgpu::exec {

/// Ids of users that are given to nobody by name. The same numbers are used as ids of groups.
struct UserRange {
  std::uint32_t first{};
  std::uint32_t count{};
  bool operator==(const UserRange&) const = default;
};
/// Above accounts (1000-60000, by name services up to some 2,000,200,000), systemd's (60001-65519),
/// users of containers (100000-1,879,048,191); below systemd's foreign ones (from 2,147,352,576)
/// and what does not fit a signed number.
inline constexpr UserRange users_of_a_host{2'100'000'000, 65'536};
/// For a container to which only 65,536 ids are mapped: between systemd's homes and its services.
inline constexpr UserRange users_of_a_small_namespace{60'706, 478};

/// The range that fits the user namespace of this process.
UserRange default_users();
/// Whether programs can run under them here.
base::Status check_users(const UserRange& range);

class UserClaim {
 public:
  UserClaim(FileDescriptor lock, std::uint32_t id) : lock_(std::move(lock)), id_(id) {}
  UnprivilegedUser user() const { return {id_, id_}; }
  /// Whoever has it open holds the id.
  int lock() const { return lock_.get(); }

 private:
  FileDescriptor lock_;
  std::uint32_t id_;
};
/// None: this process is not root, and what it starts stays who it is.
using ClaimedUser = std::shared_ptr<const UserClaim>;

inline constexpr const char* claims_file = "/run/fastgpu-users.lock";

/// The first free id from the `wish`th of the range on, around its end.
base::Result<ClaimedUser> claim_user(const UserRange& range, std::uint32_t wish,
                                     const std::string& path = claims_file);

/// What $USER says to a command: an id that was claimed has no name on the host.
std::string user_name(const ClaimedUser& user);

}  // namespace fastgpu::exec
