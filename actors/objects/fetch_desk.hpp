#pragma once

/// Objects on their way here: matches TransferMachine, which decides whom to ask for what, with
/// those who wait, and stores what comes. Beneath the objects actor, which sends what `take_turn`
/// gives, answers those who waited, and calls on its own thread. Everybody is told once.

#include <initializer_list>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "actors/objects/copy_works.hpp"
#include "runtime/objects/jobs/job_folders.hpp"
#include "runtime/objects/piece_writer.hpp"
#include "runtime/objects/transfer_machine.hpp"

namespace fastgpu::actors {

/// Of several moments, of which some may never come.
std::optional<base::Time> earliest(std::initializer_list<std::optional<base::Time>> moments);

/// Who waits for an object that is on its way.
using Asker =
    std::variant<protocol::Stage, protocol::ObjectRequest, objects::FolderWorkId, CopyWork>;

class FetchDesk {
 public:
  struct End {
    Asker asker;
    protocol::ObjectRef object;
    base::Status status;  ///< it is in the store, or why it is not
  };
  struct Turn {
    std::vector<std::pair<base::NodeId, protocol::ObjectFetch>> asked;
    std::vector<End> ends;
  };

  explicit FetchDesk(objects::BlobStore& store) : writer_(store) {}

  std::optional<base::Time> next_deadline() const { return machine_.next_deadline(); }
  void tick(base::Time now) { step(objects::TransferTick{}, now); }
  /// `sources`: whom to ask, in this order; at least one.
  void want(const protocol::ObjectRef& object, std::vector<base::NodeId> sources, Asker asker,
            base::Time now);
  void hear(base::NodeId node, const protocol::ObjectPart& part, base::Time now);
  Turn take_turn() { return std::exchange(turn_, {}); }

 private:
  void step(const objects::TransferEvent& event, base::Time now);
  void perform(const objects::StorePiece& piece, base::Time now);
  void end(const std::vector<objects::Wanter>& wanters, const base::Status& status);

  objects::TransferMachine machine_;
  objects::PieceWriter writer_;
  objects::Wanter last_wanter_;
  std::map<objects::Wanter, std::pair<protocol::ObjectRef, Asker>> askers_;
  Turn turn_;
};

}  // namespace fastgpu::actors
