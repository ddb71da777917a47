#include "runtime/worker/device_health.hpp"

#include <gtest/gtest.h>

namespace fastgpu::worker {
namespace {

using namespace std::chrono_literals;

constexpr base::Time start{1000s};

TaskRef task(std::size_t place) {
  return {{{1}, {1}, {1}, 1}, place};
}

/// Quarantined at `now`.
void quarantine(DeviceHealth& health, base::Time now) {
  for (std::size_t i = 0; i < DeviceHealth::crashes_max; ++i)
    health.crashed(now, {}, "signal 9");
}

TEST(DeviceHealth, ACrashInAWhileIsOnlyADoubt) {
  DeviceHealth health;
  EXPECT_TRUE(health.trusted());
  for (int i = 0; i < 20; ++i) {
    const base::Time now = start + i * DeviceHealth::crash_window / 2;
    health.crashed(now, {}, "signal 9");
    EXPECT_FALSE(health.trusted());
    EXPECT_FALSE(health.quarantined()) << "crash " << i;
    ASSERT_TRUE(health.wants_test(now));
    health.test_began(now);
    health.test_passed(now);
    EXPECT_TRUE(health.trusted());
  }
}

TEST(DeviceHealth, CrashesThatShareASuspectMayHaveOneCulprit) {
  DeviceHealth health;
  health.crashed(start, {task(1), task(2), task(3)}, "x");
  health.crashed(start, {task(2)}, "x");
  health.crashed(start, {task(2)}, "x");
  EXPECT_FALSE(health.quarantined());
  health.crashed(start, {task(4)}, "x");
  EXPECT_FALSE(health.quarantined());
  health.crashed(start, {task(5)}, "x");
  EXPECT_TRUE(health.quarantined());
}

TEST(DeviceHealth, AConvictedTaskTakesItsCrashesUponItself) {
  DeviceHealth health;
  for (std::size_t i = 0; i < 10; ++i) {
    health.crashed(start, {task(i), task(i + 100)}, "x");
    health.crashed(start, {task(i)}, "x");
    health.convicted(task(i), 7);
  }
  EXPECT_FALSE(health.quarantined());
}

TEST(DeviceHealth, TheBackOffDoublesUntilTheDeviceBehaves) {
  DeviceHealth health;
  base::Time now = start;
  for (base::Duration wait = DeviceHealth::back_off_min; wait < DeviceHealth::back_off_max * 4;
       wait *= 2) {
    const base::Duration expected = std::min(wait, DeviceHealth::back_off_max);
    quarantine(health, now);
    EXPECT_EQ(health.next_deadline(), now + expected);
    EXPECT_FALSE(health.wants_test(now + expected - 1ns));
    now += expected;
    ASSERT_TRUE(health.wants_test(now));
    health.test_began(now);
    health.test_passed(now);
    EXPECT_TRUE(health.why().empty());
    EXPECT_EQ(health.next_deadline(), std::nullopt);
  }
  now += DeviceHealth::forgiven_after;
  quarantine(health, now);
  EXPECT_EQ(health.next_deadline(), now + DeviceHealth::back_off_min);
}

TEST(DeviceHealth, AnAccusationThatIsRepeatedPutsTheTestOffAndNoMore) {
  DeviceHealth health;
  for (int i = 0; i < 10; ++i)
    health.accused(start + i * 500ms, "its driver cannot reach it any more");
  const base::Time last = start + 9 * 500ms;
  EXPECT_FALSE(health.wants_test(last + DeviceHealth::back_off_min - 1ns));
  EXPECT_TRUE(health.wants_test(last + DeviceHealth::back_off_min));
  EXPECT_EQ(health.why(),
            "quarantined: its driver cannot reach it any more; a self-test decides after 1 s");
}

TEST(DeviceHealth, AFailedTestDoublesTheBackOffToo) {
  DeviceHealth health;
  quarantine(health, start);
  const base::Time first = start + DeviceHealth::back_off_min;
  health.test_began(first);
  EXPECT_FALSE(health.wants_test(first + 1h)) << "one at a time";
  EXPECT_TRUE(health.test_overdue(first + DeviceHealth::test_limit));
  health.test_failed(first, "wrong");
  EXPECT_EQ(health.next_deadline(), first + 2 * DeviceHealth::back_off_min);
  EXPECT_EQ(health.why(),
            "quarantined: its self-test failed: wrong; a self-test decides after 2 s");
}

TEST(DeviceHealth, FailedStartsInARowAreAReasonAndKeepItCurrent) {
  DeviceHealth health;
  for (std::uint32_t i = 1; i < DeviceHealth::starts_max; ++i)
    health.failed_to_start(start, "no driver");
  health.started();
  for (std::uint32_t i = 1; i < DeviceHealth::starts_max; ++i)
    health.failed_to_start(start, "no driver");
  EXPECT_TRUE(health.trusted());
  health.failed_to_start(start, "no driver");
  const auto deadline = health.next_deadline();
  health.failed_to_start(start + 500ms, "no memory");
  EXPECT_EQ(health.next_deadline(), deadline) << "it does not run away from its test";
  EXPECT_NE(health.why().find("6 times, the last: no memory"), std::string::npos);
}

TEST(DeviceHealth, ItsReasonStaysShort) {
  DeviceHealth health;
  health.quarantine(start, std::string(100'000, 'x'));
  EXPECT_LT(health.why().size(), 512u);
}

}  // namespace
}  // namespace fastgpu::worker
