/// What comes into a BlobStore piece by piece: uploads of a known name, and intakes.

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/objects/blob_errors.hpp"
#include "runtime/objects/blob_names.hpp"
#include "runtime/objects/blob_store.hpp"

namespace fastgpu::objects {

namespace limits = base::limits;

base::Result<std::uint64_t> BlobStore::begin(const base::ObjectHash& hash, std::uint64_t size) {
  if (auto status = check_name_and_size(hash, size); !status.ok()) {
    return status.error();
  }
  if (const auto here = this->size(hash); here.ok()) {
    return here.value() == size
               ? base::Result(size)
               : wrong("object " + base::to_string(hash) + " has " + std::to_string(here.value()) +
                       " bytes, not " + std::to_string(size));
  }
  if (const auto found = uploads_.find(hash); found != uploads_.end()) {
    return found->second.size == size
               ? base::Result(found->second.received)
               : wrong("object " + base::to_string(hash) + " is being uploaded with " +
                       std::to_string(found->second.size) + " bytes, not " + std::to_string(size));
  }
  if (uploads_.size() >= limits::object_uploads_max) {
    return base::Error{base::ErrorKind::overloaded, base::ErrorCode::overloaded,
                       std::to_string(uploads_.size()) + " uploads are under way on this node",
                       "try again when some have ended"};
  }
  auto upload = resume(hash, size);
  if (!upload) {
    return upload.error();
  }
  const std::uint64_t received = upload.value().received;
  uploads_bytes_ += size;
  uploads_.emplace(hash, std::move(upload).value());
  return received;
}

base::Result<BlobStore::Upload> BlobStore::resume(const base::ObjectHash& hash,
                                                  std::uint64_t size) {
  Upload upload;
  upload.size = size;
  std::uint64_t here = 0;
  if (const auto found = unclaimed_.find(hash); found != unclaimed_.end()) {
    here = found->second;
    unclaimed_bytes_ -= here;
    unclaimed_.erase(found);
  }
  const base::Status room = make_room(size);
  if (!room.ok() || here > size) {
    folder_.remove(upload_name(hash));
    here = 0;
  }
  if (!room.ok()) {
    return room.error();
  }
  while (upload.received < here) {
    const std::uint64_t length =
        std::min<std::uint64_t>(limits::object_chunk_bytes, here - upload.received);
    const auto data = folder_.read(upload_name(hash), upload.received, length);
    if (!data || data.value().empty()) {
      break;  // what cannot be read is sent again
    }
    upload.running.update(data.value().span());
    upload.received += data.value().size();
  }
  if (!folder_.write(upload_name(hash), upload.received, {})) {
    return full(size);
  }
  return upload;
}

base::Result<std::uint64_t> BlobStore::append(const base::ObjectHash& hash, std::uint64_t offset,
                                              std::span<const std::uint8_t> data) {
  if (const auto here = size(hash); here.ok()) {
    return here.value();  // somebody else was faster
  }
  const auto found = uploads_.find(hash);
  if (found == uploads_.end()) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                       "no upload of object " + base::to_string(hash) + " is under way",
                       "begin it again; bytes that are here need not be sent again"};
  }
  Upload& upload = found->second;
  if (data.size() > limits::object_chunk_bytes) {
    return too_large("a piece", data.size(), limits::object_chunk_bytes);
  }
  if (offset > upload.received) {
    return wrong("a piece at " + std::to_string(offset) +
                 " leaves a gap: " + std::to_string(upload.received) + " bytes are here");
  }
  if (data.size() > upload.size - offset) {
    return wrong("a piece through " + std::to_string(offset + data.size()) +
                 " is beyond the announced " + std::to_string(upload.size) + " bytes");
  }
  const std::uint64_t repeated = std::min<std::uint64_t>(upload.received - offset, data.size());
  const auto fresh = data.subspan(repeated);
  if (fresh.empty()) {
    return upload.received;
  }
  if (!folder_.write(upload_name(hash), upload.received, fresh)) {
    return full(upload.size);
  }
  upload.running.update(fresh);
  upload.received += fresh.size();
  upload.grew = true;
  return upload.received;
}

