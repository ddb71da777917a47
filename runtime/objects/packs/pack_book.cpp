#include "runtime/objects/packs/pack_book.hpp"

#include <algorithm>

#include "runtime/objects/packs/pack_format.hpp"

namespace fastgpu::objects {

base::Status PackBook::load(std::span<const FileEntry> entries) {
  std::map<std::uint64_t, std::uint64_t> found;  // to the bytes of the file
  for (const FileEntry& entry : entries) {
    if (const auto number = pack_number(entry.name)) {
      found[*number] = entry.size_bytes;
    }
  }
  for (const auto& [number, bytes] : found) {
    if (auto status = read_pack(number, bytes, number == found.rbegin()->first); !status.ok()) {
      return status;
    }
  }
  if (!found.empty()) {
    // What a dead process had written and not synced is in memory only: it counts from now on.
    folder_.sync_file(pack_name(found.rbegin()->first));
    folder_.sync_folder(pack_folder);
  }
  return {};
}

base::Status PackBook::read_pack(std::uint64_t number, std::uint64_t file_bytes, bool newest) {
  const auto whole = folder_.read(pack_name(number), 0, file_bytes);
  if (!whole.ok()) {
    return whole.error();
  }
  Pack& pack = packs_[number];
  const std::span<const std::uint8_t> data = whole.value().span();
  while (const auto entry = read_pack_entry(data.subspan(pack.bytes))) {
    if (entry->removal) {
      forget(entry->hash);
      pack.removal_bytes += pack_head_bytes;
    } else {
      note(entry->hash, {number, pack.bytes + pack_head_bytes, entry->length});
    }
    pack.bytes += pack_head_bytes + entry->length;
  }
  if (pack.bytes < data.size() && newest) {
    static_cast<void>(folder_.write(pack_name(number), pack.bytes, {}));  // cuts; needs no room
  } else if (pack.bytes < data.size()) {
    ++damaged_;
  }
  return {};
}

void PackBook::note(const base::ObjectHash& hash, const Place& place) {
  forget(hash);
  places_[hash] = place;
  packs_[place.pack].live_bytes += pack_head_bytes + place.length;
  bytes_ += place.length;
}

void PackBook::forget(const base::ObjectHash& hash) {
  if (const auto found = places_.find(hash); found != places_.end()) {
    packs_[found->second.pack].live_bytes -= pack_head_bytes + found->second.length;
    bytes_ -= found->second.length;
    places_.erase(found);
  }
}

std::optional<std::uint64_t> PackBook::size(const base::ObjectHash& hash) const {
  const auto found = places_.find(hash);
  return found == places_.end() ? std::nullopt : std::optional(found->second.length);
}

base::Result<base::Bytes> PackBook::read(const base::ObjectHash& hash, std::uint64_t offset,
                                         std::uint64_t length) const {
  const Place& place = places_.at(hash);
  return folder_.read(pack_name(place.pack), place.offset + offset, length);
}

std::vector<base::ObjectHash> PackBook::list() const {
  std::vector<base::ObjectHash> hashes;
  for (const auto& [hash, place] : places_) {
    hashes.push_back(hash);
  }
  return hashes;
}

std::optional<std::uint64_t> PackBook::add(std::span<const std::uint8_t> entries) {
  const bool fresh = packs_.empty() || packs_.rbegin()->second.bytes >= bytes_full_;
  const std::uint64_t number = packs_.empty() ? 1 : packs_.rbegin()->first + (fresh ? 1 : 0);
  const std::uint64_t offset = fresh ? 0 : packs_.rbegin()->second.bytes;
  const std::string name = pack_name(number);
  if (!folder_.write(name, offset, entries)) {
    if (fresh) {
      folder_.remove(name);
    }
    return std::nullopt;
  }
  folder_.sync_file(name);
  if (fresh) {
    folder_.sync_folder(pack_folder);
  }
  packs_[number].bytes = offset + entries.size();
  return offset;
}

bool PackBook::append(std::span<const Blob> blobs) {
  for (std::size_t next = 0; next < blobs.size();) {
    std::vector<std::uint8_t> entries;
    const std::size_t first = next;
    for (; next < blobs.size() && entries.size() < bytes_full_; ++next) {
      put_pack_entry(entries, blobs[next].hash, blobs[next].data.span());
    }
    auto offset = add(entries);
    if (!offset) {
      return false;
    }
    for (const Blob& blob : blobs.subspan(first, next - first)) {
      const auto length = static_cast<std::uint32_t>(blob.data.size());
      note(blob.hash, {packs_.rbegin()->first, *offset + pack_head_bytes, length});
      *offset += pack_head_bytes + length;
    }
  }
  return true;
}

void PackBook::remove(std::span<const base::ObjectHash> hashes) {
  std::vector<std::uint8_t> removals;
  for (const auto& hash : hashes) {
    if (has(hash)) {
      put_pack_removal(removals, hash);
      forget(hash);
    }
  }
  if (!removals.empty()) {
    // On a full disk it is gone in this life only; the next one removes it again.
    if (add(removals)) {
      packs_.rbegin()->second.removal_bytes += removals.size();
    }
    compact_dead();
  }
}

/// Rewrites packs that are full and mostly dead. What it reads and writes is less than was removed.
void PackBook::compact_dead() {
  std::vector<std::uint64_t> dead;
  for (const auto& [number, pack] : packs_) {
    if (is_dead(number, pack)) {
      dead.push_back(number);
    }
  }
  for (const std::uint64_t number : dead) {
    if (!compact(number)) {
      return;
    }
  }
}

/// The oldest pack needs no removals: nothing lies before it.
bool PackBook::is_dead(std::uint64_t number, const Pack& pack) const {
  const bool oldest = number == packs_.begin()->first;
  const std::uint64_t kept = pack.live_bytes + (oldest ? 0 : pack.removal_bytes);
  return number != packs_.rbegin()->first && kept * 2 < pack.bytes;
}

/// Its live blobs go to the newest pack, and so do its removals of what older packs hold.
bool PackBook::compact(std::uint64_t number) {
  const auto whole = folder_.read(pack_name(number), 0, packs_[number].bytes);
  if (!whole.ok()) {
    return false;  // reads of its blobs tell why
  }
  const bool oldest = packs_.begin()->first == number;
  const std::span<const std::uint8_t> data = whole.value().span();
  std::vector<Blob> live;
  std::vector<std::uint8_t> removals;
  std::size_t at = 0;
  while (const auto entry = read_pack_entry(data.subspan(at))) {
    const auto found = places_.find(entry->hash);
    if (entry->removal && !oldest && found == places_.end()) {
      put_pack_removal(removals, entry->hash);
    } else if (found != places_.end() && found->second.pack == number &&
               found->second.offset == at + pack_head_bytes) {
      live.push_back(
          {entry->hash, base::Bytes::copy_of(data.subspan(at + pack_head_bytes, entry->length))});
    }
    at += pack_head_bytes + entry->length;
  }
  if (at != packs_[number].bytes || (!removals.empty() && !add(removals))) {
    return false;
  }
  packs_.rbegin()->second.removal_bytes += removals.size();
  if (!append(live)) {
    return false;
  }
  folder_.remove(pack_name(number));
  folder_.sync_folder(pack_folder);
  packs_.erase(number);
  return true;
}

}  // namespace fastgpu::objects
