#pragma once

/// All that can happen to a replica. Tokens are chosen by the caller, unique in a machine's life.

#include <cstdint>
#include <variant>

#include "runtime/base/replicated_log.hpp"
#include "runtime/raft/raft_messages.hpp"

namespace fastgpu::raft {

/// The first event: what is stored is given out, timers begin.
struct Started {
  bool operator==(const Started&) const = default;
};
/// next_deadline() has come.
struct Tick {
  bool operator==(const Tick&) const = default;
};
struct Received {
  Message message;
  bool operator==(const Received&) const = default;
};
/// Everything of the Persists with tags through this one is on disk for good.
struct Persisted {
  PersistTag up_to;
  bool operator==(const Persisted&) const = default;
};
/// A write or sync failed: whether it is on disk is not known. The machine halts.
struct PersistFailed {
  bool operator==(const PersistFailed&) const = default;
};
struct Propose {
  base::LogToken token;
  base::Bytes command;
  bool operator==(const Propose&) const = default;
};
struct Read {
  base::LogToken token;
  bool operator==(const Read&) const = default;
};
/// `data` holds what entries through `index` did; they were given out before.
struct Compact {
  base::LogIndex index;
  base::Bytes data;
  bool operator==(const Compact&) const = default;
};
enum class MemberChange : std::uint8_t {
  add_learner,
  promote,  ///< a learner that has caught up becomes a voter
  demote,   ///< a voter becomes a learner
  remove,
};
struct ChangeMembers {
  base::LogToken token;
  MemberChange change{};
  base::NodeId node;
  StoreId store;  ///< of a new learner
  bool operator==(const ChangeMembers&) const = default;
};
/// The leader hands over to a voter; it goes on leading if that does not succeed in time.
struct Transfer {
  base::LogToken token;
  base::NodeId to;
  bool operator==(const Transfer&) const = default;
};

/// The connection to this node broke, or it was silent for long. It proves nothing.
struct PeerLost {
  base::NodeId node;
  bool operator==(const PeerLost&) const = default;
};

using Event = std::variant<Started, Tick, Received, Persisted, PersistFailed, Propose, Read,
                           Compact, ChangeMembers, Transfer, PeerLost>;

}  // namespace fastgpu::raft
