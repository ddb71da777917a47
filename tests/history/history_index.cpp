#include "tests/history/history_index.hpp"

#include <algorithm>
#include <sstream>

namespace fastgpu::history {
namespace {

Job& job_of(Index& index, std::uint64_t id) {
  Job& job = index.jobs[id];
  job.id = id;
  return job;
}

Job& job_of(Index& index, const JobView& view) {
  Job& job = job_of(index, view.job);
  job.key = view.key;
  index.requests[view.key].jobs.insert(view.job);
  return job;
}

void add(Index& index, const Invoke& it) {
  index.operations[it.op].invoke = &it;
}

void add(Index& index, const Return& it) {
  index.operations[it.op].answer = &it;
  if (it.answer == Answer::ok && it.view.job != 0) {
    job_of(index, it.view).views.emplace_back(it.at, &it.view);
  }
}

void add(Index& index, const Execution& it) {
  std::vector<Run>& runs = job_of(index, it.job).runs[it.task];
  auto run = std::find_if(runs.begin(), runs.end(),
                          [&](const Run& known) { return known.attempt == it.attempt; });
  if (run == runs.end()) {
    run = runs.insert(run, Run{it.attempt, it.node, it.at, it.at, nullptr});
  }
  run->last = it.at;
  if (it.moment == Moment::end) {
    run->end = &it;
  }
}

void add(Index& index, const NodeSays& it) {
  job_of(index, it.view).says.push_back(&it);
}

void add(Index& index, const Mark& it) {
  if (it.what == "audit") {
    std::istringstream names(it.text);
    for (std::string name; names >> name;) {
      index.nodes.push_back(name);
    }
  }
}

void pair_up(Index& index) {
  for (const auto& [op, operation] : index.operations) {
    if (operation.invoke == nullptr) {
      continue;
    }
    if (operation.invoke->call == Call::submit) {
      Request& request = index.requests[operation.invoke->key];
      request.submits.push_back(operation);
      if (operation.is(Answer::ok)) {
        request.jobs.insert(operation.answer->job);
        job_of(index, operation.answer->job).key = operation.invoke->key;
      }
    } else if (operation.invoke->call == Call::cancel) {
      job_of(index, operation.invoke->job).cancels.push_back(operation);
    }
  }
}

}  // namespace

bool Request::ever(Answer answer) const {
  return std::any_of(submits.begin(), submits.end(),
                     [answer](const Operation& submit) { return submit.is(answer); });
}

Index index_of(History& history) {
  // What is asked at a stamp comes before what is answered then: that excuses, never accuses.
  std::stable_sort(history.begin(), history.end(), [](const Entry& a, const Entry& b) {
    return stamp_of(a) != stamp_of(b)
               ? stamp_of(a) < stamp_of(b)
               : std::holds_alternative<Invoke>(a) && !std::holds_alternative<Invoke>(b);
  });
  Index index;
  for (const Entry& entry : history) {
    index.by_time.push_back(&entry);
    std::visit([&](const auto& it) { add(index, it); }, entry);
  }
  pair_up(index);
  return index;
}

std::string describe(const Job& job) {
  return "job " + std::to_string(job.id) + (job.key.empty() ? "" : " (" + job.key + ")");
}

}  // namespace fastgpu::history
