#include "tests/sim/swarm.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include "tests/sim/users.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

class Swarm {
 public:
  explicit Swarm(const SwarmOptions& options)
      : options_(options),
        random_(options.seed * 0x9e3779b97f4a7c15u + 1),
        plan_(draw()),
        world_(world_options(), watch_) {
    world_.set_verbose(options.verbose);
    if (world_.options().replicas > 1) {
      watch_->let_others_keep_objects();
    }
  }

  SwarmResult run() {
    const base::Time begin = world_.now();
    const base::Time end = begin + plan_.trouble;
    schedule_user(end);
    schedule_trouble(end);
    world_.run_until([this] { return runs_wild(); }, plan_.trouble);
    const link::SimNetworkCounters frames = world_.network().counters();
    trouble_.make_peace();
    settle();
    if (plan_.objects) {
      let_go();
    }
    finish();
    result_.counts.frames = frames;
    result_.counts.virtual_ms = static_cast<std::uint64_t>((world_.now() - begin) / 1ms);
    return result_;
  }

 private:
  Plan draw() {
    Plan plan = Plan::draw(random_);
    if (options_.bend) {
      options_.bend(plan);
    }
    return plan;
  }

  SimOptions world_options() const {
    SimOptions world = plan_.world(options_.seed);
    world.ledger_faults = options_.ledger_faults;
    world.log_faults = options_.log_faults;
    world.store.faults = options_.store_faults;
    world.raft_fault = options_.raft_fault;
    world.command = options_.command;
    if (plan_.objects) {
      world.pin_limits = short_pin_limits();
    }
    return world;
  }

  base::Duration below(base::Duration most) {
    return most / 10 + base::Duration{static_cast<std::int64_t>(
                           random_.below(static_cast<std::uint64_t>(most.count())))};
  }

