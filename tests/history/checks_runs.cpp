#include <algorithm>

#include "tests/history/checks.hpp"

namespace fastgpu::history {
namespace {

std::string milliseconds(Stamp from, Stamp to) {
  return std::to_string((to - from) / 1'000'000) + " ms";
}

/// A kernel's result follows from its arguments; whoever ran it.
void check_value(const Job& job, const Invoke& submit, const TaskRecord& record,
                 Findings& findings) {
  const std::string wanted = std::to_string(submit.value + record.task);
  if (record.content != wanted) {
    findings.add(Check::right_result, describe(job, record.task) + " " + describe(record) +
                                          ", but it computes " + wanted);
  }
}

/// A command's result names its execution: it must be the one of the recorded attempt.
void check_origin(const Job& job, const TaskRecord& record, Findings& findings) {
  const auto runs = job.runs.find(record.task);
  const Run* winner = nullptr;
  if (runs != job.runs.end()) {
    for (const Run& run : runs->second) {
      winner = run.attempt == record.attempt ? &run : winner;
    }
  }
  if (winner == nullptr || winner->end == nullptr) {
    findings.add(Check::right_result, describe(job, record.task) + " " + describe(record) +
                                          ", but that attempt never came to its end");
  } else if (winner->end->content != record.content || winner->node != record.node) {
    findings.add(Check::right_result, describe(job, record.task) + " " + describe(record) +
                                          ", but that attempt ran on " + winner->node +
                                          " and left " + winner->end->content);
  }
}

}  // namespace

void check_right_result(const Index& index, Findings& findings) {
  for (const auto& [key, request] : index.requests) {
    if (request.submits.empty()) {
      continue;
    }
    for (const std::uint64_t id : request.jobs) {
      const Job& job = index.jobs.at(id);
      if (job.says.empty()) {
        continue;
      }
      for (const TaskRecord& record : job.says.front()->view.ended) {
        if (record.state != "succeeded") {
          continue;
        }
        if (request.first().kind == Kind::kernel) {
          check_value(job, request.first(), record, findings);
        } else {
          check_origin(job, record, findings);
        }
      }
    }
  }
}

void check_no_overlap(const Index& index, Findings& findings) {
  for (const auto& [id, job] : index.jobs) {
    for (const auto& [task, runs] : job.runs) {  // by their starts
      const Run* longest = &runs.front();
      for (std::size_t i = 1; i < runs.size(); ++i) {
        if (runs[i].first < longest->last) {
          ++findings.figures().overlaps;
          findings.add(Check::no_overlap,
                       describe(job, task) + " ran twice at once for " +
                           milliseconds(runs[i].first, std::min(longest->last, runs[i].last)) +
                           ": as " + longest->attempt + " on " + longest->node + " and as " +
                           runs[i].attempt + " on " + runs[i].node);
        }
        longest = runs[i].last > longest->last ? &runs[i] : longest;
      }
    }
  }
}

}  // namespace fastgpu::history
