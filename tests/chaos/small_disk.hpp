#pragma once

/// A file system that can be filled: a tmpfs of this process's mount namespace, so that it is gone
/// with it. Where it cannot be mounted, `why_not` says so.

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

namespace fastgpu::chaos {

class SmallDisk {
 public:
  static constexpr std::uint64_t size_bytes = 256u << 20;  ///< an eighth of it is a node's reserve

  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
    const std::string options = "mode=0711,size=" + std::to_string(size_bytes);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
    why_not_ = mounted_ ? "" : std::strerror(errno);
    if (!mounted_) {
      std::filesystem::remove(path_);
    }
  }
  ~SmallDisk() {
    if (mounted_) {
      ::umount2(path_.c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& why_not() const { return why_not_; }
  /// Somebody else's file leaves so much free.
  bool fill(std::uint64_t left_bytes) const {
    const int file = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const std::uint64_t free = std::filesystem::space(path_).available;
    const bool filled =
        file >= 0 && (free <= left_bytes ||
                      ::posix_fallocate(file, 0, static_cast<off_t>(free - left_bytes)) == 0);
    ::close(file);
    return filled;
  }
  void make_room() const { std::filesystem::remove(ballast()); }

 private:
  std::string ballast() const { return path_ + "/ballast"; }

  const std::string path_;
  bool mounted_{false};
  std::string why_not_;
};

}  // namespace fastgpu::chaos
