// How soon the kernel tasks that ran on a node go on elsewhere when it dies or stands still, beside
// commands that come and go on all devices. Only time in which some device of the other nodes runs
// no command counts: a task that runs is not driven out by one that was lost.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/watch.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

/// Notes where tasks begin and which devices run commands, and passes on what it sees.
class StartWatch final : public actors::Observer {
 public:
  void shard_stepped(const protocol::NodeInfo& node, const ledger::ShardMachine& shard) override {
    watch.shard_stepped(node, shard);
  }
  void objects_removed(const protocol::NodeInfo& node,
                       const std::vector<base::ObjectHash>& hashes) override {
    watch.objects_removed(node, hashes);
  }
  void worker_stepped(const protocol::NodeInfo& node,
                      const worker::WorkerMachine& machine) override {
    watch.worker_stepped(node, machine);
    const base::DeviceId device = machine.books().device;
    with_commands.erase(device);
    std::erase_if(running, [&](const auto& one) { return one.second == device; });
    for (const auto& [token, launch] : machine.in_flight()) {
      const worker::Attempt& attempt = machine.attempts().at(launch.task.attempt);
      if (launch.command) {
        with_commands.insert(device);
      }
      running.insert({{attempt.job, attempt.tasks[launch.task.place].index}, device});
    }
  }

  using Task = std::pair<base::JobId, std::uint32_t>;
  Watch watch;
  std::set<base::DeviceId> with_commands;
  std::set<std::pair<Task, base::DeviceId>> running;
};

struct Blow {
  std::uint64_t seed;
  bool freeze;  ///< instead of kill
};

class Failover : public ::testing::TestWithParam<Blow> {
 protected:
  static constexpr std::uint32_t nodes = 3;
  static constexpr std::uint32_t devices = 2;
  static constexpr base::Duration step = 5ms;