  /// Short, or long enough for leases to end.
  base::Duration lasting() {
    return below(random_.chance(500'000) ? plan_.lasting / 8 : plan_.lasting);
  }

  void schedule_user(base::Time end) {
    const base::Time next = world_.now() + below(plan_.between_calls);
    if (next < end) {
      world_.agenda().note(next, [this, end] {
        users_.act();
        schedule_user(end);
      });
    }
  }

  void schedule_trouble(base::Time end) {
    const base::Time next = world_.now() + below(plan_.between_faults);
    if (next < end) {
      world_.agenda().note(next, [this, end] {
        trouble_.make();
        schedule_trouble(end);
      });
    }
  }

  // --- the end -----------------------------------------------------------------------------------
  /// Everything that was asked for is answered, and what was accepted has come to its end.
  bool all_ended() const {
    const auto& jobs = users_.accepted();
    return users_.waiting() == 0 && std::all_of(jobs.begin(), jobs.end(), [this](const auto& job) {
             return watch_->has_ended(job.first);
           });
  }
  std::set<base::NodeId> sound_nodes() const {
    std::set<base::NodeId> nodes;
    for (std::uint32_t i = 0; i < world_.node_count(); ++i) {
      if (!trouble_.is_out(i)) {
        nodes.insert(world_.info(i).node);
      }
    }
    return nodes;
  }

  /// More goes on than any sound history needs.
  bool runs_wild() {
    constexpr std::uint64_t steps_max = 5'000'000;
    if (world_.steps() > steps_max && !wild_) {
      wild_ = true;
      watch_->violation("the history takes more than " + std::to_string(steps_max) + " steps");
    }
    return wild_;
  }

  /// Liveness: nobody makes trouble any more.
  void settle() {
    const base::Duration limit = plan_.commands ? 600s : 120s;
    const auto broken = [this] { return !watch_->violations().empty() || runs_wild(); };
    if (!world_.run_until([&] { return all_ended() || broken(); }, limit)) {
      watch_->violation("accepted jobs were still not terminal " + std::to_string(limit / 1s) +
                        " s after peace");
      return;
    }
    users_.ask_again_for_all();
    const std::set<base::NodeId> nodes = sound_nodes();
    const auto equal = [&] { return all_ended() && watch_->all_equal(nodes); };
    if (!world_.run_until([&] { return equal() || broken(); }, 30s)) {
      watch_->violation("replicas were still not equal 30 s after all jobs had ended");
    }
  }

  /// Until what nobody needs has had its time to go.
  void let_go() {
    const objects::PinLimits limits = short_pin_limits();
    world_.run_for(limits.settle + 2 * limits.check_interval + limits.grace +
                   2 * limits.look_interval + 5s);
    check_objects(world_, *watch_);
  }

  void finish() {
    SwarmCounts& counts = result_.counts;
    watch_->check_requests();
    for (const auto& [job, known] : users_.accepted()) {
      watch_->check_end(job, known.spec, plan_.dying_devices, &world_.executions());
      counts.lost += watch_->find(job) == nullptr ? 1 : 0;
      counts.followers += !known.spec.after.empty() && watch_->may_begin(known.spec) ? 1 : 0;
      counts.held_back += watch_->may_begin(known.spec) ? 0 : 1;
    }
    result_.violations = watch_->violations();
    for (const auto* more : {&world_.executions().violations(), &trouble_.unnoticed()}) {
      result_.violations.insert(result_.violations.end(), more->begin(), more->end());
    }
    result_.drawn = plan_.text();
    result_.trace_hash = world_.trace_hash();
    count();
  }

  void count() {
    SwarmCounts& counts = result_.counts;
    counts.histories = 1;
    counts.steps = world_.steps();
    counts.faults = trouble_.made();
    counts.elections = watch_->elections();
    counts.snapshots = watch_->jumps();
    for (std::uint32_t i = 0; i < world_.node_count(); ++i) {
      counts.lost_writes += world_.disk(i).counters.lost_writes;
      counts.torn_syncs += world_.disk(i).counters.torn_syncs;
    }
    counts.accepted = users_.accepted().size();
    counts.refused = users_.refused();
    counts.repeats = users_.repeats();
    counts.looks = users_.looks();
    counts.tasks_ended = watch_->tasks_ended();
    counts.attempts = watch_->attempts();
    std::set<std::pair<base::JobId, std::uint32_t>> tasks;
    for (const Execution& execution : world_.executions().all()) {
      tasks.emplace(execution.job, execution.task);
    }
    counts.executions = world_.executions().all().size();
    counts.executed_again = counts.executions - tasks.size();
    counts.leases_ended = world_.executions().killed_at_lease_end();
    counts.uploads = users_.uploads();
    counts.objects_gone = watch_->objects_gone();
  }

  const SwarmOptions options_;
  base::Random random_;
  const Plan plan_;
  std::shared_ptr<Watch> watch_{std::make_shared<Watch>()};
  SimWorld world_;
  Trouble trouble_{world_, random_, plan_.faults, [this] { return lasting(); }};
  Users users_{world_, random_, plan_, *watch_};
  SwarmResult result_;
  bool wild_{false};
};

struct Line {
  const char* word;
  std::uint64_t SwarmCounts::*count;
};
constexpr Line lines[] = {
    {"histories", &SwarmCounts::histories},
    {"virtual ms", &SwarmCounts::virtual_ms},
    {"steps", &SwarmCounts::steps},
    {"elections", &SwarmCounts::elections},
    {"snapshots sent", &SwarmCounts::snapshots},
    {"writes lost", &SwarmCounts::lost_writes},
    {"syncs torn", &SwarmCounts::torn_syncs},
    {"jobs accepted", &SwarmCounts::accepted},
    {"jobs lost", &SwarmCounts::lost},
    {"submits refused or unknown", &SwarmCounts::refused},
    {"submits repeated", &SwarmCounts::repeats},
    {"looks", &SwarmCounts::looks},
    {"tasks ended", &SwarmCounts::tasks_ended},
    {"attempts", &SwarmCounts::attempts},
    {"jobs after others", &SwarmCounts::followers},
    {"jobs held back", &SwarmCounts::held_back},
    {"commands executed", &SwarmCounts::executions},
    {"commands executed again", &SwarmCounts::executed_again},
    {"commands ended by their lease", &SwarmCounts::leases_ended},
    {"objects uploaded", &SwarmCounts::uploads},
    {"objects let go", &SwarmCounts::objects_gone},
};
struct FrameLine {
  const char* word;
  std::uint64_t link::SimNetworkCounters::*count;
};
constexpr FrameLine frame_lines[] = {
    {"frames delivered", &link::SimNetworkCounters::delivered},
    {"frames lost", &link::SimNetworkCounters::lost},
    {"frames duplicated", &link::SimNetworkCounters::duplicated},
    {"frames reordered", &link::SimNetworkCounters::reordered},
    {"frames corrupted", &link::SimNetworkCounters::corrupted},
    {"frames cut", &link::SimNetworkCounters::cut},
};

}  // namespace

SwarmCounts& SwarmCounts::operator+=(const SwarmCounts& other) {
  for (const Line& line : lines) {
    this->*line.count += other.*line.count;
  }
  for (const FrameLine& line : frame_lines) {
    frames.*line.count += other.frames.*line.count;
  }
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    faults[kind] += other.faults[kind];
  }
  return *this;
}

SwarmResult run_swarm(const SwarmOptions& options) {
  return Swarm(options).run();
}

std::string report(const SwarmOptions& options, const SwarmResult& result) {
  std::string text = "seed " + std::to_string(options.seed) + " (" + result.drawn +
                     "); replay it: scripts/sim --replay " + std::to_string(options.seed);
  for (const std::string& violation : result.violations) {
    text += "\n  " + violation;
  }
  return text;
}

std::string table(const SwarmCounts& counts) {
  std::string text;
  const auto add = [&text](std::uint64_t count, const char* word) {
    const std::string number = std::to_string(count);
    text += std::string(14 - std::min<std::size_t>(13, number.size()), ' ') + number + " " + word +
            "\n";
  };
  for (const Line& line : lines) {
    add(counts.*line.count, line.word);
  }
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    add(counts.faults[kind], to_word(static_cast<FaultKind>(kind)));
  }
  for (const FrameLine& line : frame_lines) {
    add(counts.frames.*line.count, line.word);
  }
  return text;
}

}  // namespace fastgpu::testing
