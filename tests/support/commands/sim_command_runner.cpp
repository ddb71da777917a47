#include "tests/support/commands/sim_command_runner.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

const std::string& variable(const exec::CommandTask& task, const std::string& name) {
  const auto found = std::find_if(task.env.begin(), task.env.end(),
                                  [&](const auto& each) { return each.first == name; });
  FASTGPU_CHECK(found != task.env.end(), "a command is told what it is");
  return found->second;
}

/// Whose command this is: the port does not say, but the command's environment does.
worker::LaunchCommand launch_of(const exec::CommandTask& task) {
  worker::LaunchCommand launch;
  launch.token = {task.token.value};
  launch.job = {std::stoull(variable(task, "FASTGPU_JOB_ID"))};
  launch.task = static_cast<std::uint32_t>(std::stoul(variable(task, "FASTGPU_TASK_ID")));
  unsigned long long shard = 0;
  unsigned long long epoch = 0;
  unsigned long long term = 0;
  unsigned long long sequence = 0;
  const int read = std::sscanf(variable(task, "FASTGPU_ATTEMPT").c_str(), "%llu.%llu.%llu.%llu",
                               &shard, &epoch, &term, &sequence);
  FASTGPU_CHECK(read == 4, "an attempt has four numbers");
  launch.attempt.shard = {static_cast<std::uint32_t>(shard)};
  launch.attempt.epoch.value = epoch;
  launch.attempt.term.value = term;
  launch.attempt.sequence = sequence;
  launch.folder = task.folder;
  launch.until = task.lease_until;
  return launch;
}

/// The warden's word as the port has it.
exec::CommandEvent event_of(const worker::Event& event) {
  if (const auto* started = std::get_if<worker::CommandStarted>(&event)) {
    return exec::CommandStarted{{started->token.value}, "simulated"};
  }
  const auto& said = std::get<worker::CommandEnded>(event);
  exec::CommandEnded ended;
  ended.token = {said.token.value};
  ended.reason = said.reason;
  ended.exit_code = said.end.exit_code;
  ended.message = said.message;
  ended.wall_ns = said.wall_ns;
  return ended;
}

}  // namespace

void SimCommandRunner::start(Sink sink) {
  sink_ = std::move(sink);
  const auto sweep = options_.late_sweep
                         ? base::Duration(static_cast<std::int64_t>(random_.below(3'000'000'000)))
                         : base::Duration{};
  if (sweep == base::Duration{}) {
    begin_life();
    return;
  }
  agenda_.note_in(sweep, [this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) {
      begin_life();
    }
  });
}

void SimCommandRunner::begin_life() {
  warden_.begin_life([sink = sink_](const worker::Event& event) { sink(event_of(event)); });
  agenda_.note_in(1ms, [this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) {
      ready_ = true;
      sink_(exec::WardenReady{"simulated"});
    }
  });
}

bool SimCommandRunner::run(exec::CommandTask task) {
  if (!ready_) {
    return false;
  }
  worker::LaunchCommand launch = launch_of(task);
  launch.until = true_time(launch.until);
  order([launch](SimWarden& warden) { warden.run(launch); });
  return true;
}

void SimCommandRunner::stop(exec::CommandToken token, const std::string& why) {
  order([token, why](SimWarden& warden) { warden.stop({{token.value}, why}); });
}

void SimCommandRunner::extend_lease(exec::CommandToken token, base::Time until) {
  order([token, until = true_time(until)](SimWarden& warden) {
    warden.extend({{token.value}, until});
  });
}

void SimCommandRunner::order(std::function<void(SimWarden&)> what) {
  const auto delay = 10us + base::Duration(static_cast<std::int64_t>(random_.below(5'000'000)));
  last_order_ = std::max(last_order_, agenda_.now() + delay);
  agenda_.note(last_order_, [&warden = warden_, life = warden_.life(), what = std::move(what)] {
    if (warden.life() == life) {
      what(warden);
    }
  });
}

}  // namespace fastgpu::testing
