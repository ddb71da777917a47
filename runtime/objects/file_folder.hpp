#pragma once

/// The BlobFolder on a real file system: one folder of this node, owned by its BlobStore's actor.
/// `open` fails with an Error; afterwards as told in BlobFolder.

#include <memory>
#include <set>
#include <string>

#include "runtime/objects/blob_folder.hpp"

namespace fastgpu::objects {

class FileFolder final : public BlobFolder {
 public:
  /// Makes `path` if it is not there, readable by its owner only.
  static base::Result<std::unique_ptr<FileFolder>> open(std::string path);

  base::Result<std::vector<FileEntry>> list() const override;
  base::Result<base::Bytes> read(std::string_view name, std::uint64_t offset,
                                 std::uint64_t length) const override;
  bool write(std::string_view name, std::uint64_t offset,
             std::span<const std::uint8_t> data) override;
  std::string host_path(std::string_view name) const override { return full(name); }
  std::uint64_t bytes_free() const override;
  void sync_file(std::string_view name) override;
  void rename(std::string_view from, std::string_view to) override;
  void remove(std::string_view name) override;
  void sync_folder(std::string_view folder) override;

 private:
  explicit FileFolder(std::string path) : path_(std::move(path)) {}
  std::string full(std::string_view name) const;
  [[nodiscard]] bool make_folder_of(std::string_view name);  ///< false: no room

  const std::string path_;
  std::set<std::string, std::less<>> folders_;      ///< known to be there
  std::set<std::string, std::less<>> new_folders_;  ///< of those: whose names are not yet synced
};

}  // namespace fastgpu::objects
