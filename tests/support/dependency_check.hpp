#pragma once

/// The rule of `--after` once more, task by task and apart from the ledger's own: for whoever
/// watches a history.

#include <string>

#include "runtime/ledger/ledger_job.hpp"

namespace fastgpu::testing {

/// The job, null where no ledger has it, has ended in that way.
inline bool has_ended_so(const ledger::Job* parent, protocol::DependencyKind kind) {
  if (parent == nullptr) {
    return false;
  }
  bool ended = true;
  bool well = true;
  parent->tasks.for_each([&](base::TaskRange, const protocol::TaskRecord& record) {
    ended = ended && bool(record.outcome);
    well = well && record.outcome && record.outcome->state == protocol::TaskState::succeeded;
  });
  switch (kind) {
    case protocol::DependencyKind::ok:
      return ended && well;
    case protocol::DependencyKind::fail:
      return ended && !well;
    case protocol::DependencyKind::any:
      return ended;
  }
  return false;
}

/// What is wrong with the end of a job of which a condition does not hold; empty when nothing is.
inline std::string wrong_end_of_held_back(const ledger::Job& job) {
  if (!job.attempts.empty()) {
    return "was placed although what it waits for has not ended so";
  }
  bool all_cancelled = true;
  job.tasks.for_each([&](base::TaskRange, const protocol::TaskRecord& record) {
    all_cancelled =
        all_cancelled && record.outcome && record.outcome->state == protocol::TaskState::cancelled;
  });
  return all_cancelled ? "" : "can never begin and was not cancelled";
}

}  // namespace fastgpu::testing
