#pragma once

/// Between the keeper of a group's members and the group's log: shows the one how the other stands
/// whenever something has changed or is due, and passes on what it asks for.
///
/// Place: owned by the shard actor, which tells it plans, who is up and whose disks hold whom, and
/// lets it look after each turn of the log; on every replica. No thread, no clock. Failure: what
/// the log refuses the keeper hears. Cheap while nothing changes: a look compares a few numbers.

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "actors/replica/raft_log.hpp"
#include "runtime/protocol/member_lists.hpp"
#include "runtime/raft/keeper/group_keeper.hpp"

namespace fastgpu::actors {

class MembersDesk {
 public:
  using Trace = std::function<void(const std::string&)>;

  /// `log` outlives it.
  MembersDesk(base::NodeId self, RaftLog& log, Trace trace, raft::KeeperLimits limits = {});

  const raft::GroupKeeper& keeper() const { return keeper_; }
  std::optional<base::Time> next_deadline() const;

  void know(raft::Plan plan, base::Time now);
  void see(std::set<base::NodeId> up);
  void hear(protocol::SharedMemberLists lists);
  /// After a turn of the log, or when `next_deadline` has come.
  void look(base::Time now);

 private:
  /// What of the log is worth another look once it has changed.
  struct Mark {
    bool leads{false};
    bool handing_over{false};
    bool changing{false};
    base::LogIndex members;
    bool operator==(const Mark&) const = default;
  };
  Mark mark() const;
  raft::GroupSight sight() const;
  bool act(const raft::KeeperEffect& effect, base::Time now);

  RaftLog& log_;
  const Trace trace_;
  raft::GroupKeeper keeper_;
  std::set<base::NodeId> up_;
  protocol::SharedMemberLists lists_;  ///< null: nobody is known to know anybody
  std::optional<Mark> seen_;           ///< none: look anyway
};

}  // namespace fastgpu::actors
