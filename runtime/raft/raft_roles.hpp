#pragma once

/// What a replica knows in each role. A role's state is made when the role begins and gone when it
/// ends, so nothing learned from one leader, or counted in one term, is ever used in another.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "runtime/base/replicated_log.hpp"
#include "runtime/base/time.hpp"
#include "runtime/raft/progress.hpp"

namespace fastgpu::raft {

/// A snapshot that arrives in pieces.
struct Incoming {
  SnapshotChunk about;  ///< of the first piece
  std::vector<std::uint8_t> data;
};

struct Follower {
  std::optional<base::NodeId> leader;  ///< of this term, if heard
  StoreId leader_store;
  base::Time heard{};
  base::LogIndex checked;  ///< through here the log is the same as this leader's
  base::LogIndex told;     ///< match of the last reply
  Round round;             ///< the latest heard
  Round round_told;
  std::optional<Incoming> incoming;
};

struct PreCandidate {
  std::set<base::NodeId> granted;
};

struct Candidate {
  PersistTag own_vote;  ///< counts once this is on disk
  std::set<base::NodeId> granted;
};

struct Leader {
  struct Proposal {
    base::LogIndex index;
    base::LogToken token;
    std::size_t bytes{};
  };
  /// Reads that one round confirms.
  struct ReadRound {
    Round round;
    base::LogIndex index;  ///< committed when the round began
    std::vector<base::LogToken> tokens;
  };
  struct Handover {
    base::LogToken token;
    base::NodeId to;
    base::Time until;
    bool told{false};
  };

  base::LogIndex first_own;  ///< the no-op of this term
  bool ready{false};         ///< it is committed: everything of earlier terms is too
  std::map<base::NodeId, Progress> peers;
  base::Time heartbeat_at{};
  base::Time quorum_check_at{};
  Round round;
  std::deque<Proposal> proposals;  ///< in index order
  std::size_t proposal_bytes{0};
  std::vector<base::LogToken> reads_waiting;  ///< for the next round
  std::optional<ReadRound> reading;
  std::optional<Handover> handover;
};

using Role = std::variant<Follower, PreCandidate, Candidate, Leader>;
enum class RoleKind : std::uint8_t { follower, pre_candidate, candidate, leader };

}  // namespace fastgpu::raft
