#include "tests/sim/raft/chaos.hpp"

#include <algorithm>
#include <utility>

#include "tests/sim/raft/group.hpp"

namespace fastgpu::raft::testing {
namespace {

/// Each seed turns whole classes of trouble on or off, and draws how much of it there is.
struct Drawn {
  std::uint32_t nodes{3};
  bool crashes{}, cuts{}, one_way{}, pauses{}, stalls{}, members{}, transfers{}, rumours{};
  GroupOptions group;

  std::string text() const {
    const auto word = [](bool on, const char* name) {
      return on ? std::string(" ") + name : std::string();
    };
    return std::to_string(nodes) + " nodes," + word(crashes, "crashes") + word(cuts, "cuts") +
           word(one_way, "one-way") + word(pauses, "pauses") + word(stalls, "stalls") +
           word(members, "members") + word(transfers, "transfers") + word(rumours, "rumours") +
           "; loss " + std::to_string(group.loss_ppm) + " ppm, duplicates " +
           std::to_string(group.duplicate_ppm) + " ppm, delay to " +
           std::to_string(group.delay_max / 1us) + " us, sync to " +
           std::to_string(group.sync_max / 1us) + " us, crash at sync " +
           std::to_string(group.crash_at_sync_ppm) + " ppm, failed sync " +
           std::to_string(group.fail_sync_ppm) + " ppm, snapshot each " +
           std::to_string(group.compact_after) + " entries of " +
           std::to_string(group.snapshot_bytes) + " bytes, clocks within " +
           std::to_string(group.clock_ppm) + " ppm";
  }
};

Drawn draw(const ChaosOptions& options) {
  base::Random random(options.seed * 0x9e3779b97f4a7c15u + 7);
  const auto often = [&] { return random.chance(600'000); };
  Drawn drawn;
  constexpr std::uint32_t sizes[] = {3, 3, 3, 3, 5, 5, 4, 2, 1};
  drawn.nodes = sizes[random.below(std::size(sizes))];
  drawn.crashes = often();
  drawn.cuts = often();
  drawn.one_way = often();
  drawn.pauses = often();
  drawn.stalls = often();
  drawn.members = random.chance(400'000);
  drawn.transfers = random.chance(400'000);
  drawn.rumours = random.chance(400'000);
  GroupOptions& group = drawn.group;
  group.seed = random.next();
  group.fault = options.fault;
  group.verbose = options.verbose;
  group.loss_ppm = often() ? static_cast<std::uint32_t>(random.below(150'000)) : 0;
  group.duplicate_ppm = often() ? static_cast<std::uint32_t>(random.below(100'000)) : 0;
  group.delay_max = base::Duration(500us) + base::Duration(1us) * random.below(12'000);
  group.sync_max =
      base::Duration(100us) + base::Duration(1us) * random.below(often() ? 2000 : 30'000);
  group.crash_at_sync_ppm = drawn.crashes ? static_cast<std::uint32_t>(random.below(12'000)) : 0;
  group.fail_sync_ppm =
      drawn.crashes && often() ? static_cast<std::uint32_t>(random.below(6'000)) : 0;
  group.compact_after = often() ? 4 + random.below(40) : 0;
  group.snapshot_bytes = 8 + random.below(300);
  group.clock_ppm = often() ? static_cast<std::int64_t>(random.below(50'000)) : 0;
  group.limits.entries_kept_behind_snapshot = random.below(8);
  group.limits.window_messages_max = 1 + random.below(8);
  return drawn;
}

class Chaos {
 public:
  explicit Chaos(const ChaosOptions& options)
      : options_(options),
        drawn_(draw(options)),
        group_(drawn_.group),
        random_(options.seed + 99) {}

  ChaosResult run() {
    group_.found(drawn_.nodes);
    const base::Time end = group_.now() + options_.trouble;
    while (group_.now() < end && group_.checker().violations().empty()) {
      group_.run_for(base::Duration(1ms) * (1 + random_.below(20)));
      use();
      trouble();
    }
    if (group_.checker().violations().empty()) {
      peace();
    }
    ChaosResult result;
    result.drawn = drawn_.text();
    result.violations = group_.checker().violations();
    result.trace_hash = group_.trace_hash();
    result.steps = group_.steps();
    result.done = group_.done();
    result.reads = group_.reads();
    result.leaderships = group_.checker().leaderships();
    result.crashes = group_.crashes();
    result.installs = group_.installs();
    result.changes = changes_;
    result.virtual_time = group_.now().time_since_epoch();
    return result;
  }

 private:
  std::uint32_t any() {
    auto at = group_.nodes().begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(group_.nodes().size())));
    return at->first.value;
  }
  bool up(std::uint32_t id) { return group_.at(id).machine != nullptr; }
  bool now_and_then(std::uint32_t ppm) { return random_.chance(ppm); }

  /// Clients ask the leader, or anybody.
  void use() {
    const std::uint32_t to = group_.leader().value_or(any());
    for (std::uint64_t count = random_.below(4); count > 0 && up(to); --count) {
      group_.propose(to);
    }
    if (now_and_then(400'000) && up(to)) {
      group_.read(now_and_then(200'000) ? any() : to);
    }
    if (drawn_.transfers && now_and_then(20'000) && up(to)) {
      group_.transfer(to, any());
    }
    const std::uint32_t hears = any();
    if (drawn_.rumours && now_and_then(100'000) && up(hears)) {
      group_.lose_peer(hears, to);
    }
    if (drawn_.members && now_and_then(80'000) && up(to)) {
      change(to);
    }
  }

  void change(std::uint32_t leader) {
    using enum MemberChange;
    if (group_.nodes().size() < drawn_.nodes + 2u && now_and_then(300'000)) {
      const auto id = static_cast<std::uint32_t>(group_.nodes().size() + 1);
      group_.add(id);
      group_.start(id);
    }
    constexpr MemberChange all[] = {add_learner, add_learner, promote, promote,
                                    promote,     demote,      remove};
    const base::LogToken token = group_.change(leader, all[random_.below(std::size(all))], any());
    pending_changes_.push_back(token);
  }

  void trouble() {
    if (drawn_.crashes && now_and_then(25'000)) {
      const std::uint32_t id = now_and_then(500'000) ? group_.leader().value_or(any()) : any();
      if (up(id)) {
        group_.crash(id);
      }
    }
    const std::uint32_t back = any();
    if (!up(back) && now_and_then(250'000)) {
      group_.start(back);
    }
    if (drawn_.cuts && now_and_then(20'000)) {
      now_and_then(400'000) ? group_.isolate(any()) : group_.cut(any(), any());
    }
    if (drawn_.one_way && now_and_then(20'000)) {
      group_.cut_way(any(), any());
    }
    if (now_and_then(30'000)) {
      group_.join_all();
    }
    stop_and_go();
  }

  void stop_and_go() {
    const std::uint32_t id = now_and_then(500'000) ? group_.leader().value_or(any()) : any();
    if (drawn_.pauses && up(id) && now_and_then(15'000)) {
      group_.pause(id);
    }
    const std::uint32_t other = any();
    if (group_.at(other).paused && now_and_then(100'000)) {
      if (now_and_then(500'000)) {
        group_.read(other);  // lies in the inbox when it wakes
      }
      group_.resume(other);
    }
    if (drawn_.stalls && up(id) && now_and_then(15'000)) {
      group_.stall_disk(id);
    }
    if (group_.at(other).disk_stalled && now_and_then(100'000)) {
      group_.free_disk(other);
    }
  }

  void peace() {
    group_.peace = true;
    group_.join_all();
    for (auto& [id, node] : group_.nodes()) {
      if (node.paused) {
        group_.resume(id.value);
      }
      group_.free_disk(id.value);
      if (!node.machine) {
        group_.start(id.value);
      }
      group_.expect(!node.damaged, "a crash leaves a disk from which a replica starts");
    }
    std::optional<base::LogToken> token;
    const bool alive = group_.run_until(
        [&] {
          const auto leader = group_.leader();
          if (!leader) {
            return false;
          }
          if (!token || group_.outcome(*token) == Group::Outcome::unknown ||
              group_.outcome(*token) == Group::Outcome::refused) {
            token = group_.propose(*leader);
          }
          return group_.outcome(*token) == Group::Outcome::done && agreed(*leader);
        },
        10s);
    group_.expect(alive, "in peace a leader is found, commits, and all members get the same");
    for (const base::LogToken& change : pending_changes_) {
      changes_ += group_.outcome(change) == Group::Outcome::done ? 1 : 0;
    }
  }

  bool agreed(std::uint32_t leader) {
    const Group::Node& best = group_.at(leader);
    return std::all_of(best.machine->log().active().members.begin(),
                       best.machine->log().active().members.end(), [&](const Member& member) {
                         const Group::Node& node = group_.nodes().at(member.node);
                         return node.machine && node.applied == best.applied &&
                                node.state == best.state;
                       });
  }

  const ChaosOptions options_;
  const Drawn drawn_;
  Group group_;
  base::Random random_;
  std::vector<base::LogToken> pending_changes_;
  std::uint64_t changes_{0};
};

}  // namespace

ChaosResult run_chaos(const ChaosOptions& options) {
  return Chaos(options).run();
}

}  // namespace fastgpu::raft::testing
