#pragma once

/// All that a replica can do to the world. A step's effects are performed in order. There is at
/// most one Persist in a step, and it comes first. A Send never waits for a Persist of its own
/// list: what depends on a disk is sent by the step of that Persisted.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/replicated_log.hpp"
#include "runtime/raft/raft_messages.hpp"

namespace fastgpu::raft {

/// All of it or nothing goes to disk, after everything with smaller tags; then Persisted is told.
/// Within it: cut, then the snapshot, then the prefix goes, then entries are added (see apply() in
/// stored_state.hpp). A failed write is PersistFailed. The epoch stands beside the stored state.
struct Persist {
  PersistTag tag;
  std::optional<HardState> hard;
  std::optional<base::LogIndex> cut_from;  ///< this entry and later ones go
  std::optional<Snapshot> snapshot;
  bool clear_log{false};                       ///< all entries go: the log begins at the snapshot
  std::optional<base::LogIndex> drop_through;  ///< this entry and earlier ones go
  std::vector<Entry> entries;
  bool urgent{false};  ///< others wait for it (a term, a vote): do not gather, write at once
  std::optional<base::Epoch> epoch{};  ///< the log is of this founding of the group from now on
  bool operator==(const Persist&) const = default;
};
struct Send {
  Message message;
  bool may_wait{false};  ///< a little, for others to the same node: it brings no news
  bool operator==(const Send&) const = default;
};
/// For good, on a majority. In index order, each once in a machine's life.
struct Committed {
  Entry entry;
  std::optional<base::LogToken> token;  ///< if this replica proposed it and has led ever since
  bool operator==(const Committed&) const = default;
};
/// The state at the snapshot's end replaces all that was given out.
struct Restored {
  Snapshot snapshot;
  bool operator==(const Restored&) const = default;
};
/// Leads, and everything of earlier terms was given out.
struct Leading {
  base::Epoch epoch;
  base::Term term;
  bool operator==(const Leading&) const = default;
};
/// Leads no longer, or follows somebody else than before.
struct NotLeading {
  std::optional<base::NodeId> leader;
  bool operator==(const NotLeading&) const = default;
};
struct ReadReady {
  base::LogToken token;
  base::LogIndex index;  ///< given out before this effect
  bool operator==(const ReadReady&) const = default;
};
/// It may yet be committed, or a read was not confirmed. Never to be told as failed.
struct OutcomeUnknown {
  base::LogToken token;
  bool operator==(const OutcomeUnknown&) const = default;
};
enum class Refusal : std::uint8_t {
  not_leading,
  full,            ///< too much in flight, or a transfer is under way
  too_large,       ///< longer than RaftLimits::entry_bytes_max
  change_pending,  ///< one change of members at a time, and none before the term's no-op
  not_caught_up,   ///< the learner is too far behind to vote
  no_such_member,
  no_change,  ///< it is like that already, or no voter would be left
};
/// Surely not done. In the same step as the event.
struct Refused {
  base::LogToken token;
  Refusal why{};
  bool operator==(const Refused&) const = default;
};
enum class AlarmKind : std::uint8_t {
  wrong_address,     ///< not for this node
  earlier_epoch,     ///< of a replica that is no part of the group since it was founded anew
  later_epoch,       ///< the group was founded anew, without this replica
  wrong_store,       ///< of, or for, a disk that is not the member's: it was lost or swapped
  not_a_member,      ///< answers or orders from outside of the group
  term_far_ahead,    ///< beyond belief
  malformed,         ///< entries out of order, index 0, more than the limits, a broken chain
  second_leader,     ///< entries of our own term while we lead it, or two leaders in a term
  beyond_our_log,    ///< acknowledges what this leader does not have
  not_from_leader,   ///< an order that only the leader may give
  damaged_snapshot,  ///< its data has another checksum
};
/// A message was dropped because no sound peer sends it: counted, shown to the operator.
struct Alarm {
  AlarmKind kind{};
  base::NodeId from;
  bool operator==(const Alarm&) const = default;
};
/// The process must end: it cannot know what is on its disk. Said again at every further step.
struct Halt {
  std::string why;
  bool operator==(const Halt&) const = default;
};

using Effect = std::variant<Persist, Send, Committed, Restored, Leading, NotLeading, ReadReady,
                            OutcomeUnknown, Refused, Alarm, Halt>;
using Effects = std::vector<Effect>;

}  // namespace fastgpu::raft
