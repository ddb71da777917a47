/// A device that kills everything it is given, for a while, beside good ones: it is found out, put
/// into quarantine and taken back once it is well, and no good job pays for it.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "tests/sim/watch.hpp"
#include "tests/support/sim_client.hpp"
#include "tests/support/sim_world.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

/// Notes which devices are put into quarantine, and passes on what it sees.
class HealthWatch final : public actors::Observer {
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
    if (machine.health().quarantined()) {
      quarantined.insert(device);
    }
  }
  /// Where the tasks of a job ended.
  std::set<base::DeviceId> devices_of(base::JobId id) const {
    std::set<base::DeviceId> devices;
    if (const ledger::Job* job = watch.find(id)) {
      job->tasks.for_each([&](base::TaskRange, const protocol::TaskRecord& record) {
        if (record.outcome) {
          devices.insert(record.outcome->device);
        }
      });
    }
    return devices;
  }
  Watch watch;
  std::set<base::DeviceId> quarantined;  ///< at any time
};

/// Two nodes of two devices; the first device of the first node is sick for a while.
class SickDevice : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr base::DeviceId sick{{1}, 0};
  static constexpr base::DeviceId neighbour{{1}, 1};
  static constexpr base::Duration sickness = 20s;

  SickDevice() {
    SimOptions options;
    options.seed = GetParam();
    options.nodes = 2;
    options.devices = 2;
    SimExecutorOptions& apart = options.executors_apart[{0, 0}];
    apart.spontaneous_death_ppm = 1'000'000;
    apart.dies_until = base::Time{1h} + sickness;  // the world begins at one hour
    world_ = std::make_unique<SimWorld>(options, watch_);
    world_->run_for(2s);
    client_ = std::make_unique<SimClient>(*world_);
  }
  base::JobId submit(const std::string& source) {
    const protocol::JobSpec spec = simple_job(20, source);  // without retries of the user's
    const auto reply =
        client_->ask(protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(spec)}});
    const base::JobId job = std::get<protocol::Accepted>(reply).job;
    jobs_.emplace(job, spec);
    return job;
  }
  bool all_ended() const {
    return std::all_of(jobs_.begin(), jobs_.end(),
                       [this](const auto& job) { return watch_->watch.has_ended(job.first); });
  }
  /// Jobs one after the other until that moment, or until one ran on the sick device; gives where
  /// the last one ran.
  std::set<base::DeviceId> work_until(base::Time end) {
    std::set<base::DeviceId> devices;
    while (world_->now() < end && !devices.contains(sick)) {
      const base::JobId job = submit("__global__ ok");
      EXPECT_TRUE(world_->run_until([&] { return watch_->watch.has_ended(job); }, 120s));
      devices = watch_->devices_of(job);
      world_->run_for(500ms);
    }
    return devices;
  }

  std::shared_ptr<HealthWatch> watch_ = std::make_shared<HealthWatch>();
  std::unique_ptr<SimWorld> world_;
  std::unique_ptr<SimClient> client_;
  std::map<base::JobId, protocol::JobSpec> jobs_;
};

TEST_P(SickDevice, CostsNoGoodJobAnythingAndServesAgainWhenItIsWell) {
  const base::Time well = base::Time{1h} + sickness;
  const auto meanwhile = work_until(well);
  EXPECT_FALSE(meanwhile.contains(sick));
  EXPECT_TRUE(meanwhile.contains(neighbour)) << "it takes no other device of its node along";
  EXPECT_EQ(watch_->quarantined, (std::set<base::DeviceId>{sick}));
  const auto afterwards = work_until(well + worker::DeviceHealth::back_off_max + 5s);
  EXPECT_TRUE(afterwards.contains(sick)) << "it came back";
  for (const auto& [job, spec] : jobs_) {
    watch_->watch.check_end(job, spec, false);  // each task succeeded with its own answer
  }
  EXPECT_TRUE(watch_->watch.violations().empty()) << watch_->watch.violations().front();
}

TEST_P(SickDevice, AndBadJobsBesideItAreStillCharged) {
  for (int i = 0; i < 10; ++i) {
    submit(i % 3 == 0 ? "__global__ crash" : "__global__ ok");
    world_->run_for(1s);
  }
  ASSERT_TRUE(world_->run_until([this] { return all_ended(); }, 300s));
  for (const auto& [job, spec] : jobs_) {
    watch_->watch.check_end(job, spec, false);
  }
  EXPECT_TRUE(watch_->watch.violations().empty()) << watch_->watch.violations().front();
  EXPECT_FALSE(watch_->quarantined.contains(neighbour))
      << "one bad program takes no good device, however many tasks it has";
}

INSTANTIATE_TEST_SUITE_P(Seeds, SickDevice, ::testing::Range<std::uint64_t>(1, 6));

}  // namespace
}  // namespace fastgpu::testing
