#pragma once

/// Keeps objects for clients and workers, brings them from other nodes, fills and empties the
/// folders of commands, and pins what jobs need and lets go of the rest (PinDesk). Owns the blob
/// store and the job folders, whose calls block on the disk: in production this actor has a thread
/// of its own, and long work is cut into turns. Decisions about transfers are TransferMachine's;
/// here its wanters are matched with who asked.

#include <algorithm>
#include <map>
#include <memory>
#include <variant>

#include "actors/base_actor.hpp"
#include "actors/folder_desk.hpp"
#include "actors/pin_desk.hpp"
#include "runtime/objects/blob_store.hpp"
#include "runtime/objects/piece_writer.hpp"
#include "runtime/objects/transfer_machine.hpp"

namespace fastgpu::actors {

/// What the actor stands on; it keeps them alive.
struct ObjectsParts {
  std::shared_ptr<objects::BlobFolder> folder;  ///< that `store` works on; null if others own it
  std::unique_ptr<objects::BlobStore> store;
  std::shared_ptr<objects::JobDisk> jobs;
  objects::PinLimits pin_limits{};
};

class ObjectsActor final : public BaseActor {
 public:
  ObjectsActor(caf::actor_config& config, ContextPtr context, ObjectsParts parts);

 private:
  /// Who waits for an object that is on its way.
  using Asker = std::variant<protocol::Stage, protocol::ObjectRequest, objects::FolderWorkId>;

  caf::message_handler handlers() override;
  void on_begin() override;
  void on_tick() override;
  std::optional<base::Time> next_deadline() const override {
    const auto [one, other] = std::minmax({machine_.next_deadline(), pins_.next_deadline()});
    return one ? one : other;
  }
  /// As `on`, and what the pins make of it.
  template <class Message, class Function>
  auto take(Function function) {
    return on<Message>([this, function](const Message& message) {
      function(message);
      end_turn();
    });
  }
  void end_turn();

  void handle_request(const protocol::ObjectRequest& request);
  void handle_peer(const FromPeer& message);
  void handle_prepare(const protocol::PrepareFolder& prepare);
  /// Answers at once when the object is here, else when it has come.
  void serve(const protocol::ObjectRef& object, Asker asker);
  void answer(const Asker& asker, const protocol::ObjectRef& object, const base::Status& status);
  void perform(const objects::TransferMachine::Effects& effects);
  void answer_wanters(const std::vector<objects::Wanter>& wanters, const base::Status& status);
  /// Sees to it that the desk gets its next turn, after the messages that wait now.
  void go_on();
  void take_turn();

  ObjectsParts parts_;
  objects::BlobStore& store_;
  PinDesk pins_;
  FolderDesk desk_;
  bool turn_is_coming_{false};
  objects::TransferMachine machine_;
  objects::PieceWriter writer_;
  objects::Wanter last_wanter_;
  std::map<objects::Wanter, std::pair<protocol::ObjectRef, Asker>> askers_;
};

}  // namespace fastgpu::actors
