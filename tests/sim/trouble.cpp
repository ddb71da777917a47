#include "tests/sim/trouble.hpp"

namespace fastgpu::testing {

using namespace std::chrono_literals;

const char* to_word(FaultKind kind) {
  static constexpr const char* words[] = {
      "crashes", "crashes in a sync", "failed syncs", "power failures", "freezes",    "stalls",
      "cuts",    "one-way cuts",      "splits",       "slow disks",     "full disks", "clock jumps",
      "bit rot", "lost disks"};
  static_assert(std::size(words) == fault_kinds);
  return words[static_cast<std::size_t>(kind)];
}

Trouble::Trouble(SimWorld& world, base::Random& random, const PerFault<bool>& kinds,
                 Lasting lasting)
    : world_(world), random_(random), lasting_(std::move(lasting)) {
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    if (kinds[kind]) {
      kinds_.push_back(static_cast<FaultKind>(kind));
    }
  }
  world_.set_on_death([this](std::uint32_t index) { later([this, index] { revive(index); }); });
}

void Trouble::make() {
  if (!kinds_.empty()) {
    befall(kinds_[random_.below(kinds_.size())], node());
  }
}

void Trouble::befall(FaultKind kind, std::uint32_t victim) {
  const bool up = world_.is_up(victim);
  const std::uint32_t other = node();
  if (kind != FaultKind::power && kind != FaultKind::split && !up) {
    return;
  }
  if ((kind == FaultKind::cut || kind == FaultKind::one_way) && victim == other) {
    return;
  }
  if ((kind == FaultKind::rot || kind == FaultKind::lost_disk) && out_) {
    return;
  }
  ++made_[static_cast<std::size_t>(kind)];
  switch (kind) {
    case FaultKind::crash:
      return crash(victim);
    case FaultKind::sync_crash:
      return arm_sync(victim, static_cast<store::SyncPoint>(random_.below(3)));
    case FaultKind::failed_sync:
      return arm_sync(victim, store::SyncPoint::failure);
    case FaultKind::power:
      return cut_power();
    case FaultKind::freeze:
      return freeze(victim);
    case FaultKind::stall:
      return stall(victim);
    case FaultKind::cut:
      return cut({{victim, other}, {other, victim}});
    case FaultKind::one_way:
      return cut({{victim, other}});
    case FaultKind::split:
      return split(victim);
    case FaultKind::slow_disk:
      return slow_disk(victim);
    case FaultKind::full_disk:
      return fill_disk(victim);
    case FaultKind::clock_jump:
      world_.set_wall_offset(victim,
                             static_cast<std::int64_t>(random_.below(7'200'000)) - 3'600'000);
      return;
    case FaultKind::rot:
    case FaultKind::lost_disk:
      return spoil(kind, victim);
    case FaultKind::count:
      return;
  }
}

void Trouble::later(std::function<void()> what) {
  world_.agenda().note_in(lasting_(), std::move(what));
}

void Trouble::crash(std::uint32_t victim) {
  world_.crash(victim);
  later([this, victim] { revive(victim); });
}

void Trouble::arm_sync(std::uint32_t victim, store::SyncPoint point) {
  world_.crash_in_sync(victim, point);
}

