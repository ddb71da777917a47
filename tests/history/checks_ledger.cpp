#include <algorithm>
#include <map>
#include <set>

#include "tests/history/checks.hpp"

namespace fastgpu::history {
namespace {

/// The records of a view by task; a task with two of them is told to `findings`.
std::map<std::uint32_t, const TaskRecord*> records_of(const JobView& view) {
  std::map<std::uint32_t, const TaskRecord*> records;
  for (const TaskRecord& record : view.ended) {
    records.emplace(record.task, &record);
  }
  return records;
}

/// Compares what was once seen of a job with what some node says in the end.
class Outcomes {
 public:
  Outcomes(const Job& job, Findings& findings) : job_(job), findings_(findings) {}

  void see(const JobView& view, const std::string& by) {
    std::set<std::uint32_t> seen;
    for (const TaskRecord& record : view.ended) {
      if (!seen.insert(record.task).second) {
        two(record.task, by + " has two records of it");
      } else if (record.task >= view.tasks) {
        findings_.add(Check::one_outcome,
                      describe(job_, record.task) + ": there is no such task, says " + by);
      }
      const auto [known, is_new] = outcomes_.emplace(record.task, &record);
      if (!is_new && !(*known->second == record)) {
        two(record.task,
            by + " says " + describe(record) + ", before it was " + describe(*known->second));
      }
    }
  }

 private:
  void two(std::uint32_t task, const std::string& why) {
    if (told_.insert(task).second) {
      ++findings_.figures().tasks_with_two_outcomes;
      findings_.add(Check::one_outcome, describe(job_, task) + " has two outcomes: " + why);
    }
  }

  const Job& job_;
  Findings& findings_;
  std::map<std::uint32_t, const TaskRecord*> outcomes_;
  std::set<std::uint32_t> told_;
};

const NodeSays* said_by(const Job& job, const std::string& node) {
  const auto found = std::find_if(job.says.begin(), job.says.end(),
                                  [&](const NodeSays* says) { return says->node == node; });
  return found == job.says.end() ? nullptr : *found;
}

bool was_cancelled(const Job& job) {
  return std::any_of(job.cancels.begin(), job.cancels.end(),
                     [](const Operation& cancel) { return !cancel.is(Answer::fail); });
}

/// Accepted work ends well, or as somebody asked: how much a node suffers is not its fault.
void check_states(const Job& job, const JobView& view, Findings& findings) {
  for (const TaskRecord& record : view.ended) {
    if (record.state != "succeeded" && !(record.state == "cancelled" && was_cancelled(job))) {
      findings.add(Check::one_outcome, describe(job, record.task) + " ended as " +
                                           describe(record) + ", which nobody asked for");
    }
  }
}

/// Same tasks, same records: told where the nodes differ in what has ended at all.
void check_agreement(const Job& job, Findings& findings) {
  const auto reference = records_of(job.says.front()->view);
  for (const NodeSays* says : job.says) {
    const auto records = records_of(says->view);
    if (records.size() != reference.size() || says->view.tasks != job.says.front()->view.tasks) {
      findings.add(Check::one_outcome, describe(job) + ": " + says->node + " tells of " +
                                           std::to_string(records.size()) + " ended tasks of " +
                                           std::to_string(says->view.tasks) + ", " +
                                           job.says.front()->node + " of " +
                                           std::to_string(reference.size()) + " of " +
                                           std::to_string(job.says.front()->view.tasks));
    }
  }
}

}  // namespace

std::string describe(const Job& job, std::uint32_t task) {
  return "task " + std::to_string(task) + " of " + describe(job);
}

std::string describe(const TaskRecord& record) {
  return record.state + (record.attempt.empty() ? "" : " by " + record.attempt) +
         (record.node.empty() ? "" : " on " + record.node) +
         (record.content.empty() ? "" : " with " + record.content);
}

void check_one_outcome(const Index& index, Findings& findings) {
  for (const auto& [id, job] : index.jobs) {
    Outcomes outcomes(job, findings);
    for (const auto& [at, view] : job.views) {
      outcomes.see(*view, "a read");
    }
    for (const NodeSays* says : job.says) {
      outcomes.see(says->view, says->node);
    }
    if (!job.says.empty()) {
      check_agreement(job, findings);
      check_states(job, job.says.front()->view, findings);
    }
  }
  for (const auto& [key, request] : index.requests) {
    for (const std::uint64_t id : request.jobs) {
      const Job& job = index.jobs.at(id);
      bool lost = false;
      for (const std::string& node : index.nodes) {
        if (said_by(job, node) == nullptr) {
          lost = true;
          findings.add(Check::one_outcome,
                       describe(job) + " was there and " + node + " does not know it in the end");
        }
      }
      findings.figures().jobs_lost += lost ? 1 : 0;
    }
  }
}

void check_no_strangers(const Index& index, Findings& findings) {
  for (const auto& [key, request] : index.requests) {
    if (request.submits.empty()) {
      findings.add(Check::no_strangers,
                   "there is a job with the key '" + key + "', which nobody submitted");
      continue;
    }
    if (!request.jobs.empty() && !request.ever(Answer::ok) && !request.ever(Answer::unknown)) {
      findings.add(Check::no_strangers,
                   describe(index.jobs.at(*request.jobs.begin())) + " is there, but was refused");
    }
    for (const std::uint64_t id : request.jobs) {
      const Job& job = index.jobs.at(id);
      for (const NodeSays* says : job.says) {
        if (says->view.tasks != request.first().tasks) {
          findings.add(Check::no_strangers,
                       describe(job) + " has " + std::to_string(says->view.tasks) + " tasks on " +
                           says->node + ", " + std::to_string(request.first().tasks) +
                           " were submitted");
        }
      }
    }
  }
}

void check_one_job_per_key(const Index& index, Findings& findings) {
  for (const auto& [key, request] : index.requests) {
    if (request.jobs.size() > 1) {
      std::string all;
      for (const std::uint64_t job : request.jobs) {
        all += " " + std::to_string(job);
      }
      findings.add(Check::one_job_per_key, "the request " + key + " became the jobs" + all);
    }
  }
}

void check_all_end(const Index& index, Findings& findings) {
  for (const auto& [id, job] : index.jobs) {
    if (job.says.empty()) {
      continue;
    }
    const JobView& view = job.says.front()->view;
    const std::size_t ended = records_of(view).size();
    if (ended < view.tasks) {
      findings.figures().tasks_unended += view.tasks - ended;
      findings.add(Check::all_end, describe(job) + " has " + std::to_string(view.tasks - ended) +
                                       " tasks that have not ended");
    }
  }
}

}  // namespace fastgpu::history
