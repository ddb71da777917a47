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
      desk_({*parts_.jobs, store_, store_.reserve_bytes()}, pins_, this->context().self.node),
      writer_(store_) {}

caf::message_handler ObjectsActor::handlers() {
  return {
      take<FromPeer>([this](const FromPeer& message) { handle_peer(message); }),
      take<protocol::ObjectRequest>(
          [this](const protocol::ObjectRequest& request) { handle_request(request); }),
      take<protocol::Stage>([this](const protocol::Stage& stage) { serve(stage.object, stage); }),
      take<protocol::Keep>([this](const protocol::Keep& keep) {
        tell(directory().workers.at(keep.device.ordinal), pins_.keep(keep, now()));
      }),
      take<protocol::PrepareFolder>(
          [this](const protocol::PrepareFolder& prepare) { handle_prepare(prepare); }),
      take<protocol::CollectFolder>([this](const protocol::CollectFolder& collect) {
        desk_.take(collect);
        go_on();
      }),
      take<protocol::DropFolder>([this](const protocol::DropFolder& drop) {
        desk_.drop(drop);
        go_on();
      }),
      take<protocol::SharedView>(
          [this](const protocol::SharedView& view) { pins_.see(view, now()); }),
      take<FolderTurn>([this](const FolderTurn&) { take_turn(); })};
}

void ObjectsActor::on_begin() {
  pins_.begin(now());
  go_on();
  end_turn();
}

void ObjectsActor::on_tick() {
  perform(machine_.step(objects::TransferTick{}, now()));
  pins_.tick(now());
  end_turn();
}

void ObjectsActor::end_turn() {
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
    tell_node(message.node, pins_.pin(*pin, now()));
  } else if (const auto* answer = std::get_if<protocol::PinAnswer>(message.message.get())) {
    pins_.hear(message.node, *answer, now());
  } else if (const auto* part = std::get_if<protocol::ObjectPart>(message.message.get())) {
    perform(machine_.step(
        objects::PieceArrived{part->hash, part->offset, part->missing, part->data}, now()));
  }
}

void ObjectsActor::handle_prepare(const protocol::PrepareFolder& prepare) {
  std::vector<ObjectRef> absent;
  const objects::FolderWorkId work = desk_.take(prepare, absent);
  for (const ObjectRef& object : absent) {
    serve(object, work);
  }
  go_on();
}

void ObjectsActor::serve(const ObjectRef& object, Asker asker) {
  const bool here = store_.has(object.hash);
  if (here || object.home == context().self.node) {
    store_.touch(object.hash);
    return answer(asker, object, here ? base::Status() : object_gone(object.hash));
  }
  const objects::Wanter wanter{++last_wanter_.value};
  askers_.emplace(wanter, std::pair(object, std::move(asker)));
  perform(machine_.step(objects::Want{wanter, object.hash, object.size_bytes, object.home}, now()));
}

/// The object is in the store, or the status says why it is not.
void ObjectsActor::answer(const Asker& asker, const ObjectRef& object, const base::Status& status) {
  if (const auto* work = std::get_if<objects::FolderWorkId>(&asker)) {
    desk_.brought(*work, object.hash, status);
    go_on();
  } else if (const auto* stage = std::get_if<protocol::Stage>(&asker)) {
    tell(directory().workers.at(stage->device.ordinal), staged_of(store_, *stage, status));
  } else {
    const auto& request = std::get<protocol::ObjectRequest>(asker);
    const auto& get = std::get<protocol::GetChunk>(request.request);
    tell(directory().gateway, protocol::ObjectReply{request.call, get_chunk(store_, get, status)});
  }
}

void ObjectsActor::perform(const objects::TransferMachine::Effects& effects) {
  for (const objects::TransferEffect& effect : effects) {
    if (const auto* ask = std::get_if<objects::AskPiece>(&effect)) {
      tell_node(ask->home, protocol::ObjectFetch{ask->hash, ask->offset, ask->length});
    } else if (const auto* piece = std::get_if<objects::StorePiece>(&effect)) {
      const base::Status stored = writer_.write(*piece);
      if (piece->last) {
        answer_wanters(piece->wanters, stored);
      } else if (!stored.ok()) {
        perform(machine_.step(objects::StoringFailed{piece->hash, stored.error()}, now()));
      }
    } else {
      const auto& failed = std::get<objects::TransferFailed>(effect);
      writer_.drop(failed.hash);
      answer_wanters(failed.wanters, failed.error);
    }
  }
}

void ObjectsActor::answer_wanters(const std::vector<objects::Wanter>& wanters,
                                  const base::Status& status) {
  for (const objects::Wanter& wanter : wanters) {
    if (const auto asker = askers_.extract(wanter); !asker.empty()) {
      answer(asker.mapped().second, asker.mapped().first, status);
    }
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
  for (const FolderAnswer& answer : desk_.advance(now())) {
    std::visit(
        [this](const auto& said) { tell(directory().workers.at(said.device.ordinal), said); },
        answer);
  }
  go_on();
}

}  // namespace fastgpu::actors
