#include "tests/sim/watch.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/codec/image_codec.hpp"
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

/// The same for a command.
std::string wrong_end_of_command(const protocol::JobSpec& spec, bool cancelled, bool succeeded,
                                 const protocol::TaskOutcome& outcome) {
  switch (outcome.reason) {
    case base::FailureReason::none:
      return succeeded ? "" : "is recorded as a success that never was";
    case base::FailureReason::cancelled:
      return cancelled ? "" : "was cancelled although nobody asked for it";
    case base::FailureReason::exit_code:
      return "";
    case base::FailureReason::time_limit:
      if (spec.time_limit_ns != base::limits::duration_max.count()) {
        return "";
      }
      break;
    default:
      break;
  }
  return std::string("ended as ") + to_word(outcome.state) + ", " + base::to_word(outcome.reason) +
         ": " + outcome.message;
}

}  // namespace

void Watch::note_leader(const protocol::NodeInfo& node, const ledger::ShardMachine& shard) {
  const base::ShardId id = shard.state().shard();
  leaders_[id] = node.node;
  const auto [known, is_new] = led_.emplace(std::pair(id, shard.term()), node.node);
  elections_ += is_new ? 1 : 0;
  if (known->second != node.node) {
    violation(node.name + " leads shard " + std::to_string(id.value) + " in term " +
              std::to_string(shard.term().value) + " of " + to_string(known->second));
  }
}

// A leader numbers attempts in the order of the log, and a later leader above all earlier ones. Of
// commands, that is: an attempt of a kernel is first recorded by a report, perhaps to a later
// leader that has placed others by then.
void Watch::check_numbers(const ledger::LedgerState& before, const ledger::LedgerState& after) {
  base::AttemptId& greatest = greatest_[after.shard()];
  base::AttemptId next = greatest;
  for (const auto& [id, job] : after.jobs()) {
    const ledger::Job* old = before.find(id);
    const bool all_known = old != nullptr && old->attempts.size() == job.attempts.size();
    if (all_known || !job.spec->is_command()) {
      continue;
    }
    for (const auto& [attempt, known] : job.attempts) {
      const bool was_placed = old != nullptr && old->attempts.contains(attempt) &&
                              !old->attempts.at(attempt).ranges.empty();
      if (was_placed || known.ranges.empty()) {
        continue;
      }
      if (attempt <= greatest) {
        violation(to_string(attempt) + " was placed after " + to_string(greatest));
      }
      next = std::max(next, attempt);
    }
  }
  greatest = next;
}

// Whole states are dear to compare: some indices stand for all.
void Watch::check_prefix(const protocol::NodeInfo& node, const ledger::LedgerState& state) {
  constexpr std::uint64_t every = 16;
  if (state.applied().value % every != 0 || !has_replicas(state.shard())) {
    return;
  }
  const base::Bytes image = codec::encode(state.image());
  const std::size_t digest = std::hash<std::string_view>{}(image.text());
  const auto [known, is_new] = prefixes_.emplace(std::pair(state.shard(), state.applied()), digest);
  if (known->second != digest) {
    differs(node, state);
  }
}

void Watch::differs(const protocol::NodeInfo& node, const ledger::LedgerState& state) {
  violation(node.name + " makes something else of the first " +
            std::to_string(state.applied().value) + " entries of shard " +
            std::to_string(state.shard().value) + " than another replica, or an earlier life");
}

void Watch::shard_stepped(const protocol::NodeInfo& node, const ledger::ShardMachine& shard) {
  const ledger::LedgerState& state = shard.state();
  if (shard.leading()) {
    note_leader(node, shard);
  }
  base::LogIndex& applied = applied_[{state.shard(), node.node}];
  const base::LogIndex before = std::exchange(applied, state.applied());
  const bool moved = before != state.applied();
  if (moved) {
    check_prefix(node, state);
  }
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
    check_numbers(*last, state);
  }
  last = std::make_unique<ledger::LedgerState>(state);
}

void Watch::check_same(const protocol::NodeInfo& node, const ledger::LedgerState& state) {
  if (state.image() != last_.at(state.shard())->image()) {
    differs(node, state);
  }
}

bool Watch::all_equal(const std::set<base::NodeId>& nodes) const {
  return std::all_of(applied_.begin(), applied_.end(), [&](const auto& replica) {
    const auto& [shard, node] = replica.first;
    const auto last = last_.find(shard);
    return !nodes.contains(node) || last == last_.end() ||
           replica.second == last->second->applied();
  });
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
    if (!others_may_keep_ && named.contains(hash)) {
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

void Watch::check_end(base::JobId job, const protocol::JobSpec& spec, bool devices_die,
                      const ExecutionRecord* executions) {
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
      const protocol::TaskOutcome& end = *record.outcome;
      const std::string wrong =
          executions != nullptr && spec.is_command()
              ? wrong_end_of_command(spec, cancelled,
                                     executions->succeeded(job, index, end.attempt), end)
              : wrong_end(spec, cancelled, devices_die, index, end);
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

void Watch::check_requests() {
  std::map<base::RequestId, base::JobId> made;
  for (const auto& [shard, state] : last_) {
    for (const auto& [id, job] : state->jobs()) {
      const auto [known, is_new] = made.emplace(job.request, id);
      if (!is_new) {
        violation("one request has made " + to_string(known->second) + " and " + to_string(id));
      }
    }
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
