/// What a job prints, followed through crashes in virtual time: real actors and machines over the
/// simulated twins of link and log files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "runtime/session/log_follower.hpp"
#include "tests/support/sim_client.hpp"
#include "tests/support/sim_world.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;

/// A user who follows a log.
class SimFollower {
 public:
  SimFollower(SimWorld& world, session::LogFollowOptions options)
      : world_(world), client_(world), follower_(std::move(options)) {
    step(session::FollowBegin{});
  }

  bool run_until(const std::function<bool()>& reached, base::Duration limit) {
    const base::Time end = world_.now() + limit;
    while (!reached() && world_.now() < end) {
      const base::Time until = std::min(follower_.next_deadline().value_or(end), end);
      world_.run_until([this] { return !inbox_->empty(); },
                       std::max<base::Duration>(until - world_.now(), 1us));
      if (inbox_->empty()) {
        world_.run_for(std::max<base::Duration>(until - world_.now(), 0us));
        step(session::FollowTick{});
      } else {
        const session::FollowAnswered answer = std::move(inbox_->front());
        inbox_->pop_front();
        step(answer);
      }
    }
    return reached();
  }
  bool run_until_shown(const std::string& line, base::Duration limit = 30s) {
    return run_until([&] { return std::find(shown.begin(), shown.end(), line) != shown.end(); },
                     limit);
  }

  std::vector<std::string> shown;    ///< records: "n2 text"
  std::vector<std::string> notices;  ///< of the follower, and of stores
  std::optional<session::FollowDone> done;

 private:
  void step(const session::FollowEvent& event) {
    for (const session::FollowEffect& effect : follower_.step(event, world_.now())) {
      if (const auto* ask = std::get_if<session::FollowAsk>(&effect)) {
        client_.call(ask->request, ask->time,
                     [inbox = inbox_, number = ask->ask](const protocol::ClientReply& reply) {
                       inbox->push_back({number, reply});
                     });
      } else if (const auto* record = std::get_if<session::ShowRecord>(&effect)) {
        const std::string text(record->record.bytes.text());
        if (record->record.stream == base::LogStream::notice) {
          notices.push_back(text);
        } else {
          shown.push_back(base::to_string(record->node) + " " + text);
        }
      } else if (const auto* notice = std::get_if<session::ShowNotice>(&effect)) {
        notices.push_back(notice->text);
      } else {
        done = std::get<session::FollowDone>(effect);
      }
    }
  }

  SimWorld& world_;
  SimClient client_;
  session::LogFollower follower_;
  std::shared_ptr<std::deque<session::FollowAnswered>> inbox_ =
      std::make_shared<std::deque<session::FollowAnswered>>();
};

/// Three nodes and a job whose tasks hang, some on each node.
class SimLogs {
 public:
  explicit SimLogs(std::uint64_t seed = 1) {
    SimOptions options;
    options.seed = seed;
    world = std::make_unique<SimWorld>(options);
    world->run_for(2s);
    user = std::make_unique<SimClient>(*world);
    protocol::JobSpec spec = simple_job(30, "hang");
    const auto reply =
        user->ask(protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(spec)}});
    job = std::get<protocol::Accepted>(reply).job;
    for (int i = 0; i < 100 && nodes().size() < 3; ++i) {
      world->run_for(100ms);
    }
    EXPECT_EQ(nodes().size(), 3u) << "some of the tasks are placed on each node";
  }

  std::vector<base::NodeId> nodes() {
    const auto reply = user->ask(protocol::ShowJob{job, 0});
    const auto* detail = std::get_if<protocol::JobDetail>(&reply);
    return detail ? detail->summary.nodes : std::vector<base::NodeId>{};
  }
  /// As a task of that node, counted from 0.
  void print(std::uint32_t index, const std::string& text) {
    caf::anon_send(world->context(index)->directory.logs,
                   protocol::LogAppend{{{job,
                                         index,
                                         {{0}, {1}, {1}, 1},
                                         base::LogStream::output,
                                         world->now().time_since_epoch().count(),
                                         base::Bytes::copy_of(text)}}});
  }
  session::LogFollowOptions options() const {
    session::LogFollowOptions all;
    all.job = job;
    all.all_attempts = true;
    all.silence_limit = 1h;
    return all;
  }

  std::unique_ptr<SimWorld> world;
  std::unique_ptr<SimClient> user;
  base::JobId job;
};

