#pragma once

/// A group that has lost its majority for good is founded anew: from the log of one replica, which
/// is its only voter from then on, with a greater epoch.
///
/// Place: the last resort of an operator (`fastgpu-node recover`), on a node that does not run. The
/// store's adapter loads a StoredState, this says what to write, and the next start goes on from
/// there as a group of one. Pure; owned by nobody.
/// All entries of the log count as committed, whether they were or not: which of them a majority
/// had cannot be known any more. What other replicas had beyond it is lost.
/// The log begins anew with a snapshot far behind its end, so that nothing of the lost part is ever
/// taken for something newer: whoever compares indices, as members and pins do, sees them grow.
/// The epoch grows by the number of the node: two nodes that found the same group anew by mistake
/// get different epochs, and the greater one silences the other (see the machine) where one group
/// with two logs would be neither.
/// Failure: `refounding` refuses a store without a log of the group, and a replica that has a
/// majority by itself, so that doing it twice changes nothing.

#include "runtime/base/result.hpp"
#include "runtime/raft/raft_effects.hpp"
#include "runtime/raft/stored_state.hpp"

namespace fastgpu::raft {

/// Between the last entry that is left and the first of the group founded anew: more than a lost
/// replica can have been ahead.
inline constexpr std::uint64_t indices_skipped = 1'000'000'000;

/// Who belongs to the group, as the log's newest entry about it says.
const Configuration& members_in(const StoredState& stored);

/// The replica can go on alone: nothing is to be recovered.
bool votes_alone(const StoredState& stored, base::NodeId self);

/// Where the log goes on: the index that the snapshot for `refounding` is of.
base::LogIndex refounding_index(const StoredState& stored);

/// What makes `stored`, a whole log of `epoch` on the disk of `self`, that of the group founded
/// anew. `data` is a snapshot of all that its entries did, as of refounding_index(). One Persist:
/// all of it or nothing is on the disk.
base::Result<Persist> refounding(const StoredState& stored, base::Epoch epoch, base::NodeId self,
                                 base::Bytes data);

}  // namespace fastgpu::raft