base::Status BlobStore::commit(const base::ObjectHash& hash) {
  if (has(hash)) {
    return {};
  }
  const auto found = uploads_.find(hash);
  if (found == uploads_.end()) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                       "no upload of object " + base::to_string(hash) + " is under way", ""};
  }
  Upload& upload = found->second;
  if (upload.received != upload.size) {
    return wrong("only " + std::to_string(upload.received) + " of " + std::to_string(upload.size) +
                 " bytes are here");
  }
  const base::ObjectHash real = upload.running.finish();
  if (real != hash) {
    abandon(hash);
    return wrong("the bytes of object " + base::to_string(hash) + " have the hash " +
                 base::to_string(real));
  }
  if (!adopt(upload_name(hash), hash, upload.size)) {
    return full(upload.size);
  }
  uploads_bytes_ -= upload.size;
  uploads_.erase(found);
  return {};
}

/// A whole file becomes a blob.
bool BlobStore::adopt(const std::string& file, const base::ObjectHash& hash, std::uint64_t bytes) {
  touch(hash);
  if (bytes <= options_.packed_bytes_max) {
    const auto data = folder_.read(file, 0, bytes);
    FASTGPU_CHECK(data.ok() && data.value().size() == bytes, "bytes of this life are gone");
    const Blob blob{hash, data.value()};
    if (!packs_.append({&blob, 1})) {
      return false;
    }
    folder_.remove(file);
    return true;
  }
  folder_.sync_file(file);
  folder_.rename(file, blob_name(hash));
  folder_.sync_folder(blob_folder_of(hash));
  blobs_[hash] = bytes;
  blobs_bytes_ += bytes;
  return true;
}

IntakeId BlobStore::begin_intake() {
  ++last_intake_.value;
  intakes_[last_intake_];
  return last_intake_;
}

base::Status BlobStore::append(IntakeId intake, std::span<const std::uint8_t> data) {
  const auto found = intakes_.find(intake);
  FASTGPU_CHECK(found != intakes_.end(), "an intake that nobody began");
  Upload& taken = found->second;
  if (taken.received + data.size() > limits::object_bytes_max) {
    return too_large("an object", taken.received + data.size(), limits::object_bytes_max);
  }
  if (auto status = make_room(data.size()); !status.ok()) {
    return status;
  }
  if (!folder_.write(intake_name(intake.value), taken.received, data)) {
    return full(taken.received + data.size());
  }
  taken.running.update(data);
  taken.received += data.size();
  intakes_bytes_ += data.size();
  return {};
}

base::Result<base::ObjectHash> BlobStore::finish(IntakeId intake) {
  const auto found = intakes_.find(intake);
  FASTGPU_CHECK(found != intakes_.end(), "an intake that nobody began");
  const std::uint64_t bytes = found->second.received;
  FASTGPU_CHECK(bytes > 0, "an empty intake");
  const base::ObjectHash hash = found->second.running.finish();
  touch(hash);
  const bool stored = has(hash) || adopt(intake_name(intake.value), hash, bytes);
  abandon(intake);
  if (!stored) {
    return full(bytes);
  }
  abandon(hash);  // somebody may be sending the same
  return hash;
}

void BlobStore::abandon(IntakeId intake) {
  const auto found = intakes_.find(intake);
  if (found != intakes_.end()) {
    intakes_bytes_ -= found->second.received;
    intakes_.erase(found);
    folder_.remove(intake_name(intake.value));
  }
}

void BlobStore::abandon(const base::ObjectHash& hash) {
  if (const auto found = uploads_.find(hash); found != uploads_.end()) {
    uploads_bytes_ -= found->second.size;
    uploads_.erase(found);
  } else if (const auto left = unclaimed_.find(hash); left != unclaimed_.end()) {
    unclaimed_bytes_ -= left->second;
    unclaimed_.erase(left);
  } else {
    return;
  }
  folder_.remove(upload_name(hash));
}

void BlobStore::set_idle_uploads_aside() {
  for (auto at = uploads_.begin(); at != uploads_.end();) {
    auto& [hash, upload] = *at;
    if (std::exchange(upload.grew, false)) {
      ++at;
      continue;
    }
    uploads_bytes_ -= upload.size;
    unclaimed_[hash] = upload.received;
    unclaimed_bytes_ += upload.received;
    at = uploads_.erase(at);
  }
}

}  // namespace fastgpu::objects
