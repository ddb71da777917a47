#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "tests/history/checks.hpp"

namespace fastgpu::history {
namespace {

/// What everybody could know of a job by now: it exists, and these of its tasks have ended. Grows.
struct Known {
  bool exists{false};
  bool cancelled{false};             ///< a cancel was confirmed: nothing of it lives
  std::vector<std::uint32_t> order;  ///< ended tasks, as they became known
  std::set<std::uint32_t> ended;
};

/// A question that is out: how much was known when it was asked.
struct Asked {
  bool exists{};
  bool cancelled{};
  std::size_t ended{};
};

/// Walks through a history and compares each answer to a read with what had been answered to
/// anybody before that read was asked.
class Readers {
 public:
  Readers(const Index& index, Findings& findings) : index_(index), findings_(findings) {}

  void step(const Invoke& it) {
    if (it.call == Call::read) {
      const Known& known = known_[it.job];
      asked_[it.op] = {known.exists, known.cancelled, known.order.size()};
    }
  }
  void step(const Return& it) {
    const auto found = index_.operations.find(it.op);
    const Invoke* invoke = found->second.invoke;
    if (invoke == nullptr) {
      return;
    }
    if (invoke->call == Call::submit && it.answer == Answer::ok) {
      known_[it.job].exists = true;
    } else if (invoke->call == Call::cancel && it.answer == Answer::ok) {
      known_[invoke->job].cancelled = true;
    } else if (invoke->call == Call::read) {
      answered(*invoke, it);
    }
  }
  template <class Other>
  void step(const Other&) {}

 private:
  void answered(const Invoke& invoke, const Return& it) {
    const Asked asked = asked_[it.op];
    asked_.erase(it.op);
    Known& known = known_[invoke.job];
    if (it.answer == Answer::fail && it.error == "not_found" && asked.exists) {
      accuse(invoke, "it is not found, though it was there before");
    }
    if (it.answer != Answer::ok) {
      return;
    }
    known.exists = true;
    std::set<std::uint32_t> told;
    for (const TaskRecord& record : it.view.ended) {
      told.insert(record.task);
    }
    for (std::size_t i = 0; i < asked.ended; ++i) {
      if (!told.contains(known.order[i])) {
        accuse(invoke, "its task " + std::to_string(known.order[i]) +
                           " is live in the answer, though it was known to have ended");
        break;
      }
    }
    if (asked.cancelled && told.size() < it.view.tasks) {
      accuse(invoke, "it lives, though its cancel was confirmed before");
    }
    for (const std::uint32_t task : told) {
      if (known.ended.insert(task).second) {
        known.order.push_back(task);
      }
    }
  }
  void accuse(const Invoke& invoke, const std::string& what) {
    findings_.add(Check::fresh_reads, "read " + std::to_string(invoke.op) + " of job " +
                                          std::to_string(invoke.job) + " by " + invoke.client +
                                          ": " + what);
  }

  const Index& index_;
  Findings& findings_;
  std::map<std::uint64_t, Known> known_;
  std::map<std::uint64_t, Asked> asked_;
};

/// When somebody first was told that all of it has ended.
std::optional<Stamp> known_ended(const Job& job) {
  for (const auto& [at, view] : job.views) {
    if (view->ended.size() >= view->tasks) {
      return at;
    }
  }
  return std::nullopt;
}

/// When the first cancel was asked that may have done something.
std::optional<Stamp> first_cancel(const Job& job) {
  std::optional<Stamp> first;
  for (const Operation& cancel : job.cancels) {
    if (!cancel.is(Answer::fail) && (!first || cancel.invoke->at < *first)) {
      first = cancel.invoke->at;
    }
  }
  return first;
}

}  // namespace

void check_no_undoing(const Index& index, Findings& findings) {
  for (const auto& [id, job] : index.jobs) {
    const std::optional<Stamp> ended = known_ended(job);
    for (const Operation& cancel : job.cancels) {
      if (ended && cancel.is(Answer::ok) && *ended < cancel.invoke->at) {
        findings.add(Check::no_undoing, describe(job) + " had ended, and its cancel " +
                                            std::to_string(cancel.invoke->op) +
                                            " was confirmed all the same");
      }
    }
    const std::optional<Stamp> cancelled = first_cancel(job);
    for (const auto& [at, view] : job.views) {
      const bool any = std::any_of(view->ended.begin(), view->ended.end(),
                                   [](const auto& record) { return record.state == "cancelled"; });
      if (any && (!cancelled || at < *cancelled)) {
        findings.add(Check::no_undoing,
                     describe(job) + " is cancelled before anybody asked for it");
        break;
      }
    }
  }
}

void check_fresh_reads(const Index& index, Findings& findings) {
  Readers readers(index, findings);
  for (const Entry* entry : index.by_time) {
    std::visit([&](const auto& it) { readers.step(it); }, *entry);
  }
}

}  // namespace fastgpu::history
