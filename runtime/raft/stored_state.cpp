#include "runtime/raft/stored_state.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/base/crc32c.hpp"

namespace fastgpu::raft {
namespace {

base::Error corrupt(const std::string& what) {
  return {base::ErrorKind::lost, base::ErrorCode::corrupt, "the stored log is damaged: " + what,
          "remove this replica's data and let it join again as a new node"};
}

/// The first entry that does not continue the one before; entries.size() if all do.
std::size_t first_wrong(const StoredState& state, Fault fault) {
  LogPosition position = state.before_first;
  Chain chain = state.before_chain;
  for (std::size_t i = 0; i < state.entries.size(); ++i) {
    const Entry& entry = state.entries[i];
    const Chain expected = fault == Fault::no_chain ? entry.chain : chain_after(chain, entry);
    if (entry.index.value != position.index.value + 1 || entry.term < position.term ||
        entry.term > state.hard.term || entry.chain != expected) {
      return i;
    }
    position = entry.position();
    chain = entry.chain;
  }
  return state.entries.size();
}

}  // namespace

void apply(StoredState& state, const Persist& persist) {
  if (persist.hard) {
    state.hard = *persist.hard;
  }
  if (persist.cut_from) {
    std::erase_if(state.entries,
                  [&](const Entry& entry) { return entry.index >= *persist.cut_from; });
  }
  if (persist.snapshot) {
    state.snapshot = *persist.snapshot;
  }
  if (persist.clear_log) {
    state.entries.clear();
    state.before_first = state.snapshot.last;
    state.before_chain = state.snapshot.chain;
  }
  if (persist.drop_through) {
    auto gone = state.entries.begin();
    while (gone != state.entries.end() && gone->index <= *persist.drop_through) {
      state.before_first = gone->position();
      state.before_chain = gone->chain;
      ++gone;
    }
    state.entries.erase(state.entries.begin(), gone);
  }
  for (const Entry& entry : persist.entries) {
    FASTGPU_CHECK(entry.index.value == state.last().index.value + 1, "an append leaves a hole");
    state.entries.push_back(entry);
  }
}

base::Result<StoredState> checked(StoredState state, Fault fault) {
  if (state.before_first.index > state.snapshot.last.index) {
    return corrupt("entries after the snapshot's end are missing");
  }
  if (state.snapshot.last.term > state.hard.term) {
    return corrupt("the snapshot is of a term that was never stored");
  }
  if (base::crc32c(state.snapshot.data.span()) != state.snapshot.data_crc32c) {
    return corrupt("the snapshot has another checksum");
  }
  const std::size_t wrong = first_wrong(state, fault);
  if (wrong < state.entries.size()) {
    if (fault != Fault::cut_at_damage) {
      return corrupt("entry " + std::to_string(state.entries[wrong].index.value) +
                     " does not continue the one before");
    }
    state.entries.erase(state.entries.begin() + static_cast<std::ptrdiff_t>(wrong),
                        state.entries.end());
  }
  if (state.last().index < state.snapshot.last.index) {
    return corrupt("the log ends before its snapshot");
  }
  return state;
}

base::Result<StoredState> founded(const StoredState& pristine, base::NodeId self,
                                  const Configuration& members) {
  if (!pristine.pristine()) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::conflict,
                       "this store already belongs to a group",
                       "found a group on empty stores only"};
  }
  if (!members.has_voter(self, pristine.store)) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       "a founder is not in the list of founders with its own store",
                       "give every founder the same list"};
  }
  StoredState state = pristine;
  state.hard.term = {1};
  Entry entry;
  entry.index = {1};
  entry.term = {1};
  entry.kind = EntryKind::configuration;
  entry.configuration = members;
  entry.chain = chain_after({}, entry);
  state.entries.push_back(std::move(entry));
  return state;
}

}  // namespace fastgpu::raft