TEST(SimulatedLogs, ArriveWithinMillisecondsThroughAnotherNode) {
  SimLogs sim;
  SimFollower follower(*sim.world, sim.options());
  sim.print(1, "first");
  ASSERT_TRUE(follower.run_until_shown("n2 first"));
  const base::Time printed = sim.world->now();
  sim.print(1, "second");
  ASSERT_TRUE(follower.run_until_shown("n2 second"));
  EXPECT_LT(sim.world->now() - printed, 500ms);
}

TEST(SimulatedLogs, GoOnWhenTheNodeThatIsAskedCrashes) {
  SimLogs sim;
  SimFollower follower(*sim.world, sim.options());
  sim.print(1, "before");
  ASSERT_TRUE(follower.run_until_shown("n2 before"));
  sim.world->crash(0);  // the one that every client dials first, and the job's ledger
  sim.print(1, "after");
  ASSERT_TRUE(follower.run_until_shown("n2 after"));
  EXPECT_THAT(follower.shown, ElementsAre("n2 before", "n2 after"));
  EXPECT_FALSE(follower.done);
}

TEST(SimulatedLogs, ComeBackWithTheNodeThatKeepsThem) {
  SimLogs sim;
  SimFollower follower(*sim.world, sim.options());
  sim.print(2, "before");
  ASSERT_TRUE(follower.run_until_shown("n3 before"));
  sim.world->crash(2);
  follower.run_until([] { return false; }, 10s);
  EXPECT_THAT(follower.notices, Contains(::testing::HasSubstr("not readable now")));
  sim.world->start(2);
  sim.print(2, "after");
  ASSERT_TRUE(follower.run_until_shown("n3 after"));
  EXPECT_EQ(std::count(follower.shown.begin(), follower.shown.end(), "n3 before"), 1);
  EXPECT_THAT(follower.notices, Contains(::testing::HasSubstr("readable again")));
}

/// Nodes crash and come back in the middle of printing; each crash may take the tail of their logs.
void print_through_trouble(SimLogs& sim, SimFollower& follower, base::Random& random) {
  int line = 0;
  for (int round = 0; round < 40; ++round) {
    const auto index = static_cast<std::uint32_t>(random.below(3));
    if (random.below(8) == 0) {
      sim.world->is_up(index) ? sim.world->crash(index) : sim.world->start(index);
    }
    for (std::uint32_t node = 0; node < 3; ++node) {
      for (std::uint64_t i = random.below(5); i > 0 && sim.world->is_up(node); --i) {
        sim.print(node, std::to_string(++line));
      }
    }
    follower.run_until([] { return false; }, base::Duration(1ms * (1 + random.below(1000))));
  }
  for (std::uint32_t node = 0; node < 3; ++node) {
    if (!sim.world->is_up(node)) {
      sim.world->start(node);
    }
    sim.print(node, "last");
  }
}

class SimulatedLogsSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SimulatedLogsSeeds, AreShownOnceInOrderAndWithoutAGap) {
  SimLogs sim(GetParam());
  base::Random random(GetParam());
  SimFollower follower(*sim.world, sim.options());
  print_through_trouble(sim, follower, random);
  for (const char* line : {"n1 last", "n2 last", "n3 last"}) {
    ASSERT_TRUE(follower.run_until_shown(line, 60s)) << line;
  }
  // What is on the disks in the end is what somebody reads who comes only now.
  session::LogFollowOptions now = sim.options();
  now.follow = false;
  SimFollower late(*sim.world, now);
  ASSERT_TRUE(late.run_until([&] { return late.done.has_value(); }, 60s));
  EXPECT_EQ(late.done->ending, session::FollowEnding::complete);

  std::map<std::string, int> last;  // of each node
  for (const std::string& line : follower.shown) {
    const std::string text = line.substr(3);
    const int number = text == "last" ? 1 << 30 : std::stoi(text);
    EXPECT_GT(number, last[line.substr(0, 2)]) << "twice, or out of order: " << line;
    last[line.substr(0, 2)] = number;
  }
  const std::set<std::string> shown(follower.shown.begin(), follower.shown.end());
  for (const std::string& kept : late.shown) {
    EXPECT_TRUE(shown.contains(kept)) << kept << " is on the disk and was never shown";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimulatedLogsSeeds, ::testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace fastgpu::testing
