#include "runtime/raft/recovery/refounding.hpp"

#include <utility>

#include "runtime/base/crc32c.hpp"

namespace fastgpu::raft {

const Configuration& members_in(const StoredState& stored) {
  for (auto entry = stored.entries.rbegin(); entry != stored.entries.rend(); ++entry) {
    if (entry->kind == EntryKind::configuration) {
      return entry->configuration;
    }
  }
  return stored.snapshot.configuration;
}

bool votes_alone(const StoredState& stored, base::NodeId self) {
  const Configuration& members = members_in(stored);
  return members.voters() == 1 && members.has_voter(self, stored.store);
}

base::LogIndex refounding_index(const StoredState& stored) {
  return {stored.last().index.value + indices_skipped};
}

base::Result<Persist> refounding(const StoredState& stored, base::Epoch epoch, base::NodeId self,
                                 base::Bytes data) {
  if (!stored.last().index) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                       "this store has no log of the group",
                       "recover a node that held one of its replicas"};
  }
  if (votes_alone(stored, self)) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::conflict,
                       "this replica is the only voter of its group: it lacks no majority",
                       "start the node"};
  }
  // As if the new group's first entry were appended and all before it were in its snapshot.
  Entry first;
  first.index = refounding_index(stored);
  first.term = {stored.hard.term.value + 1};
  first.kind = EntryKind::configuration;
  first.configuration.members = {{self, stored.store, true}};
  first.chain = chain_after(
      stored.entries.empty() ? stored.before_chain : stored.entries.back().chain, first);
  Persist persist;
  persist.epoch = base::Epoch{epoch.value + self.value};
  persist.hard = HardState{first.term, std::nullopt};
  persist.snapshot =
      Snapshot{first.position(), first.chain, first.configuration, data, base::crc32c(data.span())};
  persist.clear_log = true;
  persist.urgent = true;
  return persist;
}

}  // namespace fastgpu::raft
