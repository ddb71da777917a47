#include "tests/sim/commands/sim_warden.hpp"

#include <algorithm>
#include <utility>

namespace fastgpu::testing {

using namespace std::chrono_literals;
using base::FailureReason;

std::size_t ExecutionRecord::begin(Execution execution) {
  const std::size_t index = all_.size();
  const std::pair task(execution.job, execution.task);
  const auto other = running_.find(task);
  if (other != running_.end())
    violations_.push_back(
        base::to_string(execution.job) + " task " + std::to_string(execution.task) + " begins as " +
        base::to_string(execution.attempt) + " on " + base::to_string(execution.node) + " while " +
        base::to_string(all_[other->second].attempt) + " runs on " +
        base::to_string(all_[other->second].node));
  if (execution.began >= execution.until)
    violations_.push_back(base::to_string(execution.attempt) + " begins after its lease");
  running_[task] = index;
  all_.push_back(std::move(execution));
  return index;
}

void ExecutionRecord::end(std::size_t index, base::Time now, bool succeeded) {
  Execution& execution = all_[index];
  execution.ended = now;
  execution.succeeded = succeeded;
  execution.kept_running = false;
  if (now > execution.until)
    violations_.push_back(base::to_string(execution.attempt) + " ran beyond its lease");
  const auto running = running_.find({execution.job, execution.task});
  if (running != running_.end() && running->second == index)
    running_.erase(running);
}

bool ExecutionRecord::succeeded(base::JobId job, std::uint32_t task,
                                const base::AttemptId& attempt) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Execution& execution) {
    return execution.job == job && execution.task == task && execution.attempt == attempt &&
           execution.succeeded;
  });
}

void SimWarden::begin_life(Sink sink) {
  ++life_;
  for (const auto& [token, command] : std::exchange(commands_, {}))
    record_.end(command.index, agenda_.now(), false);
  sink_ = std::move(sink);
}

void SimWarden::later(base::Duration delay, worker::LaunchToken token, std::function<void()> what) {
  agenda_.note_in(delay, [this, token, life = life_, what = std::move(what)] {
    if (life == life_ && commands_.contains(token))
      what();
  });
}

void SimWarden::run(const worker::LaunchCommand& launch) {
  // An order that the node gave before it stood still may come late; a real warden looks first.
  if (launch.until <= agenda_.now()) {
    sink_(worker::CommandEnded{launch.token, FailureReason::node_lost, "too late", {}, 0});
    return;
  }
  Execution execution;
  execution.job = launch.job;
  execution.task = launch.task;
  execution.attempt = launch.attempt;
  execution.node = node_;
  execution.began = agenda_.now();
  execution.until = launch.until;
  commands_[launch.token] = {record_.begin(execution), launch.until};
  sink_(worker::CommandStarted{launch.token});
  watch_lease(launch.token);
  const auto run = base::Duration(static_cast<std::int64_t>(
      random_.below(random_.chance(300'000) ? 20'000'000'000 : 1'000'000'000)));
  const bool fails = random_.chance(100'000);
  later(run, launch.token, [this, token = launch.token, fails] {
    end(token, fails ? FailureReason::exit_code : FailureReason::none);
  });
}

void SimWarden::watch_lease(worker::LaunchToken token) {
  const base::Time until = commands_.at(token).until;
  later(until - agenda_.now(), token, [this, token] {
    if (commands_.at(token).until > agenda_.now()) {
      watch_lease(token);
      return;
    }
    record_.killed();
    end(token, FailureReason::node_lost);
  });
}

void SimWarden::extend(const worker::ExtendLease& extend) {
  const auto found = commands_.find(extend.token);
  if (found == commands_.end() || extend.until <= found->second.until)
    return;
  found->second.until = extend.until;
  record_.extend(found->second.index, extend.until);
}

void SimWarden::stop(const worker::StopCommand& stop) {
  later(base::Duration(static_cast<std::int64_t>(random_.below(2'000'000'000))), stop.token,
        [this, token = stop.token] { end(token, FailureReason::cancelled); });
}

void SimWarden::end(worker::LaunchToken token, FailureReason reason) {
  const Command command = commands_.at(token);
  commands_.erase(token);
  record_.end(command.index, agenda_.now(), reason == FailureReason::none);
  if (sink_) {
    worker::CommandEnded ended{token, reason, "as told", {}, 1};
    ended.end.exit_code = reason == FailureReason::exit_code ? 3 : 0;
    sink_(ended);
  }
}

}  // namespace fastgpu::testing
