#include "runtime/objects/blob_store.hpp"

#include <algorithm>
#include <set>

#include "runtime/base/limits.hpp"
#include "runtime/objects/blob_errors.hpp"
#include "runtime/objects/blob_names.hpp"

namespace fastgpu::objects {

namespace limits = base::limits;

base::Result<std::unique_ptr<BlobStore>> BlobStore::open(BlobFolder& folder,
                                                         BlobStoreOptions options) {
  std::unique_ptr<BlobStore> store(new BlobStore(folder, options));
  if (auto status = store->load(); !status.ok()) {
    return status.error();
  }
  return store;
}

base::Status BlobStore::load() {
  const auto entries = folder_.list();
  if (!entries) {
    return entries.error();
  }
  for (const auto& entry : entries.value()) {
    const ParsedName name = parse_name(entry.name);
    if (name.folder == fresh_folder) {
      folder_.remove(entry.name);
    } else if (!name.hash) {
      continue;
    } else if (name.folder == upload_folder) {
      unclaimed_[*name.hash] = entry.size_bytes;
      unclaimed_bytes_ += entry.size_bytes;
    } else {
      blobs_[*name.hash] = entry.size_bytes;
      blobs_bytes_ += entry.size_bytes;
    }
  }
  if (auto status = packs_.load(entries.value()); !status.ok()) {
    return status;
  }
  if (auto status = pins_.load(entries.value()); !status.ok()) {
    return status;
  }
  for (const auto& hash : list()) {
    abandon(hash);  // a crash in the middle of a commit may leave both names
    touch(hash);
  }
  std::set<std::string> folders;
  for (const auto& [hash, bytes] : blobs_) {
    folders.insert(blob_folder_of(hash));
  }
  for (const auto& folder : folders) {
    folder_.sync_folder(folder);  // a process that died before its sync left names in memory only
  }
  return {};
}

base::Result<std::uint64_t> BlobStore::size(const base::ObjectHash& hash) const {
  if (const auto packed = packs_.size(hash)) {
    return *packed;
  }
  const auto found = blobs_.find(hash);
  if (found == blobs_.end()) {
    return missing(hash);
  }
  return found->second;
}

base::Result<base::Bytes> BlobStore::read(const base::ObjectHash& hash, std::uint64_t offset,
                                          std::uint64_t length) const {
  const auto found = size(hash);
  if (!found.ok()) {
    return found.error();
  }
  if (length > limits::object_read_bytes_max) {
    return too_large("a read", length, limits::object_read_bytes_max);
  }
  if (offset > found.value()) {
    return wrong("a read at " + std::to_string(offset) + " of an object of " +
                 std::to_string(found.value()) + " bytes");
  }
  const std::uint64_t wanted = std::min(length, found.value() - offset);
  auto data = packs_.has(hash) ? packs_.read(hash, offset, wanted)
                               : folder_.read(blob_name(hash), offset, wanted);
  if (data && data.value().size() != wanted) {
    return base::Error{base::ErrorKind::lost, base::ErrorCode::corrupt,
                       "object " + base::to_string(hash) + " is shorter than it was", ""};
  }
  return data;
}

std::string BlobStore::file_of(const base::ObjectHash& hash) const {
  return blobs_.contains(hash) ? folder_.host_path(blob_name(hash)) : std::string();
}

std::vector<base::ObjectHash> BlobStore::list() const {
  std::vector<base::ObjectHash> hashes = packs_.list();
  for (const auto& [hash, bytes] : blobs_) {
    hashes.push_back(hash);
  }
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

BlobCounters BlobStore::counters() const {
  return {blobs_.size() + packs_.blobs(), blobs_bytes_ + packs_.bytes(), uploads_.size(),
          uploads_bytes_};
}

base::Status BlobStore::put(const base::ObjectHash& hash, base::Bytes data) {
  const Blob blob{hash, std::move(data)};
  return put({&blob, 1});
}

base::Status BlobStore::put(std::span<const Blob> blobs) {
  std::vector<Blob> small;
  std::vector<Blob> large;
  std::set<base::ObjectHash> seen;
  std::uint64_t bytes = 0;
  for (const auto& blob : blobs) {
    if (auto status = check_name_and_size(blob.hash, blob.data.size()); !status.ok()) {
      return status;
    }
    if (const auto hash = base::sha256(blob.data.span()); hash != blob.hash) {
      return wrong("the bytes of object " + base::to_string(blob.hash) + " have the hash " +
                   base::to_string(hash));
    }
    if (!has(blob.hash) && seen.insert(blob.hash).second) {
      bytes += blob.data.size();
      (blob.data.size() <= options_.packed_bytes_max ? small : large).push_back(blob);
    }
  }
  if (auto status = make_room(bytes); !status.ok()) {
    return status;
  }
  if (!store_files(large) || !packs_.append(small)) {
    return full(bytes);
  }
  for (const auto& blob : blobs) {
    touch(blob.hash);
  }
  for (const auto& hash : seen) {
    abandon(hash);
  }
  return {};
}

bool BlobStore::store_files(std::span<const Blob> blobs) {
  for (const Blob& blob : blobs) {
    if (!folder_.write(fresh_name(blob.hash), 0, blob.data.span())) {
      for (const Blob& written : blobs) {
        folder_.remove(fresh_name(written.hash));
      }
      return false;
    }
  }
  for (const Blob& blob : blobs) {  // all are written before the first sync waits
    folder_.sync_file(fresh_name(blob.hash));
  }
  std::set<std::string> folders;
  for (const Blob& blob : blobs) {
    folder_.rename(fresh_name(blob.hash), blob_name(blob.hash));
    folders.insert(blob_folder_of(blob.hash));
  }
  for (const auto& folder : folders) {
    folder_.sync_folder(folder);
  }
  for (const Blob& blob : blobs) {
    blobs_[blob.hash] = blob.data.size();
    blobs_bytes_ += blob.data.size();
  }
  return true;
}

base::Status BlobStore::pin(std::span<const base::ObjectHash> hashes, const PinOwner& owner,
                            base::NodeId home) {
  std::vector<Pin> pins;
  for (const auto& hash : hashes) {
    if (!has(hash)) {
      return missing(hash);
    }
    pins.push_back({hash, owner});
  }
  return pins_.add(pins, home) ? base::Status() : base::Status(full(0));
}

std::vector<base::ObjectHash> BlobStore::unpin(std::span<const PinOwner> owners) {
  std::vector<Pin> pins;
  for (const auto& owner : owners) {
    if (const auto found = pins_.owners().find(owner); found != pins_.owners().end()) {
      for (const auto& hash : found->second) {
        pins.push_back({hash, owner});
      }
    }
  }
  pins_.drop(pins);
  std::set<base::ObjectHash> left;
  for (const Pin& pin : pins) {
    if (!is_pinned(pin.hash)) {
      left.insert(pin.hash);
      touch(pin.hash);
    }
  }
  return {left.begin(), left.end()};
}

std::vector<base::ObjectHash> BlobStore::take_unpinned() {
  std::vector<base::ObjectHash> unpinned;
  for (const auto& hash : std::exchange(touched_, {})) {
    if (has(hash) && !is_pinned(hash)) {
      unpinned.push_back(hash);
    }
  }
  return unpinned;
}

base::Status BlobStore::remove(std::span<const base::ObjectHash> hashes) {
  for (const auto& hash : hashes) {
    if (is_pinned(hash)) {
      return base::Error{base::ErrorKind::rejected, base::ErrorCode::conflict,
                         "object " + base::to_string(hash) + " is pinned by a job", ""};
    }
  }
  std::set<std::string> folders;
  for (const auto& hash : hashes) {
    if (const auto found = blobs_.find(hash); found != blobs_.end()) {
      folder_.remove(blob_name(hash));
      folders.insert(blob_folder_of(hash));
      blobs_bytes_ -= found->second;
      blobs_.erase(found);
    }
  }
  for (const auto& folder : folders) {
    folder_.sync_folder(folder);
  }
  packs_.remove(hashes);
  return {};
}

base::Status BlobStore::make_room(std::uint64_t bytes) {
  const auto fits = [&] {
    const std::uint64_t used =
        blobs_bytes_ + packs_.bytes() + uploads_bytes_ + unclaimed_bytes_ + intakes_bytes_;
    return used <= options_.capacity_bytes && bytes <= options_.capacity_bytes - used;
  };
  const auto disk_fits = [&] {
    const std::uint64_t free = folder_.bytes_free();
    return bytes == 0 || (free >= options_.reserve_bytes && bytes <= free - options_.reserve_bytes);
  };
  while ((!fits() || !disk_fits()) && !unclaimed_.empty()) {
    abandon(base::ObjectHash(unclaimed_.begin()->first));
  }
  if (!fits()) {
    return no_room(bytes);
  }
  return disk_fits() ? base::Status() : base::Status(full(bytes));
}

base::Error BlobStore::full(std::uint64_t bytes) const {
  const std::uint64_t free = folder_.bytes_free();
  return disk_full(bytes, free - std::min(free, options_.reserve_bytes));
}

bool BlobStore::disk_is_tight() const {
  return folder_.bytes_free() / 2 < options_.reserve_bytes;
}

}  // namespace fastgpu::objects
