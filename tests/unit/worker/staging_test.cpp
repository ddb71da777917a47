#include "tests/unit/worker/worker_bench.hpp"

namespace fastgpu::worker {
namespace {

using base::FailureReason;
using protocol::BufferArgument;
using protocol::BufferUse;
using protocol::Finish;
using protocol::ObjectRef;

ObjectRef object(std::uint8_t name, std::uint64_t size = 4) {
  ObjectRef ref;
  ref.hash.bytes[0] = name;
  ref.size_bytes = size;
  ref.home = {1};
  return ref;
}

protocol::Assign assign_reading(std::vector<protocol::Data> data, std::uint32_t tasks,
                                std::uint64_t sequence = 1) {
  auto spec = WorkerBench::plain_spec(tasks);
  spec.kernel.arguments.emplace_back(BufferArgument{BufferUse::in, "x", 4, std::move(data)});
  auto assign = WorkerBench::assign(sequence, {0, tasks});
  assign.spec = WorkerBench::spec_of(spec);
  return assign;
}

protocol::Staged staged(const protocol::Stage& stage, std::string_view text) {
  return {stage.device, stage.token, true, base::Bytes::copy_of(text), {}};
}

TEST(WorkerStaging, AnObjectIsFetchedOnceForAllTasksAndThenLaunched) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(assign_reading({object(1)}, 3));
  ASSERT_EQ(bench.stages.size(), 1u);
  EXPECT_TRUE(bench.launches.empty());
  for (int twice = 0; twice < 2; ++twice)
    bench.step(staged(bench.stages[0], "abcd"));
  for (std::uint32_t task = 0; task < 3; ++task) {
    ASSERT_EQ(bench.launches.size(), 1u);
    const auto& buffer = std::get<LaunchBuffer>(bench.launches.front().arguments.at(0));
    EXPECT_EQ(buffer.data.text(), "abcd");
    EXPECT_EQ(buffer.size_bytes, 4u);
    bench.done();
  }
  EXPECT_EQ(bench.stages.size(), 1u);
}

TEST(WorkerStaging, EachTaskGetsItsOwnData) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(assign_reading({base::Bytes::copy_of(std::string_view("zero")),
                             base::Bytes::copy_of(std::string_view("one!"))},
                            2));
  EXPECT_EQ(std::get<LaunchBuffer>(bench.launches.front().arguments.at(0)).data.text(), "zero");
  bench.done();
  EXPECT_EQ(std::get<LaunchBuffer>(bench.launches.front().arguments.at(0)).data.text(), "one!");
}

TEST(WorkerStaging, InputsOfTheNextTasksAreFetchedWhileOneRuns) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(assign_reading({object(1), object(2), object(3)}, 3));
  ASSERT_EQ(bench.stages.size(), 3u);
  bench.step(staged(bench.stages[1], "bbbb"));
  ASSERT_EQ(bench.launches.size(), 1u) << "a task whose inputs are there passes one that waits";
  EXPECT_EQ(bench.launches.front().task, 1u);
}

TEST(WorkerStaging, AFailedFetchEndsTheTasksThatNeedIt) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(assign_reading({object(1)}, 3));
  protocol::Staged failed{WorkerBench::device, bench.stages[0].token, false, {}, {}};
  failed.error.code = base::ErrorCode::object_missing;
  failed.error.message = "no node has it";
  bench.step(failed);
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  ASSERT_EQ(finish->reports.size(), 1u);
  EXPECT_EQ(finish->reports[0].range, (base::TaskRange{0, 3}));
  EXPECT_EQ(finish->reports[0].outcome.reason, FailureReason::input_missing);
  EXPECT_EQ(finish->reports[0].outcome.message, "no node has it");
  bench.give(assign_reading({object(1)}, 3, 2));
  EXPECT_EQ(bench.stages.size(), 2u) << "a failure is not remembered";
}

TEST(WorkerStaging, AHolderThatIsAwayIsAskedAgainUntilItIsBack) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(assign_reading({object(1)}, 1));
  ASSERT_EQ(bench.stages.size(), 1u);
  protocol::Staged away{bench.stages[0].device, bench.stages[0].token, false, {}, {}};
  away.error.kind = base::ErrorKind::unavailable;
  away.error.code = base::ErrorCode::object_missing;
  bench.step(away);
  bench.step(Tick{});
  ASSERT_EQ(bench.stages.size(), 2u);
  EXPECT_TRUE(bench.launches.empty());
  bench.step(staged(bench.stages[1], "abcd"));
  EXPECT_EQ(bench.launches.size(), 1u);
}

