#pragma once

/// The in-memory twin of FileFolder, for simulation: a disk that forgets what was not synced.
///
/// Owned by the harness, per simulated node; it outlives the node's lives. One thread. `crash`
/// plays a power cut: of each unsynced name and each unsynced byte, what is left is drawn, in the
/// ways file systems are known for: old or new name; a prefix of the new bytes, perhaps filled up
/// with zeros.

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "runtime/base/random.hpp"
#include "runtime/objects/blob_folder.hpp"

namespace fastgpu::objects {

class MemoryFolder final : public BlobFolder {
 public:
  base::Result<std::vector<FileEntry>> list() const override;
  base::Result<base::Bytes> read(std::string_view name, std::uint64_t offset,
                                 std::uint64_t length) const override;
  bool write(std::string_view name, std::uint64_t offset,
             std::span<const std::uint8_t> data) override;
  std::string host_path(std::string_view) const override { return {}; }
  std::uint64_t bytes_free() const override {
    return capacity_bytes_ - std::min(capacity_bytes_, bytes_used());
  }
  void sync_file(std::string_view name) override;
  void rename(std::string_view from, std::string_view to) override;
  void remove(std::string_view name) override;
  void sync_folder(std::string_view folder) override;

  void crash(base::Random& random);
  /// From now on writes that need more than this in all find the disk full.
  void set_capacity(std::uint64_t bytes) { capacity_bytes_ = bytes; }
  /// Changes a byte behind everybody's back.
  void damage(std::string_view name, std::uint64_t offset);

 private:
  using Data = std::vector<std::uint8_t>;
  struct File {
    Data now;
    Data durable;
  };
  using Names = std::map<std::string, std::shared_ptr<File>, std::less<>>;

  std::uint64_t bytes_used() const;
  static void settle(File& file, base::Random& random);

  Names names_;
  Names durable_names_;
  std::uint64_t capacity_bytes_{UINT64_MAX};
};

}  // namespace fastgpu::objects
