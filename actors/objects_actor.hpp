#pragma once

/// Keeps objects for clients and workers, brings them from other nodes (FetchDesk), fills and
/// empties the folders of commands (FolderDesk), pins what jobs need and lets go of the rest
/// (PinDesk), has it pinned elsewhere (CopyDesk) and pins for others (CopyWorks). Owns blob store
/// and job folders, whose calls block: it has its own thread in production.

#include <memory>
#include <optional>

#include "actors/base_actor.hpp"
#include "actors/folder_desk.hpp"
#include "actors/objects/copy_desk.hpp"
#include "actors/objects/fetch_desk.hpp"
#include "runtime/objects/blob_store.hpp"

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
  caf::message_handler handlers() override;
  void on_begin() override;
  void on_tick() override;
  std::optional<base::Time> next_deadline() const override {
    return earliest({fetches_.next_deadline(), pins_.next_deadline(), copies_.next_deadline()});
  }
  /// As `on`, and what the desks make of it.
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
  void begin(CopyWorks::Begun begun);
  void handle_prepare(const protocol::PrepareFolder& prepare);
  /// Answers at once when the object is here, else when it has come; `sources` are asked in order.
  void serve(const protocol::ObjectRef& object, Asker asker);
  void bring(const protocol::ObjectRef& object, std::vector<base::NodeId> sources, Asker asker);
  void answer(const Asker& asker, const protocol::ObjectRef& object, const base::Status& status);
  /// Sees to it that the desk gets its next turn, after the messages that wait now.
  void go_on();
  void take_turn();

  ObjectsParts parts_;
  objects::BlobStore& store_;
  PinDesk pins_;
  CopyDesk copies_;
  CopyWorks works_;
  FetchDesk fetches_;
  FolderDesk desk_;
  bool turn_is_coming_{false};
};

}  // namespace fastgpu::actors
