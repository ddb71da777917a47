#pragma once

/// The few file operations that BlobStore needs, so that it is the same code over a real folder
/// (FileFolder) and over one in memory that forgets what was not synced (MemoryFolder).
///
/// Owned and called as the BlobStore. Names are relative, "folder/file", one level; folders come
/// into being with their first file. Semantics are those of a POSIX file system: contents are
/// durable after `sync_file`, a name (made, renamed, removed) after `sync_folder`.
/// Failure: writing tells `false` for a full disk, having done nothing that counts; any other
/// failure of a change aborts the process. Reading gives an Error.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::objects {

struct FileEntry {
  std::string name;  ///< "folder/file"
  std::uint64_t size_bytes{};
  bool operator==(const FileEntry&) const = default;
};

class BlobFolder {
 public:
  virtual ~BlobFolder() = default;
  /// All files, in the order of names.
  virtual base::Result<std::vector<FileEntry>> list() const = 0;
  virtual base::Result<base::Bytes> read(std::string_view name, std::uint64_t offset,
                                         std::uint64_t length) const = 0;
  /// Writes at `offset`, making the file if needed; what lay after the written bytes is cut off.
  /// False: no room on the disk.
  [[nodiscard]] virtual bool write(std::string_view name, std::uint64_t offset,
                                   std::span<const std::uint8_t> data) = 0;
  /// Where the host has this file, for sharing its blocks; empty where there is no such place.
  virtual std::string host_path(std::string_view name) const = 0;
  /// What may still be written to the disk.
  virtual std::uint64_t bytes_free() const = 0;
  virtual void sync_file(std::string_view name) = 0;
  virtual void rename(std::string_view from, std::string_view to) = 0;
  /// A name that is not there is no failure.
  virtual void remove(std::string_view name) = 0;
  /// Makes the names in `folder` durable as they are now, and the folder itself.
  virtual void sync_folder(std::string_view folder) = 0;
};

}  // namespace fastgpu::objects
