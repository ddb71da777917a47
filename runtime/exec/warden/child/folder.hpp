#pragma once

/// The job folder on the warden's side: given to the command's user, and measured while it runs.
///
/// Place in the flow: give_folder() before the command starts, a FolderMeter in the warden's loop,
/// read_error_file() at the end. The command may change the folder at any time and is not trusted:
/// nothing here follows a link out of it.
/// Limits: a measurement goes on in steps, so that a million files do not keep the warden from its
/// deadlines; what is deeper than 4096 bytes of path is not counted.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace fastgpu::exec {

struct FolderOwner {
  uid_t user{};
  gid_t group{};
};

/// Checks that the folder is one. As root: gives it and all in it to the owner, except files with
/// several names, which belong to others, too.
base::Status give_folder(const std::string& folder, const FolderOwner& owner);

/// Counts the disk blocks below a folder.
class FolderMeter {
 public:
  FolderMeter() = default;
  explicit FolderMeter(std::string folder) : folder_(std::move(folder)) {}

  /// Looks at up to `entries_max` entries; true when a walk is complete and bytes() is new.
  bool step(std::size_t entries_max);
  std::uint64_t bytes() const { return bytes_; }  ///< of the last complete walk
  bool walking() const { return !folders_left_.empty(); }

 private:
  std::size_t count_folder(const std::string& path);

  std::string folder_;
  std::vector<std::string> folders_left_;
  std::uint64_t counted_{0};
  std::uint64_t bytes_{0};
};

/// True when the file system of the folder has no space left for its user.
bool disk_is_full(const std::string& folder);
/// The first line of a regular file in the folder that is owned by `user`; else empty.
std::string read_error_file(const std::string& folder, uid_t user);

}  // namespace fastgpu::exec
