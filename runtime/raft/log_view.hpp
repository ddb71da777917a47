#pragma once

/// The log of a replica as its machine sees it: the entries after the snapshot's kept prefix, the
/// members that each of them puts in force, and how much of it is known to be on disk.
///
/// Place: owned by RaftMachine; changed first, then written (Persist), then reported (Persisted).
/// "Persisted" is always a prefix of what is here: a cut lowers it at once and takes what is still
/// under way with it, so a late report never counts an entry that was cut since. Nothing fails;
/// broken promises of callers abort.

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "runtime/raft/raft_faults.hpp"
#include "runtime/raft/raft_types.hpp"
#include "runtime/raft/stored_state.hpp"

namespace fastgpu::raft {

class LogView {
 public:
  LogView(const StoredState& stored, Fault fault);

  LogPosition before_first() const { return before_first_; }
  LogPosition last() const { return entries_.empty() ? before_first_ : entries_.back().position(); }
  /// None outside of [before_first, last].
  std::optional<base::Term> term_at(base::LogIndex index) const;
  Chain chain_at(base::LogIndex index) const;
  const Entry& at(base::LogIndex index) const;
  bool holds(const LogPosition& position) const { return term_at(position.index) == position.term; }
  /// The first entry of the term that `index` is of.
  base::LogIndex first_of_term_at(base::LogIndex index) const;

  /// Adds after the last one, with its chain.
  const Entry& append(Entry entry);
  void cut_from(base::LogIndex index);
  void drop_through(base::LogIndex index);
  /// Everything is replaced by the snapshot, which is on disk.
  void reset_to(const Snapshot& snapshot);

  /// The newest members in the log: in force, committed or not.
  const Configuration& active() const;
  base::LogIndex active_index() const;
  /// Those that the active ones replaced, if that is still in the log.
  const Configuration* before_active() const;
  /// The members in force at `index`, at or after the snapshot.
  const Configuration& members_at(base::LogIndex index) const;
  void forget_members_before(base::LogIndex index);

  /// Everything here through this is on disk.
  LogPosition persisted() const;
  std::size_t unpersisted_bytes() const { return unpersisted_bytes_; }
  /// All that is here now is on its way to disk with this tag.
  void issued(PersistTag tag);
  void completed(PersistTag up_to);

 private:
  struct Issued {
    PersistTag tag;
    base::LogIndex last;
  };
  struct Members {
    base::LogIndex index;
    Configuration configuration;
  };
  std::size_t offset(base::LogIndex index) const;

  const Fault fault_;
  LogPosition before_first_;
  Chain before_chain_;
  std::deque<Entry> entries_;
  std::deque<Members> members_;  ///< the first is the base; never empty
  base::LogIndex persisted_;
  std::deque<Issued> issued_;
  std::size_t unpersisted_bytes_{0};
};

}  // namespace fastgpu::raft
