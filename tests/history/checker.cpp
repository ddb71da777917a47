#include "tests/history/checker.hpp"

#include <algorithm>
#include <array>

#include "tests/history/checks.hpp"
#include "tests/history/history_index.hpp"

namespace fastgpu::history {
namespace {

void count_calls(const Index& index, Figures& figures) {
  for (const auto& [op, operation] : index.operations) {
    if (operation.invoke == nullptr) {
      continue;
    }
    const bool ok = operation.is(Answer::ok);
    switch (operation.invoke->call) {
      case Call::submit:
        figures.submits_ok += ok ? 1 : 0;
        figures.submits_refused += operation.is(Answer::fail) ? 1 : 0;
        figures.submits_unknown += operation.is(Answer::unknown) ? 1 : 0;
        break;
      case Call::cancel:
        figures.cancels_ok += ok ? 1 : 0;
        break;
      case Call::read:
        figures.reads_ok += ok ? 1 : 0;
        break;
    }
  }
}

/// Executions of commands that came to their end when another one was recorded, or a cancel.
std::uint64_t refused_results(const Job& job, const JobView& view) {
  std::uint64_t refused = 0;
  for (const TaskRecord& record : view.ended) {
    const auto runs = job.runs.find(record.task);
    if (runs != job.runs.end()) {
      refused += std::count_if(runs->second.begin(), runs->second.end(), [&](const Run& run) {
        return run.end != nullptr && run.attempt != record.attempt;
      });
    }
  }
  return refused;
}

void count_runs(const Index& index, Figures& figures) {
  for (const auto& [id, job] : index.jobs) {
    for (const auto& [task, runs] : job.runs) {
      figures.executions += runs.size();
      ++figures.tasks_executed;
      figures.tasks_executed_again += runs.size() > 1 ? 1 : 0;
    }
    if (!job.says.empty()) {
      const JobView& view = job.says.front()->view;
      ++figures.jobs;
      figures.tasks += view.tasks;
      figures.results_refused += refused_results(job, view);
      figures.tasks_cancelled +=
          std::count_if(view.ended.begin(), view.ended.end(),
                        [](const TaskRecord& record) { return record.state == "cancelled"; });
    }
  }
}

}  // namespace

const char* name_of(Check check) {
  constexpr std::array names{"one_outcome", "no_strangers", "one_job_per_key", "right_result",
                             "no_overlap",  "all_end",      "no_undoing",      "fresh_reads"};
  static_assert(names.size() == check_count);
  return names.at(static_cast<std::size_t>(check) - 1);
}

Verdict check(History history) {
  const Index index = index_of(history);
  Verdict verdict;
  Findings findings(verdict);
  count_calls(index, verdict.figures);
  count_runs(index, verdict.figures);
  check_one_outcome(index, findings);
  check_no_strangers(index, findings);
  check_one_job_per_key(index, findings);
  check_right_result(index, findings);
  check_no_overlap(index, findings);
  check_all_end(index, findings);
  check_no_undoing(index, findings);
  check_fresh_reads(index, findings);
  return verdict;
}

}  // namespace fastgpu::history
