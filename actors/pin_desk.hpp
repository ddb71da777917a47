#pragma once

/// Pins blobs for those who need them and lets go of the rest, broken-off uploads included: matches
/// the blob store with PinMachine, which decides, in the words of the messages. Beneath the objects
/// actor, which owns the store, sends what `end_turn` gives, and calls on its own thread.
/// Every pin is durable before who asked for it is answered.

#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "runtime/objects/blob_store.hpp"
#include "runtime/objects/copies/copy_machine.hpp"
#include "runtime/objects/pins/pin_machine.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/session/cluster_map.hpp"

namespace fastgpu::actors {

class PinDesk {
 public:
  /// What came of a turn.
  struct Turn {
    std::vector<std::pair<base::NodeId, protocol::PinCheck>> asked;
    std::vector<base::ObjectHash> removed;
    std::vector<objects::CopyPinned> pinned;  ///< for those who see to copies
    std::vector<objects::PinOwner> unpinned;
  };

  PinDesk(objects::BlobStore& store, base::NodeId self, base::ShardLayout layout,
          const objects::PinLimits& limits);

  std::optional<base::Time> next_deadline() const;
  /// Takes over the pins of earlier lives.
  void begin(base::Time now);
  /// Who leads which shard now.
  void see(const protocol::SharedView& view, base::Time now);
  void hear(base::NodeId node, const protocol::PinAnswer& answer, base::Time now);
  void tick(base::Time now);

  /// Inputs of a submit.
  protocol::ObjectPinned pin(const protocol::ObjectPin& pin, base::Time now);
  /// Outputs of a job that are blobs already; an Error when one is not here.
  base::Status pin(base::JobId job, std::span<const base::ObjectHash> outputs, base::Time now);
  /// Outputs of a task, stored and pinned, or not.
  protocol::Kept keep(const protocol::Keep& keep, base::Time now);

  /// Copies of what `holder` has pinned too; `home` sees to it that there are enough.
  base::Status pin_copies(std::span<const base::ObjectHash> hashes, const objects::PinOwner& owner,
                          base::NodeId home, base::NodeId holder, base::Time now);

  /// Learns which blobs have no pin after this turn, and gives what is to be sent and told.
  Turn end_turn(base::Time now);

 private:
  void step(const objects::PinEvent& event, base::Time now);
  void perform(const objects::AskPins& ask);
  void perform(const objects::DropPins& drop);
  void perform(const objects::RemoveObjects& remove);

  objects::BlobStore& store_;
  const base::NodeId self_;
  const base::ShardLayout layout_;
  objects::PinMachine machine_;
  session::ClusterMap map_;
  std::map<base::ShardId, base::NodeId> leaders_;
  const base::Duration upload_idle_;
  base::Time uploads_looked_at_{};
  Turn turn_;
};

}  // namespace fastgpu::actors
