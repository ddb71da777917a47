#pragma once

/// Immutable blobs of this node, each named by the SHA-256 of its bytes and kept once.
///
/// Place: inputs, outputs and compiled kernels of tasks; what is bigger than the inline limits of a
/// record. Owned by the objects actor (detached in production) and called on it only. Synchronous:
/// what returned success is durable, and survives a crash at any later point.
/// Failure: input that is wrong (hash, gap, size) gives a clear Error and changes nothing else; a
/// disk that fails to write, sync or rename aborts the process, since what is there is then
/// unknown. A full disk or quota is `overloaded` and surely not done; of the disk a reserve is kept
/// for the ledger's store, which must go on when objects are refused. Limits:
/// limits::object_bytes_max each, object_chunk_bytes per append, object_uploads_max at once,
/// object_read_bytes_max per read.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/objects/blob_folder.hpp"
#include "runtime/objects/packs/pack_book.hpp"
#include "runtime/objects/pins/pin_log.hpp"

namespace fastgpu::objects {

struct BlobStoreOptions {
  std::uint64_t capacity_bytes{UINT64_MAX};  ///< all blobs and uploads together
  std::uint64_t reserve_bytes{0};  ///< of the disk that objects leave free, for the ledger's store
  std::uint64_t packed_bytes_max{base::limits::packed_object_bytes_max};  ///< larger: own files
  std::size_t pin_entries_min{base::limits::pin_log_entries_min};
  std::uint64_t pack_bytes_full{base::limits::pack_bytes_full};
};

/// Names an intake: bytes on their way in whose hash is not known yet. Never reused in a life.
using IntakeId = base::Id<struct IntakeTag, std::uint64_t>;

struct BlobCounters {
  std::uint64_t blobs{};
  std::uint64_t bytes{};
  std::uint64_t uploads{};        ///< under way
  std::uint64_t uploads_bytes{};  ///< announced by those
  bool operator==(const BlobCounters&) const = default;
};

class BlobStore {
 public:
  /// Takes over what `folder` holds (outlives the store): blobs, pins, and parts of uploads, which
  /// can be resumed. FileFolder in production, MemoryFolder in simulation.
  static base::Result<std::unique_ptr<BlobStore>> open(BlobFolder& folder,
                                                       BlobStoreOptions options = {});

  bool has(const base::ObjectHash& hash) const { return blobs_.contains(hash) || packs_.has(hash); }
  base::Result<std::uint64_t> size(const base::ObjectHash& hash) const;
  /// Up to `length` bytes from `offset`; less at the end, none at the end itself.
  base::Result<base::Bytes> read(const base::ObjectHash& hash, std::uint64_t offset,
                                 std::uint64_t length) const;
  /// The blob's own file on the host, to share its blocks; empty if it has none.
  std::string file_of(const base::ObjectHash& hash) const;
  /// All blobs, pins: in the order of hashes.
  std::vector<base::ObjectHash> list() const;
  const PinLog& pins() const { return pins_; }
  bool is_pinned(const base::ObjectHash& hash) const { return pins_.is_pinned(hash); }
  std::uint64_t reserve_bytes() const { return options_.reserve_bytes; }
  /// Somebody asks for it: if nobody pins it, it should not go just now.
  void touch(const base::ObjectHash& hash) { touched_.insert(hash); }
  /// Blobs without a pin that came, were touched or lost their last pin since the last call.
  std::vector<base::ObjectHash> take_unpinned();
  /// Less is free than twice the reserve: what nobody pins should go.
  bool disk_is_tight() const;
  BlobCounters counters() const;

  /// Stores whole blobs, with as few syncs as the group allows. Those already here cost nothing. If
  /// any has a wrong hash or size, none is stored.
  base::Status put(std::span<const Blob> blobs);
  base::Status put(const base::ObjectHash& hash, base::Bytes data);

