// Clusters with three replicas of each shard whose nodes all die at one moment, again and again,
// right after they said "accepted". What a disk did not have by then is gone everywhere.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/sim/watch.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

struct PowerOptions {
  std::uint64_t seed{1};
  raft::Fault raft_fault{raft::Fault::none};
  store::MemoryStoreFaults store_faults;
};

struct PowerResult {
  std::vector<std::string> violations;
  std::uint64_t accepted{0};
};

class PowerFailures {
 public:
  explicit PowerFailures(const PowerOptions& options)
      : random_(options.seed * 0x9e3779b97f4a7c15u), world_(world_options(options), watch_) {}

  PowerResult run() {
    for (int round = 0; round < 6; ++round) {
      world_.run_for(between(500ms, 2500ms));
      for (std::uint64_t jobs = 1 + random_.below(3); jobs > 0; --jobs) {
        submit();
      }
      world_.run_for(between(1ms, 25ms));
      for (std::uint32_t node = 0; node < world_.node_count(); ++node) {
        world_.crash(node);
      }
      for (std::uint32_t node = 0; node < world_.node_count(); ++node) {
        world_.start(node);
      }
    }
    const auto ended = [this] {
      return std::all_of(accepted_.begin(), accepted_.end(),
                         [this](const auto& job) { return watch_->has_ended(job.first); });
    };
    const bool settled = world_.run_until(ended, 120s);
    for (const auto& [job, spec] : accepted_) {
      watch_->check_end(job, spec, false);
    }
    PowerResult result{watch_->violations(), accepted_.size()};
    if (!settled) {
      result.violations.push_back("accepted jobs were not terminal 120 s after the last failure");
    }
    return result;
  }

 private:
  static SimOptions world_options(const PowerOptions& options) {
    SimOptions world;
    world.seed = options.seed;
    world.nodes = 3;
    world.replicas = 3;
    world.raft_fault = options.raft_fault;
    world.store.faults = options.store_faults;
    return world;
  }
  base::Duration between(base::Duration low, base::Duration high) {
    return low + base::Duration{static_cast<std::int64_t>(
                     random_.below(static_cast<std::uint64_t>((high - low).count())))};
  }
  void submit() {
    protocol::JobSpec spec = simple_job(1 + static_cast<std::uint32_t>(random_.below(5)));
    spec.crash_limit = 1000;
    client_.submit(spec, 8s, [this, spec](const protocol::ClientReply& reply) {
      if (const auto* accepted = std::get_if<protocol::Accepted>(&reply)) {
        if (!accepted_.emplace(accepted->job, spec).second) {
          watch_->violation("two submits were answered with job " + to_string(accepted->job));
        }
      }
    });
  }

  base::Random random_;
  std::shared_ptr<Watch> watch_{std::make_shared<Watch>()};
  SimWorld world_;
  SimClient client_{world_};
  std::map<base::JobId, protocol::JobSpec> accepted_;
};

TEST(PowerFailures, LoseNothingThatWasAccepted) {
  std::uint64_t accepted = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    PowerOptions options;
    options.seed = seed;
    const PowerResult result = PowerFailures(options).run();
    ASSERT_TRUE(result.violations.empty()) << "seed " << seed << ": " << result.violations[0];
    accepted += result.accepted;
  }
  EXPECT_GT(accepted, 500u);
}

/// The first seed of `limit` in which a rule that was broken on purpose was noticed; 0 if none.
std::uint64_t seed_that_notices(PowerOptions options, std::uint64_t limit) {
  for (options.seed = 1; options.seed <= limit; ++options.seed) {
    if (!PowerFailures(options).run().violations.empty()) {
      return options.seed;
    }
  }
  return 0;
}

TEST(PowerFailuresNotice, AStoreThatLiesAboutDurability) {
  PowerOptions options;
  options.store_faults.lie_about_durability = true;
  EXPECT_NE(seed_that_notices(options, 100), 0u);
}

TEST(PowerFailuresNotice, AnAcknowledgementThatLeavesBeforeItsSync) {
  PowerOptions options;
  options.raft_fault = raft::Fault::acknowledge_before_sync;
  EXPECT_NE(seed_that_notices(options, 100), 0u);
}

}  // namespace
}  // namespace fastgpu::testing
