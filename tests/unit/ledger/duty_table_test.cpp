// The indexes of the table of duties, against what is found by looking at every attempt.

#include "runtime/ledger/tables/duty_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/base/random.hpp"
#include "tests/unit/ledger/ledger_values.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using ::testing::SizeIs;

constexpr std::uint32_t tasks = 12;
constexpr std::uint32_t nodes = 3;

class Duties : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::uint64_t number : {1, 2})
      table.make_ready(job_id(number), {{0, tasks}}, protocol::PlaceCause::first);
  }

  Holding holding(base::DeviceId on, TaskRanges ranges, Grant grant, std::uint64_t job = 1) const {
    Holding value;
    value.job = job_id(job);
    value.device = on;
    value.ranges = std::move(ranges);
    value.grant = grant;
    return value;
  }
  bool any_proposed_by_search(base::DeviceId device) const {
    return std::any_of(table.holdings().begin(), table.holdings().end(), [device](const auto& at) {
      return at.second.device == device && at.second.grant == Grant::proposed;
    });
  }
  std::vector<base::AttemptId> on_node_by_search(base::NodeId node) const {
    std::vector<base::AttemptId> found;
    for (const auto& [attempt, held] : table.holdings())
      if (held.device.node == node)
        found.push_back(attempt);
    return found;
  }
  void expect_true_indexes() const {
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      EXPECT_EQ(table.on_node({node}), on_node_by_search({node}));
      for (const std::uint16_t ordinal : {0, 1})
        EXPECT_EQ(table.any_proposed(device(node, ordinal)),
                  any_proposed_by_search(device(node, ordinal)));
    }
  }

  DutyTable table;
};

TEST_F(Duties, AreProposedToADeviceUntilTheLastOfItsAssignsIsSent) {
  table.hold(attempt(1), holding(device(1), {{0, 2}}, Grant::proposed));
  table.hold(attempt(2), holding(device(1), {{2, 2}}, Grant::proposed));
  EXPECT_TRUE(table.any_proposed(device(1)));
  EXPECT_FALSE(table.any_proposed(device(1, 1))) << "another device of the node";
  table.set_asked(attempt(1));
  EXPECT_TRUE(table.any_proposed(device(1)));
  table.set_asked(attempt(2));
  EXPECT_FALSE(table.any_proposed(device(1)));
}

TEST_F(Duties, ThatAreTakenAwayAreProposedNoMore) {
  table.hold(attempt(1), holding(device(1), {{0, 2}}, Grant::proposed));
  table.make_ready(job_id(1), {{0, 1}}, protocol::PlaceCause::first);
  EXPECT_TRUE(table.any_proposed(device(1))) << "one is left";
  EXPECT_THAT(table.end(job_id(1), {{0, tasks}}), SizeIs(1));
  EXPECT_FALSE(table.any_proposed(device(1)));
}

TEST_F(Duties, AreIndexedAsTheyAre) {
  base::Random random(11);
  const auto draw = [&random](std::uint64_t below) {
    return static_cast<std::uint32_t>(random.below(below));
  };
  std::uint64_t last = 0;
  for (int step = 0; step < 3000; ++step) {
    const std::uint64_t number = 1 + draw(2);
    const base::JobId job = job_id(number);
    const std::uint32_t first = draw(tasks);
    const TaskRanges ranges{{first, 1 + draw(tasks - first)}};
    const base::AttemptId recent = attempt(last - draw(std::min<std::uint64_t>(last, 6) + 1));
    switch (draw(6)) {
      case 0:
      case 1: {
        const std::uint32_t node = 1 + draw(nodes);
        const base::DeviceId on = device(node, static_cast<std::uint16_t>(draw(2)));
        table.hold(attempt(++last),
                   holding(on, ranges, draw(2) == 0 ? Grant::asked : Grant::proposed, number));
        break;
      }
      case 2:
        table.make_ready(job, ranges, protocol::PlaceCause::node_failure);
        break;
      case 3:
        table.give_up(job, ranges);
        break;
      case 4:
        table.set_asked(recent);
        break;
      case 5:
        table.end(job, ranges);
        break;
    }
    expect_true_indexes();
    ASSERT_FALSE(HasFailure()) << "after step " << step;
  }
  table.clear();
  expect_true_indexes();
}

}  // namespace
}  // namespace fastgpu::ledger
