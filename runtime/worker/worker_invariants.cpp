#include "runtime/worker/worker_invariants.hpp"

#include <array>
#include <map>
#include <set>
#include <utility>

#include "runtime/base/limits.hpp"

namespace fastgpu::worker {

namespace {

class Checker {
 public:
  explicit Checker(const WorkerMachine& machine) : machine_(machine) {}

  std::vector<std::string> run() {
    for (const auto& [id, attempt] : machine_.attempts())
      look_at(attempt);
    look_at_launches();
    look_at_folders();
    look_at_shards();
    look_at_books();
    look_at_health();
    return std::move(broken_);
  }

 private:
  /// Words are made only of what is broken: this runs after every step of a simulation.
  void expect(bool holds, const char* what) {
    if (!holds)
      broken_.push_back(what);
  }
  void expect(bool holds, const Attempt& attempt, const char* what) {
    if (!holds)
      broken_.push_back("attempt " + base::to_string(attempt.id) + ": " + what);
  }

  void look_at(const Attempt& attempt) {
    std::array<std::uint32_t, 5> by_phase{};
    const auto count = [&by_phase](Phase phase) -> std::uint32_t& {
      return by_phase.at(static_cast<std::size_t>(phase));
    };
    std::uint64_t next = 0;
    for (const auto& task : attempt.tasks) {
      expect(task.index >= next, attempt, "tasks stand in order, each once");
      next = std::uint64_t{task.index} + 1;
      count(task.phase) += 1;
      if (task.phase == Phase::running && !task.stopped)
        expect(live_.emplace(std::pair(attempt.job, task.index), attempt.id).second, attempt,
               "a task runs under one attempt at a time");
    }
    expect(count(Phase::queued) == attempt.queued && count(Phase::running) == attempt.running &&
               count(Phase::keeping) == attempt.keeping,
           attempt, "the counts are those of its tasks");
    expect(attempt.reports.pending_tasks() + attempt.reports.told_tasks() == count(Phase::ended),
           attempt, "every task that ended has one report until it is settled");
    expect(attempt.unfinished() || count(Phase::ended) != 0, attempt,
           "an attempt is forgotten when nothing is left to do or say");
    auto& [queued, unsettled] = by_shard_[attempt.id.shard];
    queued += count(Phase::queued);
    unsettled += count(Phase::ended);
    keeping_ += count(Phase::keeping);
    queued_ += count(Phase::queued);
    running_ += count(Phase::running);
    memory_bytes_ += count(Phase::running) * attempt.spec->request.memory_bytes;
  }

  void look_at_launches() {
    expect(machine_.in_flight().size() == running_, "what runs is what the executor has");
    for (const auto& [token, launch] : machine_.in_flight()) {
      const auto found = machine_.attempts().find(launch.task.attempt);
      const bool held = found != machine_.attempts().end();
      expect(held, "a launch belongs to an attempt that is held");
      if (held)
        expect(found->second.tasks.at(launch.task.place).phase == Phase::running,
               "a launched task is running");
      if (held)
        look_at_command(launch, found->second);
    }
  }

  void look_at_command(const InFlight& launch, const Attempt& attempt) {
    expect(launch.command == attempt.spec->is_command(), attempt, "commands go to the warden");
    expect(launch.command == machine_.in_flight().begin()->second.command, attempt,
           "commands and kernels do not run side by side");
    if (!launch.command)
      return;
    const std::uint32_t task = attempt.tasks.at(launch.task.place).index;
    expect(commands_.emplace(attempt.job, task).second, attempt,
           "a command is executed once at a time");
    expect(machine_.folders().contains(launch.task), attempt, "a command has its folder");
  }

  void look_at_folders() {
    for (const auto& [ref, folder] : machine_.folders()) {
      const auto found = machine_.attempts().find(ref.attempt);
      const bool held = found != machine_.attempts().end();
      expect(held, "a folder belongs to an attempt that is held");
      if (!held)
        continue;
      const Phase phase = found->second.tasks.at(ref.place).phase;
      expect(phase != Phase::ended && phase != Phase::gone, found->second,
             "a folder goes with the end of its task");
    }
  }

  void look_at_shards() {
    for (const auto& [id, shard] : machine_.shards()) {
      const auto& [queued, unsettled] = by_shard_[id];
      expect(shard.queued == queued, "a shard counts its queued tasks");
      expect(shard.unsettled == unsettled, "a shard counts its unsettled tasks");
    }
    expect(machine_.keeping().size() == keeping_, "what is being kept has a task in keeping");
  }

  void look_at_books() {
    const auto& books = machine_.books();
    expect(books.queued_tasks == queued_, "the books show what is queued");
    expect(books.slots_total - books.slots_free == running_, "the books show what runs");
    expect(running_ <= books.slots_total, "no more runs than there are slots");
    expect(queued_ + running_ <= base::limits::device_queue_tasks_max,
           "no more is granted than the queue may hold");
    expect(memory_bytes_ <= books.memory_bytes_total, "no more memory is taken than there is");
    expect(books.memory_bytes_free == books.memory_bytes_total - memory_bytes_,
           "the books show the free memory");
  }

  void look_at_health() {
    const DeviceHealth& health = machine_.health();
    for (const auto& [token, launch] : machine_.in_flight())
      expect(launch.command || health.trusted(), "no task runs on a device that is in doubt");
    if (!health.quarantined())
      return;
    expect(!machine_.books().healthy && machine_.books().unhealthy_why == health.why(),
           "the books say why a device is in quarantine");
    expect(queued_ == 0, "nothing waits for a device in quarantine");
  }

  const WorkerMachine& machine_;
  std::vector<std::string> broken_;
  std::map<std::pair<base::JobId, std::uint32_t>, base::AttemptId> live_;
  std::map<base::ShardId, std::pair<std::uint64_t, std::uint64_t>> by_shard_;  ///< queued, ended
  std::set<std::pair<base::JobId, std::uint32_t>> commands_;
  std::uint64_t keeping_{0};
  std::uint64_t queued_{0};
  std::uint64_t running_{0};
  std::uint64_t memory_bytes_{0};
};

}  // namespace

std::vector<std::string> broken_invariants(const WorkerMachine& machine) {
  return Checker(machine).run();
}

}  // namespace fastgpu::worker
