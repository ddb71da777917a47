#include "actors/object_words.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"

namespace fastgpu::actors {

namespace limits = base::limits;

base::Error object_gone(const base::ObjectHash& hash) {
  return {base::ErrorKind::lost, base::ErrorCode::object_missing,
          "object " + to_string(hash).substr(0, 12) + " is not on this node any more",
          "submit the job again with its inputs"};
}

std::vector<base::ObjectHash> hashes_of(const std::vector<protocol::ObjectRef>& objects) {
  std::vector<base::ObjectHash> hashes(objects.size());
  std::transform(objects.begin(), objects.end(), hashes.begin(),
                 [](const protocol::ObjectRef& object) { return object.hash; });
  return hashes;
}

protocol::ObjectPinned refused(const protocol::ObjectPin& pin, const base::Error& why) {
  return {pin.call, pin.part, false, why};
}

objects::CopiesAnswer answer_of(const protocol::CopiesKept& kept) {
  if (kept.ok) {
    return objects::CopiesAnswer::kept;
  }
  if (kept.error.kind != base::ErrorKind::overloaded) {
    return objects::CopiesAnswer::failed;
  }
  return kept.error.code == base::ErrorCode::disk_full ? objects::CopiesAnswer::full
                                                       : objects::CopiesAnswer::busy;
}

protocol::ClientReply put_chunk(objects::BlobStore& store, const protocol::PutChunk& chunk,
                                base::NodeId home) {
  const protocol::ObjectRef object{chunk.hash, chunk.size_bytes, home};
  if (store.has(chunk.hash)) {
    store.touch(chunk.hash);
    return protocol::PutReply{object, chunk.size_bytes, true};
  }
  if (chunk.offset == 0 && chunk.data.size() == chunk.size_bytes) {
    const base::Status stored = store.put(chunk.hash, chunk.data);
    return stored.ok() ? protocol::ClientReply(protocol::PutReply{object, chunk.size_bytes, true})
                       : protocol::ClientReply(stored.error());
  }
  base::Result<std::uint64_t> received = store.begin(chunk.hash, chunk.size_bytes);
  if (received.ok() && !chunk.data.empty()) {
    received = store.append(chunk.hash, chunk.offset, chunk.data.span());
  }
  if (!received.ok()) {
    return received.error();
  }
  if (received.value() < chunk.size_bytes) {
    return protocol::PutReply{object, received.value(), false};
  }
  if (const base::Status committed = store.commit(chunk.hash); !committed.ok()) {
    return committed.error();
  }
  return protocol::PutReply{object, chunk.size_bytes, true};
}

protocol::ClientReply get_chunk(const objects::BlobStore& store, const protocol::GetChunk& get,
                                const base::Status& status) {
  if (!status.ok()) {
    return status.error();
  }
  base::Result<base::Bytes> data = store.read(
      get.object.hash, get.offset, std::min<std::uint64_t>(get.length, limits::object_chunk_bytes));
  return data.ok() ? protocol::ClientReply(protocol::Chunk{get.object, get.offset, data.value()})
                   : protocol::ClientReply(data.error());
}

protocol::ObjectPart part_for(const objects::BlobStore& store, const protocol::ObjectFetch& fetch) {
  const base::Result<std::uint64_t> size = store.size(fetch.hash);
  if (size.ok()) {
    const auto length = std::min<std::uint64_t>(fetch.length, limits::object_chunk_bytes);
    base::Result<base::Bytes> data = store.read(fetch.hash, fetch.offset, length);
    if (data.ok()) {
      return {fetch.hash, fetch.offset, size.value(), false, data.value()};
    }
  }
  return {fetch.hash, fetch.offset, 0, true, {}};
}

static base::Result<base::Bytes> read_whole(const objects::BlobStore& store,
                                            const protocol::ObjectRef& object) {
  if (object.size_bytes <= limits::object_read_bytes_max) {
    return store.read(object.hash, 0, object.size_bytes);
  }
  std::vector<std::uint8_t> whole;
  while (whole.size() < object.size_bytes) {
    const base::Result<base::Bytes> part =
        store.read(object.hash, whole.size(), limits::object_read_bytes_max);
    if (!part.ok() || part.value().empty()) {
      return part;
    }
    whole.insert(whole.end(), part.value().span().begin(), part.value().span().end());
  }
  return base::Bytes(std::move(whole));
}

protocol::Staged staged_of(const objects::BlobStore& store, const protocol::Stage& stage,
                           const base::Status& status) {
  protocol::Staged staged{stage.device, stage.token, false, {}, {}};
  if (!status.ok()) {
    staged.error = status.error();
    return staged;
  }
  const base::Result<base::Bytes> whole = read_whole(store, stage.object);
  staged.ok = whole.ok();
  (whole.ok() ? void(staged.data = whole.value()) : void(staged.error = whole.error()));
  return staged;
}

}  // namespace fastgpu::actors
