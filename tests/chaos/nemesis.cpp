#include "tests/chaos/nemesis.hpp"

#include <poll.h>

#include <algorithm>
#include <cstdio>

namespace fastgpu::chaos {
namespace {

using std::chrono::milliseconds;

constexpr int probe_task_ms = 700;
constexpr int long_command_ms = 11'500;
constexpr int lease_ms = 10'000;
constexpr milliseconds look_limit{1000};
constexpr milliseconds whole_limit{90'000};
constexpr milliseconds work_limit{60'000};

}  // namespace

Nemesis::Nemesis(Cluster& cluster, Work& work, const ChaosOptions& options, const Plan& plan,
                 base::Random& random, RunFigures& figures)
    : cluster_(cluster),
      work_(work),
      options_(options),
      plan_(plan),
      random_(random),
      figures_(figures) {
  for (int node = 0; node < cluster.size(); ++node) {
    each_.push_back(cluster.connect({node}, "nemesis"));
    std::vector<int> others;
    for (int other = 0; other < cluster.size(); ++other) {
      if (other != node) {
        others.push_back(other);
      }
    }
    all_but_.push_back(cluster.connect(others, "probe"));
  }
}

int Nemesis::draw_ms(int least, int most) {
  return least + static_cast<int>(random_.below(static_cast<std::uint64_t>(most - least + 1)));
}

int Nemesis::other_than(int node) {
  const int step =
      1 + static_cast<int>(random_.below(static_cast<std::uint64_t>(cluster_.size() - 1)));
  return (node + step) % cluster_.size();
}

void Nemesis::wait_ms(int ms) {
  ::poll(nullptr, 0, ms);
}

void Nemesis::complain(const std::string& what) {
  figures_.violations.push_back(what);
  work_.mark("trouble", what);
  std::fprintf(stderr, "chaos: %s\n", what.c_str());
}

// --- what the cluster says -----------------------------------------------------------------------

std::vector<base::ShardId> Nemesis::led_by(int node) {
  const auto status =
      each_[static_cast<std::size_t>(other_than(node))]->ask_for<protocol::ClusterStatus>(
          protocol::AskCluster{}, client::in(look_limit));
  std::vector<base::ShardId> shards;
  if (status.ok()) {
    for (const protocol::NodeView& view : status.value().nodes) {
      for (const protocol::LedShard& led : view.leads) {
        if (view.info.name == Cluster::name(node)) {
          shards.push_back(led.shard);
        }
      }
    }
  }
  return shards;
}

std::optional<base::ShardId> Nemesis::shard_without(int node) {
  if (options_.replicas_expected > 1) {
    return base::ShardId{static_cast<std::uint32_t>(random_.below(cluster_.shard_count()))};
  }
  const std::vector<base::ShardId> led = led_by(node);
  std::vector<base::ShardId> others;
  for (std::uint32_t shard = 0; shard < cluster_.shard_count(); ++shard) {
    if (std::find(led.begin(), led.end(), base::ShardId{shard}) == led.end()) {
      others.push_back({shard});
    }
  }
  return others.empty() ? std::nullopt : std::optional(others[random_.below(others.size())]);
}

/// Every node sees every node, with all its devices, and every shard has a leader. At first also:
/// the leaderships are spread, which comes last when the groups get their replicas.
bool Nemesis::is_whole() {
  for (const auto& connection : each_) {
    const auto status = connection->ask_for<protocol::ClusterStatus>(protocol::AskCluster{},
                                                                     client::in(look_limit));
    if (!status.ok()) {
      return false;
    }
    std::set<base::ShardId> led;
    int nodes = 0;
    const auto members = static_cast<std::uint32_t>(cluster_.size());
    const std::uint32_t share = (cluster_.shard_count() + members - 1) / members;
    // Where all nodes keep all shards, also the last one to come leads some.
    const bool all_lead = cluster_.size() <= options_.replicas;
    for (const protocol::NodeView& view : status.value().nodes) {
      const auto healthy = std::count_if(view.devices.begin(), view.devices.end(),
                                         [](const auto& books) { return books.healthy; });
      nodes += view.state == protocol::NodeState::up && healthy == options_.devices ? 1 : 0;
      for (const protocol::LedShard& shard : view.leads) {
        led.insert(shard.shard);
      }
      if (options_.replicas_expected > 1 && !replicas_seen_ &&
          (view.leads.size() > share || (all_lead && view.leads.empty()))) {
        return false;
      }
    }
    if (nodes != cluster_.size() || led.size() != cluster_.shard_count()) {
      return false;
    }
  }
  return true;
}

bool Nemesis::heal() {
  if (cluster_.links() != nullptr) {
    cluster_.links()->open_all();
  }
  if (cluster_.disk() != nullptr) {
    cluster_.disk()->make_room();
  }
  bury_the_dead();
  for (int node = 0; node < cluster_.size(); ++node) {
    if (!cluster_.is_up(node)) {
      cluster_.spawn(node);
    } else {
      cluster_.thaw(node);
    }
  }
  const bool whole = await(whole_limit, [this] {
    bury_the_dead();
    for (int node = 0; node < cluster_.size(); ++node) {
      if (!cluster_.is_up(node)) {
        cluster_.spawn(node);
      }
    }
    return is_whole();
  });
  full_disk_ = false;
  replicas_seen_ |= whole;
  if (!whole) {
    complain("the cluster is not whole " + std::to_string(whole_limit.count() / 1000) +
             " s after its faults have ended");
  }
  return whole;
}

void Nemesis::bury_the_dead() {
  for (int node = 0; node < cluster_.size(); ++node) {
    if (const std::optional<std::string> end = cluster_.ended_by_itself(node)) {
      // A node whose disk refuses a write ends itself, so that nobody believes it has written.
      if (full_disk_ && node == cluster_.size() - 1) {
        work_.mark("ended", *end);
      } else {
        complain(*end);
      }
    }
  }
}

// --- one victim ----------------------------------------------------------------------------------

bool Nemesis::start_kernels(int victim, int tries_max) {
  const std::optional<base::ShardId> shard = shard_without(victim);
  kernels_.reset();
  if (!shard) {
    return false;
  }
  kernels_ =
      std::make_unique<KernelProbe>(work_, *each_[static_cast<std::size_t>(other_than(victim))]);
  const base::NodeId number{static_cast<std::uint32_t>(victim + 1)};
  for (int tries = 0; tries < tries_max; ++tries) {
    if (kernels_->start(number, *shard, static_cast<std::uint32_t>(cluster_.size()), probe_task_ms,
                        random_)) {
      return true;
    }
  }
  kernels_.reset();  // what it submitted is part of the history all the same
  return false;
}

void Nemesis::strike(int victim, const Deed& deed) {
  const std::vector<base::ShardId> led = led_by(victim);
  const bool kernels_run = start_kernels(victim, deed.is_busy ? 1 : 3);
  figures_.rounds_without_kernels += kernels_run ? 0 : 1;
  shards_.clear();
  if (deed.silences_leader) {
    const auto& connection = all_but_[static_cast<std::size_t>(victim)];
    for (std::size_t i = 0; i < std::min<std::size_t>(led.size(), 3); ++i) {
      shards_.emplace_back(work_, connection, led[i], random_.next());
    }
  }
  if (kernels_run) {
    wait_ms(draw_ms(50, probe_task_ms / 2));  // granted is not launched yet
    kernels_->look();
  }
  work_.mark(deed.word, Cluster::name(victim));
  const history::Stamp struck = now();
  deed.strike();
  const auto all_accepted = [this] {
    for (ShardProbe& probe : shards_) {
      probe.tick();
    }
    return std::all_of(shards_.begin(), shards_.end(),
                       [](const ShardProbe& probe) { return probe.accepted(); });
  };
  const std::optional<int> another = strike_another(victim);
  await(milliseconds(deed.undo_after_ms), [&] {
    all_accepted();
    return false;
  });
  if (another) {
    cluster_.spawn(*another);
  }
  if (deed.waits_for_work && !another) {
    if (options_.replicas_expected > 1) {
      await(work_limit, all_accepted);
    }
    if (kernels_run) {
      kernels_->await_end(work_limit);
    }
  }
  work_.mark("undone", deed.word + " " + Cluster::name(victim));
  deed.undo();
  await(work_limit, all_accepted);
  judge_probes(victim, deed, struck, !another);
}

std::optional<int> Nemesis::strike_another(int victim) {
  if (!random_.chance(plan_.second_ppm)) {
    return std::nullopt;
  }
  const int another = other_than(victim);
  wait_ms(draw_ms(0, 500));
  work_.mark("killed", Cluster::name(another) + " meanwhile");
  cluster_.kill(another);
  return another;
}

void Nemesis::judge_probes(int victim, const Deed& deed, history::Stamp struck, bool alone) {
  if (!alone) {
    kernels_.reset();  // part of the history all the same
    return;
  }
  for (const ShardProbe& probe : shards_) {
    if (const std::optional<double> ms = probe.latency_ms(struck)) {
      figures_.shard_accepts[deed.word].ms.push_back(*ms);
    } else {
      complain("a shard of " + Cluster::name(victim) + ", which was " + deed.word +
               ", took no submit in " + std::to_string(work_limit.count() / 1000) + " s");
    }
  }
  if (kernels_ && kernels_->await_end(work_limit)) {
    for (const Successor& successor : kernels_->successors(clock_)) {
      figures_.kernels_moved.push_back(
          {deed.word, Cluster::name(victim), struck, successor.began, successor.attempts});
    }
  } else if (kernels_) {
    complain("kernel tasks of " + Cluster::name(victim) + ", which was " + deed.word +
             ", have not ended after " + std::to_string(work_limit.count() / 1000) + " s");
  }
  kernels_.reset();
}

void Nemesis::kill(int victim) {
  Deed deed;
  deed.word = "killed";
  deed.strike = [this, victim] { cluster_.kill(victim); };
  deed.undo = [this, victim] { cluster_.spawn(victim); };
  deed.undo_after_ms = draw_ms(100, 1500);
  deed.waits_for_work = true;
  strike(victim, deed);
}

void Nemesis::freeze(int victim, bool longer_than_leases) {
  if (longer_than_leases) {
    // Commands that are there when it stands still, and would be for longer than they may.
    const auto connection = each_[static_cast<std::size_t>(other_than(victim))];
    const Request request =
        work_.make("long", history::Kind::command, static_cast<std::uint32_t>(cluster_.size()),
                   long_command_ms, random_, shard_without(victim));
    work_.submit(*connection, "long", request, milliseconds(5000));
    wait_ms(300);
  }
  Deed deed;
  deed.word = "frozen";
  deed.is_busy = longer_than_leases;
  deed.strike = [this, victim] { cluster_.freeze(victim); };
  deed.undo = [this, victim] { cluster_.thaw(victim); };
  deed.undo_after_ms = longer_than_leases ? draw_ms(lease_ms + 700, plan_.freeze_long_ms_max)
                                          : draw_ms(100, plan_.freeze_ms_max);
  strike(victim, deed);
}

void Nemesis::cut(int victim) {
  Deed deed;
  deed.word = "cut off";
  const bool breaks = random_.chance(plan_.reset_at_cut_ppm);
  const auto passes = static_cast<std::int64_t>(random_.chance(500'000) ? random_.below(3000) : 0);
  deed.strike = [this, victim, breaks, passes] {
    for (int other = 0; other < cluster_.size(); ++other) {
      if (other != victim) {
        cluster_.links()->set(victim, other, {.held = true, .passes_bytes = passes});
        cluster_.links()->set(other, victim, {.held = true, .passes_bytes = passes});
      }
    }
    if (breaks) {
      cluster_.links()->reset(victim);
    }
  };
  deed.undo = [this] { cluster_.links()->open_all(); };
  deed.undo_after_ms = draw_ms(200, plan_.cut_ms_max);
  strike(victim, deed);
}

void Nemesis::slow(int victim) {
  Deed deed;
  deed.word = "slowed down";
  const int delay_ms = draw_ms(5, 200);
  deed.strike = [this, victim, delay_ms] {
    for (int other = 0; other < cluster_.size(); ++other) {
      cluster_.links()->set(victim, other, {.delay_ms = delay_ms});
      cluster_.links()->set(other, victim, {.delay_ms = delay_ms});
    }
  };
  deed.undo = [this] { cluster_.links()->open_all(); };
  deed.undo_after_ms = draw_ms(200, plan_.cut_ms_max);
  deed.silences_leader = false;
  strike(victim, deed);
}

void Nemesis::reset(int victim) {
  Deed deed;
  deed.word = "broken off";
  const int times = draw_ms(1, 3);
  deed.strike = [this, victim, times] {
    for (int i = 0; i < times; ++i) {
      cluster_.links()->reset(victim);
      wait_ms(draw_ms(0, 60));
    }
  };
  deed.undo = [] {};
  deed.undo_after_ms = draw_ms(0, 500);
  deed.silences_leader = false;
  strike(victim, deed);
}

// --- several -------------------------------------------------------------------------------------

void Nemesis::kill_several(int count) {
  const int first = draw_node();
  std::vector<int> victims;
  std::string names;
  for (int i = 0; i < count; ++i) {
    victims.push_back((first + i) % cluster_.size());
    names += (i == 0 ? "" : " ") + Cluster::name(victims.back());
  }
  work_.mark("killed", names);
  for (const int victim : victims) {
    cluster_.kill(victim);
  }
  wait_ms(draw_ms(0, count == cluster_.size() ? 1000 : 4000));
  for (const int victim : victims) {
    cluster_.spawn(victim);
  }
}

void Nemesis::one_way(int from, int to) {
  work_.mark("one way", Cluster::name(from) + " -> " + Cluster::name(to));
  cluster_.links()->set(from, to, {.held = true});
  wait_ms(draw_ms(200, plan_.cut_ms_max));
}

void Nemesis::bridge(int one, int other) {
  work_.mark("bridge", Cluster::name(one) + " | " + Cluster::name(other));
  cluster_.links()->set(one, other, {.held = true});
  cluster_.links()->set(other, one, {.held = true});
  wait_ms(draw_ms(200, plan_.cut_ms_max));
}

void Nemesis::fill_disk() {
  const auto left = random_.chance(300'000) ? 0 : random_.below(48u << 20);
  work_.mark("disk filled", std::to_string(left) + " bytes left");
  full_disk_ = true;
  cluster_.disk()->fill(left);
  wait_ms(draw_ms(500, 5000));
}

bool Nemesis::run_round(FaultKind kind) {
  const bool needs_links = kind == FaultKind::cut || kind == FaultKind::one_way ||
                           kind == FaultKind::bridge || kind == FaultKind::slow ||
                           kind == FaultKind::reset;
  if ((needs_links && cluster_.links() == nullptr) ||
      (kind == FaultKind::full_disk && cluster_.disk() == nullptr)) {
    ++figures_.rounds_skipped;
    return false;
  }
  const int victim = draw_node();
  switch (kind) {
    case FaultKind::kill:
      kill(victim);
      break;
    case FaultKind::kill_all:
      kill_several(cluster_.size());
      break;
    case FaultKind::kill_some:
      kill_several(draw_ms(2, cluster_.size() - 1));
      break;
    case FaultKind::freeze:
      freeze(victim, false);
      break;
    case FaultKind::freeze_long:
      freeze(victim, true);
      break;
    case FaultKind::cut:
      cut(victim);
      break;
    case FaultKind::one_way:
      one_way(victim, other_than(victim));
      break;
    case FaultKind::bridge:
      bridge(victim, other_than(victim));
      break;
    case FaultKind::slow:
      slow(victim);
      break;
    case FaultKind::reset:
      reset(victim);
      break;
    case FaultKind::full_disk:
      fill_disk();
      break;
  }
  ++figures_.rounds[static_cast<std::size_t>(kind)];
  heal();
  wait_ms(draw_ms(0, 2 * plan_.pause_round_ms));
  return true;
}

}  // namespace fastgpu::chaos
