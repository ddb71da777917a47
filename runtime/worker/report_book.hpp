#pragma once

/// What became of the tasks of one attempt, from their end until the leader has settled it.
///
/// Reports are batched: neighbours with the same outcome become one range. The times of a range are
/// the mean of its tasks'; everything else of an outcome must be equal to be shared.
/// Owned by the worker machine, one for each attempt held. A batch stays below `batch_bytes_max`,
/// so that a Finish fits a frame.

#include <cstdint>
#include <map>
#include <vector>

#include "runtime/base/limits.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::worker {

/// What one Finish carries.
struct ReportBatch {
  std::vector<protocol::TaskReport> reports;
  std::int64_t device_ns{};
};

class ReportBook {
 public:
  static constexpr std::size_t batch_bytes_max = base::limits::frame_bytes_max / 4;

  bool empty() const { return entries_.empty(); }
  std::uint32_t pending_tasks() const { return pending_tasks_; }
  std::size_t pending_bytes() const { return pending_bytes_; }
  /// Tasks that were told to the leader and are not settled.
  std::uint32_t told_tasks() const { return told_tasks_; }

  void add(std::uint32_t task, protocol::TaskOutcome outcome, std::int64_t device_ns);
  /// What was never told; it counts as told from now on.
  std::vector<ReportBatch> take_pending();
  /// Everything told and not settled, for telling it again.
  std::vector<ReportBatch> told() const;
  /// Forgets the reports of these tasks, told or not. Gives the tasks that are forgotten by it.
  std::vector<base::TaskRange> settle(base::TaskRange range);

 private:
  struct Entry {
    protocol::TaskReport report;
    std::int64_t device_ns{};
    bool told{false};
  };
  using Entries = std::map<std::uint32_t, Entry>;  ///< by first task; they never overlap

  void count(const Entry& entry, bool in);
  void merge_pending();
  std::vector<ReportBatch> batches(bool told) const;

  Entries entries_;
  std::uint32_t pending_tasks_{0};
  std::uint32_t told_tasks_{0};
  std::size_t pending_bytes_{0};
};

}  // namespace fastgpu::worker
