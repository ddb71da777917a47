#pragma once

/// Small blobs, many in one file, so that a group of them costs one write and one sync.
///
/// Beneath BlobStore, which checks hashes and decides what is small. Blobs are added to the end of
/// the newest pack until that is full; the index is in memory only and read from the packs at the
/// start. A removal is an entry, too; a pack that is mostly dead is rewritten into the newest and
/// deleted. A blob that was removed may come back after a crash in the middle of that: it is what
/// its name says, and is removed again.
/// Failure as BlobFolder tells it: `append` is false for a full disk; other failures to change the
/// disk abort. An entry that does not check at the start ends its pack:
/// the newest one's torn end is cut off, an older one's is counted as damage.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/objects/blob_folder.hpp"

namespace fastgpu::objects {

struct Blob {
  base::ObjectHash hash;
  base::Bytes data;
};

class PackBook {
 public:
  /// A pack of `bytes_full` or more is followed by the next.
  PackBook(BlobFolder& folder, std::uint64_t bytes_full)
      : folder_(folder), bytes_full_(bytes_full) {}

  /// Reads the packs among `entries`, a listing of the folder.
  base::Status load(std::span<const FileEntry> entries);

  bool has(const base::ObjectHash& hash) const { return places_.contains(hash); }
  std::optional<std::uint64_t> size(const base::ObjectHash& hash) const;
  /// Of a blob that is here; `offset` and `length` lie within it.
  base::Result<base::Bytes> read(const base::ObjectHash& hash, std::uint64_t offset,
                                 std::uint64_t length) const;
  std::vector<base::ObjectHash> list() const;
  std::uint64_t blobs() const { return places_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t packs() const { return packs_.size(); }
  std::uint64_t damaged() const { return damaged_; }

  /// Blobs that are not here, each once. Durable when true; when false some of them, or none.
  [[nodiscard]] bool append(std::span<const Blob> blobs);
  /// Durable. Of what is not here nothing is changed.
  void remove(std::span<const base::ObjectHash> hashes);

 private:
  struct Pack {
    std::uint64_t bytes{};       ///< of the file, as far as it checks
    std::uint64_t live_bytes{};  ///< of blobs' entries that are still meant
    std::uint64_t removal_bytes{};
  };
  struct Place {
    std::uint64_t pack{};
    std::uint64_t offset{};  ///< of the data
    std::uint32_t length{};
  };

  base::Status read_pack(std::uint64_t number, std::uint64_t file_bytes, bool newest);
  void note(const base::ObjectHash& hash, const Place& place);
  void forget(const base::ObjectHash& hash);
  /// Adds bytes that are whole entries to the newest pack, and tells their offset there.
  std::optional<std::uint64_t> add(std::span<const std::uint8_t> entries);
  void compact_dead();
  bool is_dead(std::uint64_t number, const Pack& pack) const;
  [[nodiscard]] bool compact(std::uint64_t number);

  BlobFolder& folder_;
  const std::uint64_t bytes_full_;
  std::map<base::ObjectHash, Place> places_;
  std::map<std::uint64_t, Pack> packs_;
  std::uint64_t bytes_{0};  ///< of the blobs
  std::uint64_t damaged_{0};
};

}  // namespace fastgpu::objects