void Trouble::cut_power() {
  for (std::uint32_t i = 0; i < world_.node_count(); ++i) {
    if (world_.is_up(i)) {
      world_.crash(i);
    }
  }
  for (std::uint32_t i = 0; i < world_.node_count(); ++i) {
    if (random_.chance(700'000)) {
      revive(i);
    } else {
      later([this, i] { revive(i); });
    }
  }
}

void Trouble::freeze(std::uint32_t victim) {
  if (world_.is_frozen(victim)) {
    return;
  }
  world_.freeze(victim);
  later([this, victim] {
    if (world_.is_frozen(victim)) {
      world_.thaw(victim);
    }
  });
}

void Trouble::stall(std::uint32_t victim) {
  world_.network().set_paused(world_.host(victim), true);
  later([this, victim] {
    if (!world_.is_frozen(victim)) {
      world_.network().set_paused(world_.host(victim), false);
    }
  });
}

void Trouble::cut(std::vector<std::pair<std::uint32_t, std::uint32_t>> ways) {
  for (const auto& [from, to] : ways) {
    world_.network().cut_one_way(world_.host(from), world_.host(to));
  }
  later([this, ways = std::move(ways)] {
    for (const auto& [from, to] : ways) {
      world_.network().heal(world_.host(from), world_.host(to));
    }
  });
}

/// Each node is drawn to one of two sides; with a bridge there is one node that hears both.
void Trouble::split(std::uint32_t bridge) {
  const bool has_bridge = random_.chance(500'000);
  const bool one_way = random_.chance(250'000);
  const std::uint64_t sides = random_.next();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ways;
  for (std::uint32_t a = 0; a < world_.node_count(); ++a) {
    for (std::uint32_t b = 0; b < world_.node_count(); ++b) {
      const bool apart = (sides >> a & 1) != (sides >> b & 1);
      const bool bridged = has_bridge && (a == bridge || b == bridge);
      if (apart && !bridged && !(one_way && (sides >> a & 1) != 0)) {
        ways.emplace_back(a, b);
      }
    }
  }
  cut(std::move(ways));
}

void Trouble::slow_disk(std::uint32_t victim) {
  world_.disk(victim).set_stall(random_.chance(500'000) ? 50ms : 1500ms);
  later([this, victim] { world_.disk(victim).set_stall({}); });
}

void Trouble::fill_disk(std::uint32_t victim) {
  world_.disk(victim).set_bytes_free(world_.options().disk_reserve_bytes / 2);
  later([this, victim] { world_.disk(victim).set_bytes_free(UINT64_MAX); });
}

std::string changed_record(const store::MemoryDisk::Contents& before,
                           const store::MemoryDisk::Contents& after) {
  for (const auto& [key, value] : before) {
    const auto other = after.find(key);
    if (other == after.end() || other->second != value) {
      return key;
    }
  }
  return "";
}

/// The node dies and its disk with it, whole or by one bit. It must not begin again as it was.
void Trouble::spoil(FaultKind kind, std::uint32_t victim) {
  world_.crash(victim);
  out_ = victim;
  const store::MemoryDisk::Contents before = world_.disk(victim).contents();
  if (kind == FaultKind::lost_disk) {
    world_.lose_disk(victim);
  } else if (!world_.disk(victim).rot(random_)) {
    out_.reset();
    return revive(victim);
  }
  const std::string record = changed_record(before, world_.disk(victim).contents());
  later([this, kind, victim, record] {
    const base::Status started = world_.try_start(victim);
    const auto expected =
        kind == FaultKind::rot ? base::ErrorCode::corrupt : base::ErrorCode::conflict;
    if (started.ok() || started.error().code != expected) {
      unnoticed_.push_back(world_.info(victim).name + " began after " + to_word(kind) + " of " +
                           std::to_string(record.size()) + ":" + record +
                           (started.ok() ? "" : ": " + started.error().message));
    }
  });
}

void Trouble::make_peace() {
  link::SimNetworkOptions calm = world_.options().network;
  calm.loss_ppm = calm.duplicate_ppm = calm.reorder_ppm = calm.corrupt_ppm = 0;
  calm.delay_max = link::SimNetworkOptions{}.delay_max;
  world_.network().set_options(calm);
  world_.network().heal_all();
  for (std::uint32_t i = 0; i < world_.node_count(); ++i) {
    world_.crash_in_sync(i, std::nullopt);
    world_.disk(i).set_stall({});
    world_.disk(i).set_bytes_free(UINT64_MAX);
    if (world_.is_frozen(i)) {
      world_.thaw(i);
    }
    world_.network().set_paused(world_.host(i), false);
    revive(i);
  }
}

void Trouble::revive(std::uint32_t index) {
  if (!world_.is_up(index) && !is_out(index)) {
    world_.start(index);
  }
}

}  // namespace fastgpu::testing
