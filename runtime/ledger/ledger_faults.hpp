#pragma once

namespace fastgpu::ledger {

/// Rules broken on purpose, to see that the tests notice. All off outside of tests.
struct LedgerFaults {
  /// Record a Finish of an attempt below the floor, or of a task that has ended.
  bool ignore_fence{false};
  /// Answer Accepted when a submit is proposed instead of when it is committed.
  bool reply_before_durable{false};
  /// Place the commands of a silent node anew without proof that they do not run.
  bool place_without_proof{false};
  /// Send the Assign of commands before their placement is committed.
  bool assign_before_commit{false};
  /// Begin jobs although those that they wait for have not ended.
  bool start_before_parents{false};
  /// A snapshot does not bring back which request a job answers.
  bool forget_requests{false};
  /// A cancel changes the records of a job that has ended.
  bool cancel_ended{false};
  /// Take commands for gone at half of the lease that their worker was granted.
  bool halve_leases{false};
  /// What an earlier leader numbered counts for nothing: the same attempts are given again.
  bool reuse_attempts{false};
  /// Take over a snapshot without its last finished job.
  bool forget_in_snapshot{false};
  /// Answer clients from the state of a replica that only believes that it leads.
  bool read_without_majority{false};
};

}  // namespace fastgpu::ledger
