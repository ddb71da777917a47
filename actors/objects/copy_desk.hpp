#pragma once

/// Copies on other nodes of what this one has pinned: puts what CopyMachine decides into words, and
/// holds back the answers that wait for copies; each comes out once, at its deadline the latest.
/// Beneath the objects actor, which sends what `end_turn` gives, and calls on its own thread.

#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "actors/folder_desk.hpp"
#include "actors/node_context.hpp"
#include "actors/pin_desk.hpp"
#include "runtime/objects/copies/copy_machine.hpp"

namespace fastgpu::actors {

/// An answer to a gateway's ObjectPin.
using PinnedFor = std::pair<base::NodeId, protocol::ObjectPinned>;
/// One for the worker of its `device`.
using WorkerAnswer = std::variant<protocol::FolderReady, protocol::FolderCollected, protocol::Kept>;

class CopyDesk {
 public:
  /// What came of a turn.
  struct Turn {
    std::vector<std::pair<base::NodeId, protocol::KeepCopies>> asked;
    std::vector<PinnedFor> pinned;
    std::vector<WorkerAnswer> answers;
    std::size_t fewer{0};  ///< objects of those answers with fewer copies than they should have
    std::optional<protocol::CopiesStand> stand;  ///< where it is another than in the last turn
  };

  CopyDesk(const objects::BlobStore& store, const NodeContext& node);

  std::optional<base::Time> next_deadline() const { return machine_.next_deadline(); }
  void tick(base::Time now) { step(objects::CopyTick{}, now); }
  void see(const protocol::SharedView& view, base::Time now);
  void hear(base::NodeId node, const protocol::CopiesKept& kept, base::Time now);
  /// Whom to ask for an object that is not here, `first` before others; nobody: it is lost.
  std::vector<base::NodeId> sources_of(const protocol::ObjectRef& object,
                                       base::NodeId first = {}) const {
    return objects::sources_of(object.hash, object.home, first, self_, members_);
  }
  /// For one who does not wait for a node that is down; nobody where no copies are kept.
  std::vector<base::NodeId> sources_not_down(const protocol::ObjectRef& object) const {
    return replicated_ ? objects::sources_not_down(object.hash, object.home, self_, members_)
                       : std::vector<base::NodeId>{};
  }

  // --- answers that wait for copies --------------------------------------------------------------
  /// The answer to this is held already.
  bool holds(base::NodeId node, const protocol::ObjectPin& pin) const;
  void hold(base::NodeId node, const protocol::ObjectPin& pin, protocol::ObjectPinned answer);
  void hold(base::JobId job, protocol::Kept answer);
  /// Whose outputs these will be.
  void expect(const protocol::CollectFolder& collect);
  /// One that a folder is ready waits for nothing.
  void hold(FolderAnswer answer);

  /// `pins`: what was pinned and unpinned in this turn.
  Turn end_turn(const PinDesk::Turn& pins, base::Time now);

 private:
  using HeldAnswer = std::variant<PinnedFor, WorkerAnswer>;
  struct Held {
    HeldAnswer answer;
    objects::PinOwner owner;
    std::vector<base::ObjectHash> hashes;
    base::Duration wait{};
  };

  void hold(Held held);
  void give(HeldAnswer answer);
  void step(const objects::CopyEvent& event, base::Time now);
  void perform(const objects::AskCopies& ask);
  void perform(const objects::CopiesSettled& settled);

  const objects::BlobStore& store_;
  const base::NodeId self_;
  const base::ShardLayout layout_;
  const bool replicated_;
  objects::CopyMachine machine_;
  std::vector<objects::CopyMember> members_;
  std::uint64_t members_version_{0};            ///< of the list in the last view
  std::optional<protocol::CopiesStand> stand_;  ///< as told last
  std::map<std::pair<base::DeviceId, protocol::StageToken>, base::JobId> collecting_;
  std::vector<Held> fresh_;  ///< held in this turn
  std::map<objects::CopyWaiter, HeldAnswer> held_;
  objects::CopyWaiter last_waiter_;
  Turn turn_;
};

}  // namespace fastgpu::actors