TEST(WorkerStaging, AFailureOfTransferIsNotTheTasksOwn) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(assign_reading({object(1)}, 1));
  bench.step(protocol::Staged{WorkerBench::device, bench.stages[0].token, false, {}, {}});
  EXPECT_TRUE(base::is_infrastructure(bench.take<Finish>()->reports[0].outcome.reason));
}

TEST(WorkerStaging, ManyObjectsAreFetchedAFewAtATime) {
  WorkerBench bench;
  bench.warm_up(protocol::DeviceKind::gpu);
  std::vector<protocol::Data> data;
  for (int i = 0; i < 100; ++i)
    data.emplace_back(object(static_cast<std::uint8_t>(i + 1)));
  bench.give(assign_reading(data, 100));
  std::size_t answered = 0;
  for (int ended = 0; ended < 100; ++ended) {
    while (answered < bench.stages.size())
      bench.step(staged(bench.stages[answered++], "abcd"));
    EXPECT_LE(bench.stages.size() - answered, StagingCache::asked_max);
    ASSERT_EQ(bench.launches.size(), 1u);
    bench.done();
  }
  EXPECT_EQ(bench.stages.size(), 100u);
}

TEST(StagingCache, ForgetsTheLeastWantedBeyondItsLimitButNothingWantedNow) {
  StagingCache cache;
  const std::size_t third = StagingCache::kept_bytes_max / 2 - 1;
  const base::Bytes big(std::vector<std::uint8_t>(third, 1));
  bool ask = false;
  for (std::uint8_t name = 1; name <= 3; ++name) {
    EXPECT_EQ(cache.want(object(name), {name}, ask), StagingCache::State::waiting);
    EXPECT_TRUE(ask);
    EXPECT_TRUE(cache.staged({{}, {name}, true, big, {}}));
    cache.trim();
  }
  EXPECT_LE(cache.kept_bytes(), StagingCache::kept_bytes_max);
  EXPECT_EQ(cache.want(object(2), {9}, ask), StagingCache::State::ready);
  EXPECT_EQ(cache.want(object(3), {9}, ask), StagingCache::State::ready);
  EXPECT_EQ(cache.want(object(1), {9}, ask), StagingCache::State::waiting);
  EXPECT_TRUE(ask);
  EXPECT_TRUE(cache.staged({{}, {9}, true, big, {}}));
  cache.trim();
  EXPECT_EQ(cache.want(object(1), {10}, ask), StagingCache::State::ready);
  EXPECT_GT(cache.kept_bytes(), StagingCache::kept_bytes_max) << "all three are wanted at once";
}

TEST(WorkerStaging, ATaskWhoseHolderIsAwaySaysWhatItWaitsForAndSinceWhen) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(assign_reading({object(0xab)}, 2));
  const auto away = [&bench] {
    for (const auto& stage : std::exchange(bench.stages, {}))
      bench.step(protocol::Staged{
          stage.device,
          stage.token,
          false,
          {},
          {base::ErrorKind::unavailable, base::ErrorCode::timeout, "it does not answer", ""}});
  };
  away();
  bench.sent.clear();
  for (int i = 0; i < 2; ++i) {
    bench.pass(base::limits::lease_renew_interval);
    bench.renewed();
    away();
  }
  std::optional<protocol::Renew> last;
  while (auto renew = bench.take<protocol::Renew>())
    last = renew;
  ASSERT_TRUE(last.has_value());
  const protocol::WaitingReason& waiting = last->held.at(0).waiting;
  EXPECT_EQ(waiting.code, protocol::WaitingCode::staging);
  EXPECT_EQ(waiting.sentence,
            "task 0 waits for 6 s for its input ab0000000000, which n1 holds: it does not answer");
  bench.pass(base::limits::lease_renew_interval);
  for (const auto& stage : std::exchange(bench.stages, {}))
    bench.step(staged(stage, "abcd"));
  EXPECT_EQ(bench.launches.size(), 1u);
  bench.sent.clear();
  bench.step(FromLeader<protocol::Adopt>{WorkerBench::leader, {WorkerBench::shard, {1}, {1}}});
  EXPECT_EQ(bench.take<protocol::Renew>()->held.at(0).waiting, protocol::WaitingReason{});
}

}  // namespace
}  // namespace fastgpu::worker
