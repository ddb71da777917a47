#include "actors/objects_actor.hpp"

#include <utility>

#include "actors/object_words.hpp"

namespace fastgpu::actors {

using protocol::ObjectRef;

ObjectsActor::ObjectsActor(caf::actor_config& config, ContextPtr context, ObjectsParts parts)
    : BaseActor(config, std::move(context), "objects"),
      parts_(std::move(parts)),
      store_(*parts_.store),
      pins_(store_, this->context().self.node, this->context().layout, parts_.pin_limits),
      copies_(store_, this->context()),
      works_(store_, pins_, copies_, this->context().layout),
      fetches_(store_),
      desk_({*parts_.jobs, store_, store_.reserve_bytes()}, pins_, this->context().self.node) {}

caf::message_handler ObjectsActor::handlers() {
  return {
      take<FromPeer>([this](const FromPeer& message) { handle_peer(message); }),
      take<protocol::ObjectRequest>(
          [this](const protocol::ObjectRequest& request) { handle_request(request); }),
      take<protocol::Stage>([this](const protocol::Stage& stage) { serve(stage.object, stage); }),
      take<protocol::Keep>(
          [this](const protocol::Keep& keep) { copies_.hold(keep.job, pins_.keep(keep, now())); }),
      take<protocol::PrepareFolder>(
          [this](const protocol::PrepareFolder& prepare) { handle_prepare(prepare); }),
      take<protocol::CollectFolder>([this](const protocol::CollectFolder& collect) {
        copies_.expect(collect);
        desk_.take(collect);
      }),
      take<protocol::DropFolder>([this](const protocol::DropFolder& drop) { desk_.drop(drop); }),
      take<protocol::SharedView>([this](const protocol::SharedView& view) {
        pins_.see(view, now());
        copies_.see(view, now());
      }),
      take<FolderTurn>([this](const FolderTurn&) { take_turn(); })};
}

void ObjectsActor::on_begin() {
  pins_.begin(now());
  end_turn();
}

void ObjectsActor::on_tick() {
  fetches_.tick(now());
  pins_.tick(now());
  copies_.tick(now());
  end_turn();
}

void ObjectsActor::end_turn() {
  const FetchDesk::Turn fetches = fetches_.take_turn();
  for (const auto& [node, fetch] : fetches.asked) {
    tell_node(node, fetch);
  }
  for (const auto& [asker, object, status] : fetches.ends) {
    answer(asker, object, status);
  }
  for (const auto& [node, kept] : works_.take_said()) {
    tell_node(node, kept);
  }
  const PinDesk::Turn turn = pins_.end_turn(now());
  for (const auto& [node, check] : turn.asked) {
    tell_node(node, check);
  }
  if (!turn.removed.empty()) {
    trace(std::to_string(turn.removed.size()) + " objects were pinned by nobody -> removed");
    if (context().observer) {
      context().observer->objects_removed(context().self, turn.removed);
    }
  }
  CopyDesk::Turn copies = copies_.end_turn(turn, now());
  for (auto& [node, ask] : copies.asked) {
    tell_node(node, std::move(ask));
  }
  for (const auto& [node, pinned] : copies.pinned) {
    tell_node(node, pinned);
  }
  for (const WorkerAnswer& answer : copies.answers) {
    std::visit(
        [this](const auto& said) { tell(directory().workers.at(said.device.ordinal), said); },
        answer);
  }
  if (copies.stand) {
    tell(directory().monitor, *copies.stand);
  }
  if (copies.fewer > 0) {
    trace(std::to_string(copies.fewer) + " objects have too few copies -> more are made later");
  }
  go_on();
}

void ObjectsActor::handle_request(const protocol::ObjectRequest& request) {
  if (const auto* chunk = std::get_if<protocol::PutChunk>(&request.request)) {
    tell(directory().gateway,
         protocol::ObjectReply{request.call, put_chunk(store_, *chunk, context().self.node)});
    return;
  }
  serve(std::get<protocol::GetChunk>(request.request).object, request);
}

void ObjectsActor::handle_peer(const FromPeer& message) {
  if (const auto* fetch = std::get_if<protocol::ObjectFetch>(message.message.get())) {
    store_.touch(fetch->hash);
    tell_node(message.node, part_for(store_, *fetch));
  } else if (const auto* pin = std::get_if<protocol::ObjectPin>(message.message.get())) {
    begin(works_.take(message.node, *pin, now()));
  } else if (const auto* answer = std::get_if<protocol::PinAnswer>(message.message.get())) {
    pins_.hear(message.node, *answer, now());
  } else if (const auto* keep = std::get_if<protocol::KeepCopies>(message.message.get())) {
    begin(works_.take(message.node, *keep, now()));
  } else if (const auto* kept = std::get_if<protocol::CopiesKept>(message.message.get())) {
    copies_.hear(message.node, *kept, now());
  } else if (const auto* part = std::get_if<protocol::ObjectPart>(message.message.get())) {
    fetches_.hear(message.node, *part, now());
  }
}

void ObjectsActor::begin(CopyWorks::Begun begun) {
  for (auto& [object, sources] : begun.absent) {
    bring(object, std::move(sources), begun.work);
  }
}

void ObjectsActor::handle_prepare(const protocol::PrepareFolder& prepare) {
  std::vector<ObjectRef> absent;
  const objects::FolderWorkId work = desk_.take(prepare, absent);
  for (const ObjectRef& object : absent) {
    serve(object, work);
  }
}

void ObjectsActor::serve(const ObjectRef& object, Asker asker) {
  const bool here = store_.has(object.hash);
  bring(object, here ? std::vector<base::NodeId>{} : copies_.sources_of(object), std::move(asker));
}

void ObjectsActor::bring(const ObjectRef& object, std::vector<base::NodeId> sources, Asker asker) {
  const bool here = store_.has(object.hash);
  if (here || sources.empty()) {
    store_.touch(object.hash);
    return answer(asker, object, here ? base::Status() : object_gone(object.hash));
  }
  fetches_.want(object, std::move(sources), std::move(asker), now());
}

/// The object is in the store, or the status says why it is not.
void ObjectsActor::answer(const Asker& asker, const ObjectRef& object, const base::Status& status) {
  if (const auto* copy = std::get_if<CopyWork>(&asker)) {
    works_.brought(*copy, object.hash, status, now());
  } else if (const auto* work = std::get_if<objects::FolderWorkId>(&asker)) {
    desk_.brought(*work, object.hash, status);
  } else if (const auto* stage = std::get_if<protocol::Stage>(&asker)) {
    tell(directory().workers.at(stage->device.ordinal), staged_of(store_, *stage, status));
  } else {
    const auto& request = std::get<protocol::ObjectRequest>(asker);
    const auto& get = std::get<protocol::GetChunk>(request.request);
    tell(directory().gateway, protocol::ObjectReply{request.call, get_chunk(store_, get, status)});
  }
}

void ObjectsActor::go_on() {
  if (!turn_is_coming_ && !desk_.idle()) {
    turn_is_coming_ = true;
    tell(caf::actor_cast<caf::actor>(this), FolderTurn{});
  }
}

void ObjectsActor::take_turn() {
  turn_is_coming_ = false;
  for (FolderAnswer& answer : desk_.advance(now())) {
    copies_.hold(std::move(answer));
  }
}

}  // namespace fastgpu::actors
