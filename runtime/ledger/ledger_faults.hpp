#pragma once

namespace fastgpu::ledger {

/// Rules broken on purpose, to see that the tests notice. All off outside of tests.
struct LedgerFaults {
  /// Record a Finish of an attempt below the floor, or of a task that has ended.
  bool ignore_fence{false};
  /// Answer Accepted when a submit is proposed instead of when it is committed.
  bool reply_before_durable{false};
};

}  // namespace fastgpu::ledger