  static SimOptions options() {
    SimOptions options;
    options.seed = GetParam().seed;
    options.nodes = nodes;
    options.devices = devices;
    options.replicas = 3;
    options.shards = 8;
    options.commands = true;
    options.executor.window = 1;
    options.executor.run_min = options.executor.run_max = 700ms;
    return options;
  }
  bool all_led() const {
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (!watch->watch.leader_of({shard})) {
        return false;
      }
    }
    return true;
  }
  using Job = std::shared_ptr<std::optional<base::JobId>>;
  /// The job is there once it was accepted.
  Job submit(base::ShardId shard, protocol::JobSpec spec) {
    const auto job = std::make_shared<std::optional<base::JobId>>();
    client.call(protocol::Submit{{shard, 7, ++requests},
                                 {std::make_shared<const protocol::JobSpec>(std::move(spec))}},
                10s, [job](const protocol::ClientReply& answer) {
                  const auto* accepted = std::get_if<protocol::Accepted>(&answer);
                  if (accepted != nullptr) {
                    *job = accepted->job;
                  }
                });
    return job;
  }
  void submit_command() {
    protocol::JobSpec spec;
    spec.name = "load";
    spec.command.argv = {"train", std::to_string(++requests)};
    spec.tasks = 1 + static_cast<std::uint32_t>(random.below(2));
    spec.lease_ns = base::Duration(10s).count();
    submit({static_cast<std::uint32_t>(random.below(8))}, std::move(spec));
  }
  /// Lets time pass with new commands now and then, until it is so.
  bool work_until(const std::function<bool()>& done, base::Duration limit) {
    for (const base::Time end = world.now() + limit; world.now() < end;) {
      if (done()) {
        return true;
      }
      if (world.now() >= next_command) {
        submit_command();
        next_command = world.now() + base::Duration(random.below(4'000'000'000));
      }
      world.run_for(step);
      no_room += has_room() ? base::Duration::zero() : step;
    }
    return false;
  }
  bool has_room() const {
    std::uint32_t full = 0;
    for (const base::DeviceId& device : watch->with_commands) {
      full += device.node.value == victim + 1 ? 0 : 1;
    }
    return full < (nodes - 1) * devices;
  }
  /// Tasks of the job that run on the victim, or elsewhere.
  std::set<std::uint32_t> running(base::JobId job, bool on_victim) const {
    std::set<std::uint32_t> tasks;
    for (const auto& [task, device] : watch->running) {
      if (task.first == job && (device.node.value == victim + 1) == on_victim) {
        tasks.insert(task.second);
      }
    }
    return tasks;
  }
  void strike() { GetParam().freeze ? world.freeze(victim) : world.crash(victim); }
  void undo() { GetParam().freeze ? world.thaw(victim) : world.start(victim); }
  /// How long the victim's tasks take to run elsewhere; none if nothing came to run on it.
  std::optional<base::Duration> time_round(std::uint32_t round) {
    victim = round % nodes;
    const Job asked = submit({static_cast<std::uint32_t>(random.below(8))}, simple_job(nodes));
    if (!work_until([&] { return *asked && !running(**asked, true).empty(); }, 10s)) {
      return std::nullopt;
    }
    const base::JobId job = **asked;
    work_until([] { return false; }, base::Duration(50ms + random.below(6) * 50ms));
    std::set<std::uint32_t> lost = running(job, true);
    const base::Time struck = world.now();
    no_room = base::Duration::zero();
    strike();
    std::optional<base::Duration> slowest;
    EXPECT_TRUE(work_until(
        [&] {
          for (const std::uint32_t task : running(job, false)) {
            if (lost.erase(task) > 0) {
              slowest = world.now() - struck - no_room;
            }
          }
          return lost.empty();
        },
        60s))
        << "seed " << GetParam().seed << ", round " << round;
    undo();
    work_until([] { return false; }, 3s);
    return slowest;
  }

  std::shared_ptr<StartWatch> watch{std::make_shared<StartWatch>()};
  SimWorld world{options(), watch};
  SimClient client{world};
  base::Random random{GetParam().seed};
  std::uint64_t requests{0};
  std::uint32_t victim{0};
  base::Time next_command{};
  base::Duration no_room{};
};

TEST_P(Failover, KernelTasksOfALostNodeRunElsewhereInTwoSeconds) {
  ASSERT_TRUE(world.run_until([this] { return all_led(); }, 10s));
  std::size_t timed = 0;
  for (std::uint32_t round = 0; round < 12; ++round) {
    if (const std::optional<base::Duration> took = time_round(round)) {
      ++timed;
      EXPECT_LE(*took, 2s) << "seed " << GetParam().seed << ", round " << round << ": "
                           << *took / 1ms << " ms";
    }
  }
  EXPECT_GE(timed, 4u);
  for (const std::string& violation : watch->watch.violations()) {
    ADD_FAILURE() << violation;
  }
}

class LeaderKilled : public ::testing::TestWithParam<std::uint64_t> {};

// Its connections break: nobody waits for the time in which a silent leader may still live.
TEST_P(LeaderKilled, OthersLeadItsShardsAtOnce) {
  SimOptions options;
  options.seed = GetParam();
  options.nodes = 3;
  options.replicas = 3;
  options.shards = 8;
  const auto watch = std::make_shared<Watch>();
  SimWorld world(options, watch);
  const auto led_without = [&](base::NodeId gone) {
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (watch->leader_of({shard}).value_or(gone) == gone) {
        return false;
      }
    }
    return true;
  };
  for (std::uint32_t victim = 0; victim < 3; ++victim) {
    ASSERT_TRUE(world.run_until([&] { return led_without({}); }, 10s));
    world.run_for(5s);
    world.crash(victim);
    EXPECT_TRUE(world.run_until([&] { return led_without({victim + 1}); }, 200ms)) << victim;
    world.start(victim);
    world.run_for(5s);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LeaderKilled, ::testing::Range<std::uint64_t>(1, 6));

std::vector<Blow> blows() {
  std::vector<Blow> all;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    all.push_back({seed, false});
    all.push_back({seed, true});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Failover, ::testing::ValuesIn(blows()), [](const auto& blow) {
  return std::string(blow.param.freeze ? "Freeze" : "Kill") + std::to_string(blow.param.seed);
});

}  // namespace
}  // namespace fastgpu::testing
