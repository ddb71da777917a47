#include "tests/sim/plan.hpp"

#include <algorithm>

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

struct Chance {
  FaultKind kind;
  std::uint32_t ppm;
};

constexpr Chance chances[] = {
    {FaultKind::crash, 600'000},       {FaultKind::sync_crash, 400'000},
    {FaultKind::failed_sync, 250'000}, {FaultKind::power, 200'000},
    {FaultKind::freeze, 300'000},      {FaultKind::stall, 200'000},
    {FaultKind::cut, 250'000},         {FaultKind::one_way, 250'000},
    {FaultKind::split, 250'000},       {FaultKind::slow_disk, 250'000},
    {FaultKind::full_disk, 150'000},   {FaultKind::clock_jump, 150'000},
    {FaultKind::rot, 400'000},         {FaultKind::lost_disk, 400'000},
};
static_assert(std::size(chances) == fault_kinds);

base::Duration below(base::Random& random, base::Duration low, base::Duration high) {
  return low + base::Duration{static_cast<std::int64_t>(
                   random.below(static_cast<std::uint64_t>((high - low).count())))};
}

}  // namespace

Plan Plan::draw(base::Random& random) {
  Plan plan;
  plan.replicas = random.chance(500'000) ? 3 : 1;
  plan.nodes = std::max(plan.replicas, 2 + static_cast<std::uint32_t>(random.below(3)));
  plan.devices = 1 + static_cast<std::uint32_t>(random.below(2));
  plan.commands = random.chance(200'000);
  plan.objects = random.chance(150'000) && !plan.commands;
  plan.dying_devices = random.chance(250'000) && !plan.commands;
  plan.short_logs = random.chance(700'000);
  plan.drifting_clocks = random.chance(300'000);
  plan.bad_network = random.chance(400'000);
  plan.slow_network = random.chance(150'000);
  plan.corrupt_frames = random.chance(150'000);
  // Objects have one copy, so a lost disk would lose some.
  const bool disks_may_go = plan.replicas > 1 && !plan.objects;
  for (const Chance& chance : chances) {
    const bool loses = chance.kind == FaultKind::rot || chance.kind == FaultKind::lost_disk;
    plan.faults[static_cast<std::size_t>(chance.kind)] =
        random.chance(chance.ppm) && (disks_may_go || !loses);
  }
  plan.trouble = 5s;
  plan.between_faults = below(random, 300ms, 900ms);
  plan.between_calls = below(random, 300ms, 500ms);
  plan.lasting = 2500ms;
  if (plan.commands) {
    plan.run_commands();
  }
  return plan;
}

void Plan::run_commands() {
  commands = true;
  objects = dying_devices = false;
  trouble = 40s;
  between_faults = 4s;
  between_calls = 3s;
  lasting = 25s;
}

std::string Plan::text() const {
  std::string text = std::to_string(nodes) + " nodes x " + std::to_string(devices) +
                     " devices, replicas = " + std::to_string(replicas);
  const auto add = [&text](bool on, const char* word) {
    text += on ? std::string(", ") + word : "";
  };
  add(commands, "commands");
  add(objects, "objects");
  add(short_logs, "short logs");
  add(dying_devices, "dying devices");
  add(drifting_clocks, "drifting clocks");
  add(bad_network, "bad network");
  add(slow_network, "slow network");
  add(corrupt_frames, "corrupt frames");
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    add(faults[kind], to_word(static_cast<FaultKind>(kind)));
  }
  return text;
}

SimOptions Plan::world(std::uint64_t seed) const {
  SimOptions world;
  world.seed = seed;
  world.nodes = nodes;
  world.replicas = replicas;
  world.devices = devices;
  world.commands = commands;
  if (short_logs) {
    world.ledger_limits.compact_after_entries = 20;
    world.raft_limits.entries_kept_behind_snapshot = 10;
  }
  if (bad_network) {
    world.network.loss_ppm = 20'000;
    world.network.duplicate_ppm = 20'000;
    world.network.reorder_ppm = 50'000;
  }
  if (slow_network) {
    world.network.delay_max = 40ms;
  }
  if (corrupt_frames) {
    world.network.corrupt_ppm = 3'000;
  }
  if (dying_devices) {
    world.executor.spontaneous_death_ppm = 30'000;
    world.executor.dies_until = base::Time{1h + trouble};
  }
  if (faults[static_cast<std::size_t>(FaultKind::full_disk)]) {
    world.disk_reserve_bytes = 64u << 20;
  }
  base::Random drift(seed ^ 0xc10c);
  for (std::uint32_t node = 0; drifting_clocks && node < nodes; ++node) {
    // Leaders count a lease 1 % longer than workers: two clocks together stay below that.
    world.clock_drift_ppm.push_back(static_cast<std::int32_t>(drift.below(8'001)) - 4'000);
  }
  return world;
}

}  // namespace fastgpu::testing
