#pragma once

/// The in-memory twin of FileJobs, for simulation. Owned by the harness, per simulated node, and
/// outlives the node's lives, as a disk does. One thread.

#include <map>
#include <string>

#include "runtime/objects/jobs/job_disk.hpp"

namespace fastgpu::objects {

class MemoryJobs final : public JobDisk {
 public:
  base::Status make(const std::string& folder) override;
  base::Status make_folder(const std::string& folder, const std::string& path) override;
  base::Status make_file(const std::string& folder, const std::string& path,
                         bool executable) override;
  base::Status append(const std::string& folder, const std::string& path,
                      std::span<const std::uint8_t> data) override;
  bool clone(const std::string&, const std::string&, const std::string&) override { return false; }
  base::Result<JobFileInfo> info(const std::string& folder, const std::string& path) override;
  base::Result<base::Bytes> read(const std::string& folder, const std::string& path,
                                 std::uint64_t offset, std::uint64_t length) override;
  base::Result<std::vector<std::string>> names(const std::string& folder, const std::string& path,
                                               std::size_t names_max) override;
  void drop(const std::string& folder) override;
  void drop_all() override;
  bool sweep(std::size_t entries_max) override;
  std::string host_path(const std::string& folder) const override { return "/jobs/" + folder; }
  std::uint64_t bytes_free() const override;

  // --- for the harness ---------------------------------------------------------------------------
  /// What a simulated command does: writes a file, with the folders above it.
  void write(const std::string& folder, const std::string& path, std::string_view text,
             bool executable = false);
  /// Something that is neither file nor folder.
  void link(const std::string& folder, const std::string& path);
  /// From now on a file that needs more than this in all finds the disk full.
  void set_capacity(std::uint64_t bytes) { capacity_bytes_ = bytes; }
  /// Job folders and what is in them; dropped things that are not swept yet do not count.
  std::size_t entries() const { return entries_.size(); }

 private:
  struct Entry {
    JobFileKind kind{JobFileKind::file};
    bool executable{false};
    std::vector<std::uint8_t> data;
  };

  base::Status add(const std::string& path, JobFileKind kind, bool executable);
  base::Result<Entry*> find(const std::string& folder, const std::string& path);
  std::uint64_t bytes_used() const;

  std::map<std::string, Entry> entries_;  ///< by "folder/path"
  std::size_t dropped_{0};                ///< entries that `sweep` still has to remove
  std::uint64_t capacity_bytes_{UINT64_MAX};
};

}  // namespace fastgpu::objects
