#pragma once

/// The values of a replicated group: its members, entries of its log, what a replica has on disk.
/// Plain data, compared and copied; bytes are shared. Nothing here fails.

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::raft {

using base::StoreId;
/// Names a Persist; from 1 in each life of a machine, each greater by one.
using PersistTag = base::Id<struct PersistTagTag, std::uint64_t>;
/// Counts a leader's questions "do you still follow me?" within its term.
using Round = base::Id<struct RoundTag, std::uint64_t>;
/// A hash over an entry and all before it. Against accidents, not attackers.
using Chain = base::Id<struct ChainTag, std::uint64_t>;

struct LogPosition {
  base::LogIndex index;
  base::Term term;
  bool operator==(const LogPosition&) const = default;
};
/// A log that ends at `a` has all that a majority can hold of a log that ends at `b`.
constexpr bool up_to_date(const LogPosition& a, const LogPosition& b) {
  return a.term != b.term ? a.term > b.term : a.index >= b.index;
}

struct Member {
  base::NodeId node;
  StoreId store;
  bool voter{true};  ///< else a learner: gets the log, is never counted, never campaigns
  bool operator==(const Member&) const = default;
};

/// Who belongs to the group. In force from the moment it is appended, before it is committed.
struct Configuration {
  std::vector<Member> members;  ///< by node, ascending
  bool operator==(const Configuration&) const = default;

  const Member* find(base::NodeId node) const;
  bool has_voter(base::NodeId node, StoreId store) const;
  std::size_t voters() const;
  std::size_t majority() const { return voters() / 2 + 1; }
};

enum class EntryKind : std::uint8_t {
  no_op,          ///< opens a term
  command,        ///< what the group is for
  configuration,  ///< a change of members
};

struct Entry {
  base::LogIndex index;
  base::Term term;
  EntryKind kind{EntryKind::no_op};
  base::Bytes data;             ///< of a command; opaque here
  Configuration configuration;  ///< of a change of members: all members after it
  Chain chain;                  ///< over this entry and all before; set by the leader's log
  bool operator==(const Entry&) const = default;

  LogPosition position() const { return {index, term}; }
  std::size_t size_bytes() const {
    return data.size() + configuration.members.size() * sizeof(Member) + 48;
  }
};

/// The chain of `entry` after one that ends in `previous`.
Chain chain_after(Chain previous, const Entry& entry);

/// One record on disk: a term without its vote, or the other way round, would allow two votes.
struct HardState {
  base::Term term;
  std::optional<base::NodeId> vote;  ///< in this term
  bool operator==(const HardState&) const = default;
};

/// All that entries through `last` did. `configuration` is the one in force at `last`, not later.
struct Snapshot {
  LogPosition last;
  Chain chain;  ///< of the entry at `last`
  Configuration configuration;
  base::Bytes data;
  std::uint32_t data_crc32c{};
  bool operator==(const Snapshot&) const = default;
};

}  // namespace fastgpu::raft
