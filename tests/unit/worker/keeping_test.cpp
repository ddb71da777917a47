#include "tests/unit/worker/worker_bench.hpp"

// Outputs that are too large to ride in the record: stored first, and what happens when they cannot
// be.

namespace fastgpu::worker {
namespace {

using base::FailureReason;
using protocol::Finish;
using protocol::TaskState;

const base::Error disk_full{base::ErrorKind::overloaded, base::ErrorCode::disk_full,
                            "17 bytes are free", "make room"};

class WorkerKeeping : public testing::Test {
 protected:
  WorkerKeeping() { bench.warm_up(); }

  static base::Bytes large() { return base::Bytes(std::vector<std::uint8_t>(5000, 2)); }
  void end_well() { bench.done(FailureReason::none, "", {large()}); }
  void refuse_all(const base::Error& error = disk_full) {
    for (const auto& keep : std::exchange(bench.keeps, {}))
      bench.step(protocol::Kept{WorkerBench::device, keep.token, {}, error});
  }
  void store(const protocol::Keep& keep) {
    bench.step(protocol::Kept{WorkerBench::device, keep.token, {{{{9}}, 5000, {2}}}, {}});
  }

  WorkerBench bench;
};

TEST_F(WorkerKeeping, OutputsThatCouldNotBeStoredAreStoredAgainAndTheTaskSucceeds) {
  bench.give(WorkerBench::assign(1, {0, 1}));
  end_well();
  refuse_all();
  EXPECT_EQ(bench.count<Finish>(), 0u);
  EXPECT_TRUE(bench.keeps.empty());
  bench.pass(base::limits::keep_retry_min);
  ASSERT_EQ(bench.keeps.size(), 1u);
  EXPECT_EQ(bench.keeps[0].data, (std::vector<base::Bytes>{large()}));
  const protocol::Keep again = bench.keeps[0];
  refuse_all();
  bench.step(protocol::Kept{WorkerBench::device, again.token, {}, disk_full});  // said twice
  bench.pass(2 * base::limits::keep_retry_min - 1ms);
  EXPECT_TRUE(bench.keeps.empty()) << "the delay grows";
  bench.pass(1ms);
  ASSERT_EQ(bench.keeps.size(), 1u);
  store(bench.keeps[0]);
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->reports[0].outcome.state, TaskState::succeeded);
  EXPECT_TRUE(std::holds_alternative<protocol::ObjectRef>(finish->reports[0].outcome.outputs[0]));
}

TEST_F(WorkerKeeping, ADeviceWhoseResultsCannotBeStoredSaysSoAndStartsNothing) {
  bench.give(WorkerBench::assign(1, {0, 3}));
  end_well();
  refuse_all();
  bench.done();  // the next one was running already
  EXPECT_TRUE(bench.launches.empty());
  ASSERT_FALSE(bench.published.empty());
  EXPECT_FALSE(bench.published.back().healthy);
  EXPECT_EQ(bench.published.back().unhealthy_why, "results cannot be stored: 17 bytes are free");
  bench.sent.clear();
  bench.give(WorkerBench::assign(2, {5, 1}));
  EXPECT_EQ(bench.take<protocol::AssignReply>()->refused, protocol::RefusalReason::unhealthy);
  bench.pass(base::limits::keep_retry_min);
  store(bench.keeps.at(0));
  EXPECT_TRUE(bench.machine.books().healthy);
  EXPECT_EQ(bench.launches.size(), 1u);
}

TEST_F(WorkerKeeping, OutputsThatStayUnstoredFailTheTaskWithTheReason) {
  bench.give(WorkerBench::assign(1, {0, 1}));
  end_well();
  int tries = 0;
  for (base::Duration passed{}; passed < base::limits::keep_deadline; passed += 50ms) {
    tries += bench.keeps.empty() ? 0 : 1;
    refuse_all();
    EXPECT_EQ(bench.count<Finish>(), 0u);
    bench.pass(50ms);
  }
  refuse_all();
  EXPECT_GT(tries, 5);
  EXPECT_LT(tries, 20) << "the delay grows";
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  const auto& outcome = finish->reports[0].outcome;
  EXPECT_EQ(outcome.state, TaskState::failed);
  EXPECT_EQ(outcome.reason, FailureReason::disk_full);
  EXPECT_EQ(outcome.message,
            "its outputs could not be stored for 60 s, the disk is full: 17 bytes are free");
  EXPECT_FALSE(bench.machine.books().healthy);
  bench.pass(base::limits::keep_retry_max);
  EXPECT_TRUE(bench.machine.books().healthy) << "the next task may try";
}

TEST_F(WorkerKeeping, AFaultOfTheStoreThatIsNotAFullDiskIsNotTheTasksOwn) {
  bench.give(WorkerBench::assign(1, {0, 1}));
  end_well();
  const base::Error broken{base::ErrorKind::internal, base::ErrorCode::internal, "input/output",
                           ""};
  for (base::Duration passed{}; passed <= base::limits::keep_deadline; passed += 50ms) {
    refuse_all(broken);
    bench.pass(50ms);
  }
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_TRUE(base::is_infrastructure(finish->reports[0].outcome.reason));
}

TEST_F(WorkerKeeping, QueuedTasksAreHandedBackWhenStoringFailsForLong) {
  bench.give(WorkerBench::assign(1, {0, 10}));
  end_well();
  for (base::Duration passed{}; passed <= WorkerMachine::device_lost_after; passed += 50ms) {
    refuse_all();
    bench.pass(50ms);
  }
  std::optional<protocol::Renew> last;
  while (auto renew = bench.take<protocol::Renew>())
    last = renew;
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->held.at(0).ranges, (std::vector<base::TaskRange>{{0, 2}}))
      << "one is being kept, one runs";
  EXPECT_EQ(bench.machine.books().queued_tasks, 0u);
}

TEST_F(WorkerKeeping, ATaskThatIsStoppedWhileItsOutputsAreStoredIsBilled) {
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.pass(300ms);
  end_well();
  bench.stop(1, {0, 1});
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->reports[0].outcome.state, TaskState::cancelled);
  EXPECT_EQ(finish->device_ns, base::Duration(300ms).count());
  store(bench.keeps.at(0));
  EXPECT_EQ(bench.count<Finish>(), 0u);
}

TEST_F(WorkerKeeping, AnEndThatWasNotToldYetIsBilledAlthoughItIsStopped) {
  bench.give(WorkerBench::assign(1, {0, 2}));
  bench.pass(200ms);
  bench.done();  // waits to be told with its neighbour
  EXPECT_EQ(bench.count<Finish>(), 0u);
  bench.stop(1, {0, 2});
  bench.pass(WorkerMachine::finish_batch_delay);
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->device_ns, base::Duration(200ms).count());
  EXPECT_TRUE(bench.machine.holds(WorkerBench::attempt(1))) << "until that is settled";
  bench.pass(base::limits::finish_resend_interval);
  EXPECT_EQ(bench.count<Finish>(), 1u);
}

}  // namespace
}  // namespace fastgpu::worker
