#include "tests/sim/command_chaos.hpp"

#include <algorithm>
#include <map>

#include "runtime/base/limits.hpp"
#include "tests/sim/trouble.hpp"
#include "tests/sim/watch.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;
using protocol::TaskState;

constexpr base::Duration no_time_limit = base::limits::duration_max;

/// The trouble of one seed. Whole classes of faults are on or off, so that each is also seen alone.
struct Plan {
  std::uint32_t nodes{3};
  std::uint32_t devices{1};
  bool crashes{false};
  bool cuts{false};
  bool pauses{false};
  bool bad_network{false};

  static Plan draw(base::Random& random) {
    Plan plan;
    plan.nodes = 2 + static_cast<std::uint32_t>(random.below(3));
    plan.devices = 1 + static_cast<std::uint32_t>(random.below(2));
    plan.crashes = random.chance(700'000);
    plan.cuts = random.chance(500'000);
    plan.pauses = random.chance(500'000);
    plan.bad_network = random.chance(500'000);
    return plan;
  }
  std::string text() const {
    return std::to_string(nodes) + " nodes x " + std::to_string(devices) + " devices" +
           (crashes ? ", crashes" : "") + (cuts ? ", cuts" : "") + (pauses ? ", pauses" : "") +
           (bad_network ? ", bad network" : "");
  }
};

SimOptions world_options(const CommandChaosOptions& options, const Plan& plan) {
  SimOptions world;
  world.seed = options.seed;
  world.nodes = plan.nodes;
  world.devices = plan.devices;
  world.commands = true;
  world.command = options.command;
  world.ledger_faults = options.ledger_faults;
  if (plan.bad_network) {
    world.network.loss_ppm = 20'000;
    world.network.duplicate_ppm = 20'000;
    world.network.reorder_ppm = 50'000;
  }
  return world;
}

class CommandChaos {
 public:
  explicit CommandChaos(const CommandChaosOptions& options)
      : options_(options),
        random_(options.seed * 0x9e3779b97f4a7c15u + 5),
        plan_(Plan::draw(random_)),
        watch_(std::make_shared<Watch>()),
        world_(world_options(options, plan_), watch_) {
    world_.set_verbose(options.verbose);
  }

  CommandChaosResult run() {
    client_ = std::make_unique<SimClient>(world_);
    const base::Time end = world_.now() + options_.trouble;
    schedule_user(end);
    schedule_trouble(end);
    world_.run_for(options_.trouble);
    trouble_.make_peace();
    const bool settled = world_.run_until([this] { return all_ended(); }, 600s);
    finish(settled);
    client_.reset();
    return result_;
  }

 private:
  base::Duration between(base::Duration low, base::Duration high) {
    return low + base::Duration{static_cast<std::int64_t>(
                     random_.below(static_cast<std::uint64_t>((high - low).count())))};
  }

  // --- users -------------------------------------------------------------------------------------
  void schedule_user(base::Time end) {
    const base::Time next = world_.now() + between(100ms, 3s);
    if (next >= end) {
      return;
    }
    world_.agenda().note(next, [this, end] {
      submit_something();
      schedule_user(end);
    });
  }

  protocol::JobSpec some_command() {
    protocol::JobSpec spec;
    spec.name = "simulated";
    spec.command.argv = {"train", "{}"};
    spec.tasks = 1 + static_cast<std::uint32_t>(random_.below(4));
    spec.time_limit_ns = (random_.chance(200'000) ? between(1s, 10s) : no_time_limit).count();
    spec.lease_ns = random_.chance(700'000) ? between(10s, 15s).count() : 0;
    spec.retries = static_cast<std::uint32_t>(random_.below(4));
    // Enough lives for everything: what ends as lost then is a fault of ours.
    spec.crash_limit = 1000;
    return spec;
  }

  void submit_something() {
    const bool is_kernel = random_.chance(200'000);
    const protocol::JobSpec spec = is_kernel ? simple_job(3) : some_command();
    const bool cancels = random_.chance(150'000);
    client_->submit(spec, 8s, [this, spec, cancels](const protocol::ClientReply& reply) {
      const auto* accepted = std::get_if<protocol::Accepted>(&reply);
      if (accepted == nullptr) {
        return;  // refused or unknown: nothing was promised
      }
      ++result_.accepted;
      accepted_.emplace(accepted->job, spec);
      if (cancels) {
        world_.agenda().note_in(between(1ms, 5s), [this, job = accepted->job] {
          client_->call(protocol::CancelJob{{}, job}, 8s, [](const protocol::ClientReply&) {});
        });
      }
    });
  }

  // --- trouble -----------------------------------------------------------------------------------
  void schedule_trouble(base::Time end) {
    const base::Time next = world_.now() + between(100ms, 4s);
    if (next >= end) {
      return;
    }
    world_.agenda().note(next, [this, end] {
      // Short, or long enough for leases to end.
      trouble_.make(
          [this] { return random_.chance(500'000) ? between(20ms, 3s) : between(3s, 25s); });
      schedule_trouble(end);
    });
  }

  // --- the end -----------------------------------------------------------------------------------
  bool all_ended() const {
    return std::all_of(accepted_.begin(), accepted_.end(),
                       [this](const auto& job) { return watch_->has_ended(job.first); });
  }

  void check_end(base::JobId job, const protocol::JobSpec& spec) {
    const ledger::Job* found = watch_->find(job);
    if (found == nullptr) {
      watch_->violation("accepted job " + to_string(job) + " is in no ledger");
      return;
    }
    std::uint64_t records = 0;
    found->tasks.for_each([&](base::TaskRange range, const protocol::TaskRecord& record) {
      records += record.outcome ? range.count : 0;
      for (std::uint64_t task = range.first; task < range.end() && record.outcome; ++task) {
        check_record(job, spec, static_cast<std::uint32_t>(task), *record.outcome);
      }
    });
    if (records != spec.tasks) {
      watch_->violation("job " + to_string(job) + " has " + std::to_string(records) +
                        " terminal records for " + std::to_string(spec.tasks) + " tasks");
    }
  }

  /// Simulated commands succeed, fail by themselves, or are ended by their user.
  static bool may_end_so(const protocol::JobSpec& spec, const protocol::TaskOutcome& outcome) {
    switch (outcome.reason) {
      case base::FailureReason::none:
      case base::FailureReason::cancelled:
        return true;
      case base::FailureReason::exit_code:
        return spec.is_command();
      case base::FailureReason::time_limit:
        return spec.is_command() && spec.time_limit_ns != no_time_limit.count();
      default:
        return false;
    }
  }

  void check_record(base::JobId job, const protocol::JobSpec& spec, std::uint32_t task,
                    const protocol::TaskOutcome& outcome) {
    const std::string name = "job " + to_string(job) + " task " + std::to_string(task);
    if (!may_end_so(spec, outcome)) {
      watch_->violation(name + " ended as " + to_word(outcome.state) + ", " +
                        base::to_word(outcome.reason) + ": " + outcome.message);
    } else if (outcome.state == TaskState::succeeded && spec.is_command() &&
               !world_.executions().succeeded(job, task, outcome.attempt)) {
      watch_->violation(name + " is recorded as a success that never was");
    }
  }

  void finish(bool settled) {
    for (const auto& [job, spec] : accepted_) {
      check_end(job, spec);
    }
    result_.violations = watch_->violations();
    const ExecutionRecord& executions = world_.executions();
    result_.violations.insert(result_.violations.end(), executions.violations().begin(),
                              executions.violations().end());
    if (!settled) {
      result_.violations.push_back("accepted jobs were still not terminal 600 s after peace");
    }
    result_.crashes = trouble_.crashes();
    result_.drawn = plan_.text();
    result_.trace_hash = world_.trace_hash();
    result_.executions = executions.all().size();
    result_.killed_at_lease_end = executions.killed_at_lease_end();
  }

  const CommandChaosOptions options_;
  base::Random random_;
  const Plan plan_;
  std::shared_ptr<Watch> watch_;
  SimWorld world_;
  Trouble trouble_{world_, random_, {plan_.crashes, plan_.cuts, plan_.pauses}};
  std::unique_ptr<SimClient> client_;
  std::map<base::JobId, protocol::JobSpec> accepted_;
  CommandChaosResult result_;
};

}  // namespace

CommandChaosResult run_command_chaos(const CommandChaosOptions& options) {
  return CommandChaos(options).run();
}

}  // namespace fastgpu::testing
