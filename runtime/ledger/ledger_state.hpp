#pragma once

/// The durable truth of one shard: jobs, outcomes, usage and (shard 0) members, as its log tells.
///
/// Place: every replica applies the same entries in the same order and so has the same state; the
/// leader acts on what `apply` tells. Owned by ShardMachine. Nothing fails: a record that a rule
/// refuses changes nothing and the answer says why. Pure: no clock, no randomness.
///
/// The fence. A task's *floor* is the greatest attempt placed for it. A Finish counts for tasks
/// that are not terminal and whose floor it reaches; a failed attempt that leaves retries closes
/// its floor, so the same attempt cannot fail twice. What comes first in the log wins, for good:
/// a terminal record is never changed.
/// Retries. A reported failure is counted when its Finish is applied, a lost attempt when the next
/// placement names the cause node_failure: each attempt once.
/// Dependencies. A job whose spec names others waits until each is recorded to have ended as asked;
/// until then placements and finishes of it change nothing. One that ended otherwise cancels it.
/// Limits: RetentionLimits for finished jobs; the oldest finished go first. Live jobs are bounded
/// by who proposes. Applying a submit is O(1) for any number of tasks.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/ledger/ledger_applied.hpp"
#include "runtime/ledger/ledger_faults.hpp"
#include "runtime/ledger/ledger_job.hpp"
#include "runtime/ledger/shard_limits.hpp"
#include "runtime/ledger/tables/member_book.hpp"
#include "runtime/protocol/ledger_image.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::ledger {

class LedgerState {
 public:
  LedgerState(base::ShardId shard, base::ShardLayout layout, RetentionLimits retention = {},
              LedgerFaults faults = {});

  base::ShardId shard() const { return shard_; }
  base::LogIndex applied() const { return applied_; }
  const std::map<base::JobId, Job>& jobs() const { return jobs_; }
  const Job* find(base::JobId job) const;
  /// The job of a submit that is remembered; null otherwise.
  const Job* find(const base::RequestId& request) const;
  std::size_t live_jobs() const { return jobs_.size() - finished_.size(); }
  const std::deque<base::JobId>& finished() const { return finished_; }
  std::uint64_t finished_bytes() const { return finished_bytes_; }
  std::uint64_t next_job_sequence() const { return next_job_sequence_; }
  /// Of the root shard; of others empty.
  const MemberBook& members() const { return members_; }

  protocol::LedgerImage image() const;
  /// Takes over a state; what was there is gone.
  void restore(const protocol::LedgerImage& image);

  /// Applies the next entry of the log. Entries at or below `applied()` change nothing.
  std::vector<Applied> apply(base::LogIndex index, const protocol::Entry& entry);

 private:
  using Changes = std::vector<Applied>;
  void apply_record(const protocol::SubmitRecord& record, Changes& changes);
  void apply_record(const protocol::PlacedRecord& record, Changes& changes);
  void apply_record(const protocol::FinishRecord& record, Changes& changes);
  void apply_record(const protocol::ReleasedRecord& record, Changes& changes);
  void apply_record(const protocol::CancelRecord& record, Changes& changes);
  void apply_record(const protocol::GiveUpRecord& record, Changes& changes);
  void apply_record(const protocol::MemberRecord& record, Changes& changes);
  void apply_record(const protocol::MemberStateRecord& record, Changes& changes);
  void apply_record(const protocol::TokenRecord& record, Changes& changes);
  void apply_record(const protocol::ClientKeyRecord& record, Changes& changes);
  void apply_record(const protocol::ReplicasRecord& record, Changes& changes);
  void apply_record(const protocol::DependencyRecord& record, Changes& changes);

  Job* live_job(base::JobId job);
  void end_live_tasks(Job& job, const TaskRanges& ranges, protocol::TaskOutcome outcome,
                      Changes& changes);
  /// True in the root shard; elsewhere the request is refused.
  bool is_root(const base::RequestId& request, Changes& changes) const;
  void end_job_if_done(Job& job, base::WallTimeMs at_ms, Changes& changes);
  void forget_oldest(Changes& changes);

  const base::ShardId shard_;
  const base::ShardLayout layout_;
  const RetentionLimits retention_;
  const LedgerFaults faults_;

  base::LogIndex applied_;
  std::uint64_t next_job_sequence_{1};
  std::map<base::JobId, Job> jobs_;
  std::map<base::RequestId, base::JobId> requests_;
  std::deque<base::JobId> finished_;
  std::uint64_t finished_bytes_{0};
  MemberBook members_;
};

}  // namespace fastgpu::ledger
