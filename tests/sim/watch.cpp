#include "tests/sim/watch.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/sha256.hpp"
#include "runtime/ledger/ledger_invariants.hpp"
#include "runtime/worker/worker_invariants.hpp"
#include "tests/support/dependency_check.hpp"

namespace fastgpu::testing {
namespace {

using protocol::TaskState;

/// A simulated device fills an output with the task's index, over and over.
base::ObjectHash expected_output(std::uint32_t task, std::uint64_t size) {
  const std::uint64_t scalar = task;
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(scalar >> 8 * (i % sizeof scalar));
  }
  return base::sha256(bytes);
}

void add_named(const std::vector<protocol::Data>& data, base::NodeId home,
               std::set<base::ObjectHash>& named) {
  for (const protocol::Data& piece : data) {
    if (const auto* object = std::get_if<protocol::ObjectRef>(&piece);
        object != nullptr && object->home == home) {
      named.insert(object->hash);
    }
  }
}

/// What is wrong with a task's end, given what its job asked for; empty when nothing is.
std::string wrong_end(const protocol::JobSpec& spec, bool cancelled, bool devices_die,
                      std::uint32_t task, const protocol::TaskOutcome& outcome) {
  if (outcome.state == TaskState::cancelled) {
    return cancelled ? "" : "was cancelled although nobody asked for it";
  }
  if (devices_die && outcome.reason == base::FailureReason::executor_crash) {
    return "";
  }
  const bool good = spec.kernel.source.text().find("ok") != std::string_view::npos;
  const TaskState expected = good ? TaskState::succeeded : TaskState::failed;
  if (outcome.state != expected) {
    return std::string("ended as ") + to_word(outcome.state) + " (" + outcome.message + ")";
  }
  if (!good) {
    return "";
  }
  std::uint32_t shown = ~task;
  if (outcome.outputs.size() == 1) {
    if (const auto* object = std::get_if<protocol::ObjectRef>(&outcome.outputs[0])) {
      return object->hash == expected_output(task, object->size_bytes) ? "" : "has another output";
    }
    if (const auto* data = std::get_if<base::Bytes>(&outcome.outputs[0]);
        data != nullptr && data->size() == sizeof shown) {
      std::memcpy(&shown, data->data(), sizeof shown);
    }
  }
  return shown == task ? "" : "has the output of task " + std::to_string(shown);
}

}  // namespace

void Watch::shard_stepped(const protocol::NodeInfo& node, const ledger::ShardMachine& shard) {
  const ledger::LedgerState& state = shard.state();
  if (shard.leading()) {
    leaders_[state.shard()] = node.node;
  }
  base::LogIndex& applied = applied_[{state.shard(), node.node}];
  const base::LogIndex before = std::exchange(applied, state.applied());
  const bool moved = before != state.applied();
  jumps_ += before && state.applied().value > before.value + 1 ? 1 : 0;
  std::unique_ptr<ledger::LedgerState>& last = last_[state.shard()];
  if (last && state.applied() < last->applied()) {
    // Of several replicas the leader may be the last to apply: two others had it on disk first, or
    // lead already. What it leads without shows when it applies something else instead.
    if (shard.leading() && !has_replicas(state.shard())) {
      violation(node.name + " leads shard " + std::to_string(state.shard().value) +
                " without entries that were committed before");
    }
    return;  // a new life reads its log again
  }
  if (last && state.applied() == last->applied()) {
    if (moved) {
      check_same(node, state);
    }
    return;
  }
  for (std::string& broken : ledger::check(state)) {
    violation(node.name + ": " + std::move(broken));
  }
  if (last) {
    for (std::string& broken : ledger::check_step(*last, state)) {
      violation(node.name + ": " + std::move(broken));
    }
  }
  last = std::make_unique<ledger::LedgerState>(state);
}

void Watch::check_same(const protocol::NodeInfo& node, const ledger::LedgerState& state) {
  if (state.image() != last_.at(state.shard())->image()) {
    violation(node.name + " makes something else of the first " +
              std::to_string(state.applied().value) + " entries of shard " +
              std::to_string(state.shard().value) + " than another replica, or an earlier life");
  }
}

bool Watch::has_replicas(base::ShardId shard) const {
  return std::count_if(applied_.begin(), applied_.end(),
                       [shard](const auto& replica) { return replica.first.first == shard; }) > 1;
}

std::optional<base::NodeId> Watch::leader_of(base::ShardId shard) const {
  const auto found = leaders_.find(shard);
  return found == leaders_.end() ? std::nullopt : std::optional(found->second);
}

