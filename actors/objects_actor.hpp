#pragma once

/// Keeps objects for clients and workers and brings them from other nodes. Owns the blob store,
/// whose calls block on the disk: in production this actor has a thread of its own. Decisions about
/// transfers are TransferMachine's; here its wanters are matched with who asked.

#include <map>
#include <memory>
#include <variant>

#include "actors/base_actor.hpp"
#include "runtime/objects/blob_store.hpp"
#include "runtime/objects/transfer_machine.hpp"

namespace fastgpu::actors {

class ObjectsActor final : public BaseActor {
 public:
  /// `folder` belongs to this actor; `store` works on it.
  ObjectsActor(caf::actor_config& config, ContextPtr context,
               std::unique_ptr<objects::BlobFolder> folder,
               std::unique_ptr<objects::BlobStore> store);

 private:
  /// Who waits for an object that is on its way.
  using Asker = std::variant<protocol::Stage, protocol::ObjectRequest>;

  caf::message_handler handlers() override;
  void on_tick() override;
  std::optional<base::Time> next_deadline() const override { return machine_.next_deadline(); }

  void handle_request(const protocol::ObjectRequest& request);
  void handle_peer(const FromPeer& message);
  void handle_keep(const protocol::Keep& keep);
  base::Result<protocol::PutReply> put(const protocol::PutChunk& chunk);
  void answer_fetch(base::NodeId asker, const protocol::ObjectFetch& fetch);
  /// Answers at once when the object is here, else when it has come.
  void serve(const protocol::ObjectRef& object, Asker asker);
  void answer(const Asker& asker, const base::Result<base::Bytes>& whole);
  void perform(const objects::TransferMachine::Effects& effects);
  void store_arrived(const objects::ObjectArrived& arrived);
  void answer_wanters(const std::vector<objects::Wanter>& wanters,
                      const base::Result<base::Bytes>& whole);

  std::unique_ptr<objects::BlobFolder> folder_;
  std::unique_ptr<objects::BlobStore> store_;
  objects::TransferMachine machine_;
  objects::Wanter last_wanter_;
  std::map<objects::Wanter, Asker> askers_;
};

}  // namespace fastgpu::actors
