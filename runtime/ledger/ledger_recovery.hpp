#pragma once

/// What becomes of a shard's ledger when its group is founded anew from one replica's log (see
/// runtime/raft/recovery). Pure.
///
/// Jobs that only the lost replicas had were accepted under numbers that this ledger would give
/// again: whoever waits for one of them must not be told of another job. So the numbers go on far
/// behind those that can have been given; in between nothing was ever, and "there is no such job"
/// is the answer. Members get a version that no lost change of members can have had, so that every
/// node that is left follows this ledger from its first word on.

#include "runtime/base/ids.hpp"
#include "runtime/protocol/ledger_image.hpp"

namespace fastgpu::ledger {

/// More than a shard accepts in a day.
inline constexpr std::uint64_t job_numbers_skipped = 100'000'000;

/// `image` is all that the log did, `at` the index at which the new group's log begins.
protocol::LedgerImage refounded(protocol::LedgerImage image, base::LogIndex at);

}  // namespace fastgpu::ledger