void Watch::worker_stepped(const protocol::NodeInfo& node, const worker::WorkerMachine& worker) {
  for (std::string& broken : worker::broken_invariants(worker)) {
    violation(node.name + ": " + std::move(broken));
  }
  for (const auto& [token, launch] : worker.in_flight()) {
    const auto attempt = worker.attempts().find(launch.task.attempt);
    if (attempt != worker.attempts().end() && !may_begin(*attempt->second.spec)) {
      violation(node.name + " runs job " + to_string(attempt->second.job) +
                " before the end of what it waits for");
    }
  }
}

bool Watch::may_begin(const protocol::JobSpec& spec) const {
  return std::all_of(spec.after.begin(), spec.after.end(), [this](const auto& condition) {
    return has_ended_so(find(condition.job), condition.kind);
  });
}

void Watch::objects_removed(const protocol::NodeInfo& node,
                            const std::vector<base::ObjectHash>& hashes) {
  objects_gone_ += hashes.size();
  const std::set<base::ObjectHash> named = named_at(node.node);
  for (const base::ObjectHash& hash : hashes) {
    if (named.contains(hash)) {
      violation(node.name + " removed object " + to_string(hash) + ", which a job names");
    }
  }
}

std::set<base::ObjectHash> Watch::named_at(base::NodeId node) const {
  std::set<base::ObjectHash> named;
  for (const auto& [shard, state] : last_) {
    for (const auto& [id, job] : state->jobs()) {
      for (const protocol::Argument& argument : job.spec->kernel.arguments) {
        if (const auto* buffer = std::get_if<protocol::BufferArgument>(&argument)) {
          add_named(buffer->data, node, named);
        }
      }
      job.tasks.for_each([&](base::TaskRange, const protocol::TaskRecord& task) {
        if (task.outcome) {
          add_named(task.outcome->outputs, node, named);
        }
      });
    }
  }
  return named;
}

void Watch::violation(std::string what) {
  if (violations_.size() < 100) {
    violations_.push_back(std::move(what));
  }
}

const ledger::Job* Watch::find(base::JobId job) const {
  for (const auto& [shard, state] : last_) {
    if (const ledger::Job* found = state->find(job)) {
      return found;
    }
  }
  return nullptr;
}

const ledger::Job* Watch::find(const base::RequestId& request) const {
  const auto state = last_.find(request.shard);
  return state == last_.end() ? nullptr : state->second->find(request);
}

bool Watch::has_ended(base::JobId job) const {
  const ledger::Job* found = find(job);
  return found != nullptr && !found->live();
}

void Watch::check_end(base::JobId job, const protocol::JobSpec& spec, bool devices_die) {
  const std::string name = "accepted job " + to_string(job);
  const ledger::Job* found = find(job);
  if (found == nullptr) {
    violation(name + " is in no ledger");
    return;
  }
  if (found->live()) {
    violation(name + " has " + std::to_string(found->live_tasks) + " live tasks");
    return;
  }
  const bool held_back = !may_begin(spec);
  if (const std::string wrong = held_back ? wrong_end_of_held_back(*found) : ""; !wrong.empty()) {
    violation(name + " " + wrong);
  }
  const bool cancelled = held_back || found->cancel_request != base::RequestId{};
  std::uint64_t records = 0;
  found->tasks.for_each([&](base::TaskRange range, const protocol::TaskRecord& record) {
    records += range.count;
    for (std::uint64_t task = range.first; task < range.end(); ++task) {
      const auto index = static_cast<std::uint32_t>(task);
      const std::string wrong = wrong_end(spec, cancelled, devices_die, index, *record.outcome);
      if (!wrong.empty()) {
        violation(name + ": task " + std::to_string(task) + " " + wrong);
      }
    }
  });
  if (records != spec.tasks) {
    violation(name + " has " + std::to_string(records) + " terminal records for " +
              std::to_string(spec.tasks) + " tasks");
  }
}

std::uint64_t Watch::tasks_ended() const {
  std::uint64_t ended = 0;
  for (const auto& [shard, state] : last_) {
    for (const auto& [id, job] : state->jobs()) {
      ended += job.spec->tasks - job.live_tasks;
    }
  }
  return ended;
}

std::uint64_t Watch::attempts() const {
  std::uint64_t attempts = 0;
  for (const auto& [shard, state] : last_) {
    for (const auto& [id, job] : state->jobs()) {
      attempts += job.attempts.size();
    }
  }
  return attempts;
}

}  // namespace fastgpu::testing
