#include "actors/objects_actor.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::actors {

namespace limits = base::limits;
using protocol::ObjectRef;

namespace {

base::Result<base::Bytes> read_whole(const objects::BlobStore& store, const ObjectRef& object) {
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

}  // namespace

ObjectsActor::ObjectsActor(caf::actor_config& config, ContextPtr context,
                           std::unique_ptr<objects::BlobFolder> folder,
                           std::unique_ptr<objects::BlobStore> store)
    : BaseActor(config, std::move(context), "objects"),
      folder_(std::move(folder)),
      store_(std::move(store)) {}

caf::message_handler ObjectsActor::handlers() {
  return {on<FromPeer>([this](const FromPeer& message) { handle_peer(message); }),
          on<protocol::ObjectRequest>(
              [this](const protocol::ObjectRequest& request) { handle_request(request); }),
          on<protocol::Stage>([this](const protocol::Stage& stage) { serve(stage.object, stage); }),
          on<protocol::Keep>([this](const protocol::Keep& keep) { handle_keep(keep); })};
}

void ObjectsActor::on_tick() {
  perform(machine_.step(objects::TransferTick{}, now()));
}

void ObjectsActor::handle_request(const protocol::ObjectRequest& request) {
  if (const auto* chunk = std::get_if<protocol::PutChunk>(&request.request)) {
    const base::Result<protocol::PutReply> reply = put(*chunk);
    tell(directory().gateway,
         protocol::ObjectReply{request.call, reply.ok() ? protocol::ClientReply(reply.value())
                                                        : protocol::ClientReply(reply.error())});
    return;
  }
  serve(std::get<protocol::GetChunk>(request.request).object, request);
}

void ObjectsActor::handle_peer(const FromPeer& message) {
  if (const auto* fetch = std::get_if<protocol::ObjectFetch>(message.message.get())) {
    answer_fetch(message.node, *fetch);
  } else if (const auto* part = std::get_if<protocol::ObjectPart>(message.message.get())) {
    perform(machine_.step(
        objects::PieceArrived{part->hash, part->offset, part->missing, part->data}, now()));
  }
}

void ObjectsActor::handle_keep(const protocol::Keep& keep) {
  std::vector<objects::Blob> blobs;
  protocol::Kept kept{keep.device, keep.token, {}, {}};
  for (const base::Bytes& data : keep.data) {
    blobs.push_back({base::sha256(data.span()), data});
    kept.objects.push_back({blobs.back().hash, data.size(), context().self.node});
  }
  const base::Status stored = store_->put(blobs);
  if (!stored.ok()) {
    trace("outputs not kept -> " + stored.error().message);
    kept = {keep.device, keep.token, {}, stored.error()};
  }
  tell(directory().workers.at(keep.device.ordinal), kept);
}

base::Result<protocol::PutReply> ObjectsActor::put(const protocol::PutChunk& chunk) {
  const protocol::ObjectRef object{chunk.hash, chunk.size_bytes, context().self.node};
  if (store_->has(chunk.hash)) {
    return protocol::PutReply{object, chunk.size_bytes, true};
  }
  base::Result<std::uint64_t> received = store_->begin(chunk.hash, chunk.size_bytes);
  if (received.ok() && !chunk.data.empty()) {
    received = store_->append(chunk.hash, chunk.offset, chunk.data.span());
  }
  if (!received.ok()) {
    return received.error();
  }
  if (received.value() < chunk.size_bytes) {
    return protocol::PutReply{object, received.value(), false};
  }
  if (const base::Status committed = store_->commit(chunk.hash); !committed.ok()) {
    return committed.error();
  }
  return protocol::PutReply{object, chunk.size_bytes, true};
}

void ObjectsActor::answer_fetch(base::NodeId asker, const protocol::ObjectFetch& fetch) {
  protocol::ObjectPart part{fetch.hash, fetch.offset, 0, true, {}};
  const base::Result<std::uint64_t> size = store_->size(fetch.hash);
  if (size.ok()) {
    const auto length = std::min<std::uint64_t>(fetch.length, limits::object_chunk_bytes);
    base::Result<base::Bytes> data = store_->read(fetch.hash, fetch.offset, length);
    if (data.ok()) {
      part = {fetch.hash, fetch.offset, size.value(), false, data.value()};
    }
  }
  tell_node(asker, part);
}

void ObjectsActor::serve(const ObjectRef& object, Asker asker) {
  if (store_->has(object.hash)) {
    const auto* request = std::get_if<protocol::ObjectRequest>(&asker);
    if (request == nullptr) {
      answer(asker, read_whole(*store_, object));
      return;
    }
    const auto& get = std::get<protocol::GetChunk>(request->request);
    base::Result<base::Bytes> data = store_->read(
        object.hash, get.offset, std::min<std::uint64_t>(get.length, limits::object_chunk_bytes));
    tell(directory().gateway,
         protocol::ObjectReply{request->call, data.ok() ? protocol::ClientReply(protocol::Chunk{
                                                              object, get.offset, data.value()})
                                                        : protocol::ClientReply(data.error())});
    return;
  }
  if (object.home == context().self.node) {
    answer(asker, base::Error{base::ErrorKind::lost, base::ErrorCode::object_missing,
                              "object " + to_string(object.hash).substr(0, 12) +
                                  " is not on this node any more",
                              "submit the job again with its inputs"});
    return;
  }
  const objects::Wanter wanter{++last_wanter_.value};
  askers_.emplace(wanter, std::move(asker));
  perform(machine_.step(objects::Want{wanter, object.hash, object.size_bytes, object.home}, now()));
}

void ObjectsActor::answer(const Asker& asker, const base::Result<base::Bytes>& whole) {
  if (const auto* stage = std::get_if<protocol::Stage>(&asker)) {
    protocol::Staged staged{stage->device, stage->token, whole.ok(), {}, {}};
    (whole.ok() ? void(staged.data = whole.value()) : void(staged.error = whole.error()));
    tell(directory().workers.at(stage->device.ordinal), staged);
    return;
  }
  const auto& request = std::get<protocol::ObjectRequest>(asker);
  if (whole.ok()) {
    serve(std::get<protocol::GetChunk>(request.request).object, asker);  // it is here now
  } else {
    tell(directory().gateway, protocol::ObjectReply{request.call, whole.error()});
  }
}

void ObjectsActor::perform(const objects::TransferMachine::Effects& effects) {
  for (const objects::TransferEffect& effect : effects) {
    if (const auto* ask = std::get_if<objects::AskPiece>(&effect)) {
      tell_node(ask->home, protocol::ObjectFetch{ask->hash, ask->offset, ask->length});
    } else if (const auto* arrived = std::get_if<objects::ObjectArrived>(&effect)) {
      store_arrived(*arrived);
    } else {
      const auto& failed = std::get<objects::TransferFailed>(effect);
      answer_wanters(failed.wanters, failed.error);
    }
  }
}

void ObjectsActor::store_arrived(const objects::ObjectArrived& arrived) {
  // Storing checks the hash: a holder that sent something else is found out here.
  const base::Status stored = store_->put(arrived.hash, arrived.data);
  if (stored.ok()) {
    answer_wanters(arrived.wanters, arrived.data);
  } else {
    answer_wanters(arrived.wanters, stored.error());
  }
}

void ObjectsActor::answer_wanters(const std::vector<objects::Wanter>& wanters,
                                  const base::Result<base::Bytes>& whole) {
  for (const objects::Wanter& wanter : wanters) {
    auto asker = askers_.extract(wanter);
    if (!asker.empty()) {
      answer(asker.mapped(), whole);
    }
  }
}

}  // namespace fastgpu::actors
