#include "tests/sim/chaos.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "tests/sim/object_user.hpp"
#include "tests/sim/trouble.hpp"
#include "tests/sim/watch.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

/// The trouble of one seed. Whole classes of faults are on or off, so that each is also seen alone.
struct Plan {
  std::uint32_t nodes{3};
  std::uint32_t devices{1};
  bool crashes{false};
  bool cuts{false};
  bool pauses{false};
  bool bad_network{false};
  bool dying_devices{false};

  static Plan draw(base::Random& random) {
    Plan plan;
    plan.nodes = 2 + static_cast<std::uint32_t>(random.below(3));
    plan.devices = 1 + static_cast<std::uint32_t>(random.below(2));
    plan.crashes = random.chance(700'000);
    plan.cuts = random.chance(300'000);
    plan.pauses = random.chance(300'000);
    plan.bad_network = random.chance(500'000);
    plan.dying_devices = random.chance(300'000);
    return plan;
  }
  std::string text() const {
    return std::to_string(nodes) + " nodes x " + std::to_string(devices) + " devices" +
           (crashes ? ", crashes" : "") + (cuts ? ", cuts" : "") + (pauses ? ", pauses" : "") +
           (bad_network ? ", bad network" : "") + (dying_devices ? ", dying devices" : "");
  }
};

SimOptions world_options(const ChaosOptions& options, const Plan& plan) {
  SimOptions world;
  world.seed = options.seed;
  world.nodes = std::max(plan.nodes, options.replicas);
  world.replicas = options.replicas;
  world.raft_fault = options.raft_fault;
  if (options.replicas > 1) {
    world.ledger_limits.compact_after_entries = 20;
    world.raft_limits.entries_kept_behind_snapshot = 10;
  }
  world.devices = plan.devices;
  world.ledger_faults = options.ledger_faults;
  world.log_faults = options.log_faults;
  world.store.faults = options.store_faults;
  world.pin_limits = options.pin_limits;
  if (plan.bad_network) {
    world.network.loss_ppm = 20'000;
    world.network.duplicate_ppm = 20'000;
    world.network.reorder_ppm = 50'000;
  }
  if (plan.dying_devices) {
    world.executor.spontaneous_death_ppm = 30'000;
    world.executor.dies_until = base::Time{options.trouble};  // histories begin at 0
  }
  return world;
}

class Chaos {
 public:
  explicit Chaos(const ChaosOptions& options)
      : options_(options),
        random_(options.seed * 0x9e3779b97f4a7c15u + 1),
        plan_(Plan::draw(random_)),
        watch_(std::make_shared<Watch>()),
        world_(world_options(options, plan_), watch_) {
    world_.set_verbose(options.verbose);
  }

  ChaosResult run() {
    client_ = std::make_unique<SimClient>(world_);
    object_user_ = std::make_unique<ObjectUser>(
        world_, *client_, base::Random(options_.seed),
        [this](const protocol::JobSpec& spec) { submit(spec, random_.chance(150'000)); });
    const base::Time end = world_.now() + options_.trouble;
    schedule_user(end);
    schedule_trouble(end);
    world_.run_for(options_.trouble);
    result_.frames_lost = world_.network().counters().lost;
    trouble_.make_peace();
    const bool settled =
        world_.run_until([this] { return all_ended() || !watch_->violations().empty(); }, 120s);
    if (options_.objects) {
      let_go();
    }
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
    const base::Time next = world_.now() + between(20ms, 400ms);
    if (next >= end) {
      return;
    }
    world_.agenda().note(next, [this, end] {
      options_.objects&& random_.chance(700'000) ? object_user_->act() : submit_something();
      schedule_user(end);
    });
  }

  void submit_something() {
    static constexpr const char* sources[] = {"__global__ ok", "__global__ ok", "__global__ ok",
                                              "__global__ fail", "__global__ crash"};
    protocol::JobSpec spec =
        simple_job(1 + static_cast<std::uint32_t>(random_.below(30)), sources[random_.below(5)]);
    spec.retries = static_cast<std::uint32_t>(random_.below(3));
    if (random_.chance(350'000)) {
      spec.after = some_conditions();
    }
    submit(spec, random_.chance(150'000));
  }

  void submit(protocol::JobSpec spec, bool cancels) {
    // Enough lives for everything: what ends as lost then is a fault of ours.
    spec.crash_limit = 1000;
    client_->submit(spec, 8s, [this, spec, cancels](const protocol::ClientReply& reply) {
      const auto* accepted = std::get_if<protocol::Accepted>(&reply);
      if (accepted == nullptr) {
        return;  // refused or unknown: nothing was promised
      }
      ++result_.accepted;
      if (!accepted_.emplace(accepted->job, spec).second) {
        watch_->violation("two submits were answered with job " + to_string(accepted->job));
      }
      if (cancels) {
        client_->call(protocol::CancelJob{{}, accepted->job}, 8s,
                      [](const protocol::ClientReply&) {});
      }
    });
  }

  /// Jobs of any shard, ended or not; now and then one that never was.
  std::vector<protocol::Dependency> some_conditions() {
    std::vector<protocol::Dependency> conditions(1 + random_.below(2));
    for (protocol::Dependency& condition : conditions) {
      const auto last = static_cast<std::uint64_t>(accepted_.size());
      condition.kind = static_cast<protocol::DependencyKind>(random_.below(3));
      if (last == 0 || random_.chance(50'000)) {
        condition.job = {1'000'000'000 + random_.below(100)};
        continue;
      }
      // Rather a late one, which has not ended yet.
      const std::uint64_t from = random_.chance(600'000) && last > 5 ? last - 5 : 0;
      condition.job = std::next(accepted_.begin(),
                                static_cast<std::ptrdiff_t>(from + random_.below(last - from)))
                          ->first;
    }
    return conditions;
  }

  // --- trouble -----------------------------------------------------------------------------------
  void schedule_trouble(base::Time end) {
    const base::Time next = world_.now() + between(50ms, 700ms);
    if (next >= end) {
      return;
    }
    world_.agenda().note(next, [this, end] {
      trouble_.make([this] { return between(20ms, 2500ms); });
      schedule_trouble(end);
    });
  }

  // --- the end -----------------------------------------------------------------------------------
  bool all_ended() const {
    return std::all_of(accepted_.begin(), accepted_.end(),
                       [this](const auto& job) { return watch_->has_ended(job.first); });
  }

  /// Until what nobody needs has had its time to go.
  void let_go() {
    const objects::PinLimits& limits = options_.pin_limits;
    world_.run_for(limits.settle + 2 * limits.check_interval + limits.grace +
                   2 * limits.look_interval + 5s);
    check_objects(world_, *watch_);
  }

  void finish(bool settled) {
    for (const auto& [job, spec] : accepted_) {
      watch_->check_end(job, spec, plan_.dying_devices);
      result_.followers += !spec.after.empty() && watch_->may_begin(spec) ? 1 : 0;
      result_.held_back += watch_->may_begin(spec) ? 0 : 1;
    }
    result_.violations = watch_->violations();
    if (!settled) {
      result_.violations.push_back("accepted jobs were still not terminal 120 s after peace");
    }
    result_.crashes = trouble_.crashes();
    result_.drawn = plan_.text();
    result_.trace_hash = world_.trace_hash();
    result_.steps = world_.steps();
    result_.tasks_ended = watch_->tasks_ended();
    result_.attempts = watch_->attempts();
    result_.uploads = object_user_->uploads();
    result_.objects_gone = watch_->objects_gone();
    result_.jumps = watch_->jumps();
  }

  const ChaosOptions options_;
  base::Random random_;
  const Plan plan_;
  std::shared_ptr<Watch> watch_;
  SimWorld world_;
  Trouble trouble_{world_, random_, {plan_.crashes, plan_.cuts, plan_.pauses}};
  std::unique_ptr<SimClient> client_;
  std::unique_ptr<ObjectUser> object_user_;
  std::map<base::JobId, protocol::JobSpec> accepted_;
  ChaosResult result_;
};

}  // namespace

ChaosResult run_chaos(const ChaosOptions& options) {
  return Chaos(options).run();
}

}  // namespace fastgpu::testing