  /// Begins an upload in pieces, or finds the one under way. Gives the bytes already here: go on
  /// from there; equal to `size`: only `commit` is missing.
  base::Result<std::uint64_t> begin(const base::ObjectHash& hash, std::uint64_t size);
  /// `offset` must not leave a gap; bytes already here are skipped, so a repeated call is harmless.
  /// Gives the bytes now here. Nothing of it is durable before `commit`.
  base::Result<std::uint64_t> append(const base::ObjectHash& hash, std::uint64_t offset,
                                     std::span<const std::uint8_t> data);
  /// Checks the hash and makes the blob durable and visible; drops the upload if the hash is wrong.
  /// A blob that is already here is success.
  base::Status commit(const base::ObjectHash& hash);
  /// Drops an upload and its bytes.
  void abandon(const base::ObjectHash& hash);
  /// Uploads that have got nothing since the last call are under way no more: their senders may
  /// never come back. What is here of them stays while there is room, and `begin` goes on from it.
  void set_idle_uploads_aside();

  /// Begins to take bytes of this node whose hash is not known: an output, piece by piece.
  IntakeId begin_intake();
  base::Status append(IntakeId intake, std::span<const std::uint8_t> data);
  /// Makes what was appended a blob, durable and visible, and tells its name.
  base::Result<base::ObjectHash> finish(IntakeId intake);
  void abandon(IntakeId intake);

  /// Durable claims on blobs that are here; all or none. Pinning again is success. `home`: as
  /// PinLog::add has it.
  base::Status pin(std::span<const base::ObjectHash> hashes, const PinOwner& owner,
                   base::NodeId home = {});
  base::Status pin(const base::ObjectHash& hash, const PinOwner& owner) {
    return pin({&hash, 1}, owner);
  }
  /// Lets go of all that these have pinned; gives the blobs that nobody pins any more.
  std::vector<base::ObjectHash> unpin(std::span<const PinOwner> owners);
  /// Refused (`conflict`) while pinned; a blob that is not here is success. All or none.
  base::Status remove(std::span<const base::ObjectHash> hashes);
  base::Status remove(const base::ObjectHash& hash) { return remove({&hash, 1}); }

 private:
  struct Upload {
    std::uint64_t size{};
    std::uint64_t received{};
    base::Sha256 running;  ///< over the received bytes, so that commit need not read them again
    bool grew{true};       ///< since idle ones were set aside
  };

  BlobStore(BlobFolder& folder, BlobStoreOptions options)
      : folder_(folder),
        options_(options),
        packs_(folder, options.pack_bytes_full),
        pins_(folder, options.pin_entries_min) {}
  base::Status load();
  /// Drops uploads that nobody came back for, as far as `bytes` need it.
  base::Status make_room(std::uint64_t bytes);
  base::Error full(std::uint64_t bytes) const;
  /// False if there is no room; the file is as it was.
  bool adopt(const std::string& file, const base::ObjectHash& hash, std::uint64_t bytes);
  bool store_files(std::span<const Blob> blobs);
  base::Result<Upload> resume(const base::ObjectHash& hash, std::uint64_t size);

  BlobFolder& folder_;
  const BlobStoreOptions options_;
  PackBook packs_;  ///< small blobs
  std::map<base::ObjectHash, std::uint64_t>
      blobs_;  ///< those with a file of their own; their sizes
  std::uint64_t blobs_bytes_{0};
  std::map<base::ObjectHash, Upload> uploads_;
  std::uint64_t uploads_bytes_{0};                       ///< announced sizes
  std::map<base::ObjectHash, std::uint64_t> unclaimed_;  ///< begun, not under way: what is here
  std::uint64_t unclaimed_bytes_{0};
  std::map<IntakeId, Upload> intakes_;
  std::uint64_t intakes_bytes_{0};  ///< received by those
  IntakeId last_intake_;
  PinLog pins_;
  std::set<base::ObjectHash> touched_;
};

}  // namespace fastgpu::objects
