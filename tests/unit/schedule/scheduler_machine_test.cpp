#include "runtime/schedule/scheduler_machine.hpp"

#include <gtest/gtest.h>

#include <tuple>

#include "runtime/base/limits.hpp"

namespace fastgpu::schedule {
namespace {

using namespace std::chrono_literals;
using protocol::DeviceBooks;
using protocol::DeviceKind;
using protocol::Place;
using protocol::RefusalReason;
using protocol::Waiting;
using protocol::WaitingCode;

constexpr base::ShardId shard{1};
constexpr base::Incarnation life{5};

class Bench {
 public:
  explicit Bench(std::uint32_t nodes = 3, DeviceKind kind = DeviceKind::cpu, std::uint64_t seed = 1)
      : machine(seed) {
    auto view = std::make_shared<protocol::ClusterView>();
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      protocol::NodeView shown;
      shown.info.node = {node};
      shown.incarnation = life;
      DeviceBooks books;
      books.device = {{node}, 0};
      books.incarnation = life;
      books.version = 1;
      books.kind = kind;
      books.memory_bytes_total = books.memory_bytes_free = 1000;
      books.slots_total = books.slots_free = kind == DeviceKind::null ? 64 : 1;
      books.queue_room = base::limits::device_queue_tasks_max;
      shown.devices.push_back(books);
      view->nodes.push_back(shown);
    }
    cluster = *view;
  }
  void show() { step(std::make_shared<const protocol::ClusterView>(cluster)); }
  void step(const Event& event) {
    for (auto& effect : machine.step(event, now)) {
      if (auto* place = std::get_if<Place>(&effect))
        places.push_back(*place);
      else
        waitings.push_back(std::get<Waiting>(effect));
    }
  }
  void pass(base::Duration time) {
    const base::Time end = now + time;
    for (auto next = machine.next_deadline(); next && *next <= end;
         next = machine.next_deadline()) {
      now = std::max(now, *next);
      step(Tick{});
    }
    now = end;
    step(Tick{});
  }
  static protocol::TasksReady tasks(std::uint64_t job, std::uint32_t count,
                                    std::uint64_t memory_bytes = 0,
                                    DeviceKind kind = DeviceKind::any) {
    protocol::TasksReady made;
    made.shard = shard;
    made.job = {job};
    made.ranges = {{0, count}};
    made.request = {kind, memory_bytes};
    made.signature.bytes[0] = static_cast<std::uint8_t>(job);
    return made;
  }
  static std::uint32_t count(const Place& place) {
    std::uint32_t sum = 0;
    for (const auto& range : place.ranges)
      sum += range.count;
    return sum;
  }
  std::map<base::NodeId, std::uint32_t> by_node() const {
    std::map<base::NodeId, std::uint32_t> sums;
    for (const auto& place : places)
      sums[place.device.node] += count(place);
    return sums;
  }
  DeviceBooks& books(std::uint32_t node) { return cluster.nodes.at(node - 1).devices.at(0); }
  /// Every place that was made is granted and has run, each task `run_ns` long.
  void all_ran(std::int64_t run_ns) {
    for (const auto& place : std::exchange(places, {})) {
      auto& device = books(place.device.node.value);
      device.version += 1;
      device.queued_tasks = count(place);
      device.queue_room = base::limits::device_queue_tasks_max - count(place);
      step(protocol::AssignAnswered{place.job, place.device, count(place), true,
                                    RefusalReason::none, device});
      protocol::TasksRan ran;
      ran.signature.bytes[0] = static_cast<std::uint8_t>(place.job.value);
      ran.device = place.device;
      ran.kind = device.kind;
      ran.tasks = count(place);
      ran.run_ns = run_ns;
      step(ran);
      done[place.device.node] += count(place);
    }
  }
  std::map<base::NodeId, std::uint32_t> done;

  SchedulerMachine machine;
  base::Time now{1000s};
  protocol::ClusterView cluster;
  std::vector<Place> places;
  std::vector<Waiting> waitings;
};

TEST(Scheduler, PlacesReadyTasksAtOnceAndEachTaskOnce) {
  Bench bench;
  bench.show();
  bench.step(Bench::tasks(4, 2));
  ASSERT_EQ(bench.places.size(), 2u);
  EXPECT_EQ(bench.places[0].incarnation, life);
  EXPECT_EQ(bench.places[0].ranges, (std::vector<base::TaskRange>{{0, 1}}));
  EXPECT_EQ(bench.places[1].ranges, (std::vector<base::TaskRange>{{1, 1}}));
  EXPECT_NE(bench.places[0].device, bench.places[1].device);
  bench.pass(1s);
  EXPECT_EQ(bench.places.size(), 2u);
  EXPECT_EQ(bench.machine.waiting_jobs(), 0u);
}

TEST(Scheduler, TheSameTasksSaidTwiceArePlacedOnce) {
  Bench bench;
  bench.step(Bench::tasks(4, 2));
  bench.step(Bench::tasks(4, 2));
  bench.show();
  bench.show();
  bench.pass(10ms);
  std::uint32_t placed = 0;
  for (const auto& [node, tasks] : bench.by_node())
    placed += tasks;
  EXPECT_EQ(placed, 2u);
}

TEST(Scheduler, AnArraySpreadsOverAllNodes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Bench bench(3, DeviceKind::cpu, seed);
    bench.show();
    bench.step(Bench::tasks(4, 300));
    for (int i = 0; i < 1000 && bench.machine.waiting_jobs() != 0; ++i) {
      bench.pass(2ms);
      bench.all_ran(1'000'000);
    }
    bench.all_ran(1'000'000);
    ASSERT_EQ(bench.done.size(), 3u) << "seed " << seed;
    std::uint32_t sum = 0;
    for (const auto& [node, tasks] : bench.done) {
      EXPECT_GE(tasks, 60u) << "seed " << seed;
      sum += tasks;
    }
    EXPECT_EQ(sum, 300u);
  }
}

TEST(Scheduler, TheDeviceThatIsMeasuredFirstDoesNotGetAll) {
  Bench bench;
  bench.show();
  bench.step(Bench::tasks(4, 300));
  bench.pass(10ms);
  ASSERT_EQ(bench.by_node().size(), 3u);
  protocol::TasksRan ran;
  ran.signature.bytes[0] = 4;
  ran.device = {{1}, 0};
  ran.tasks = 3;
  ran.run_ns = 50'000;
  bench.step(ran);
  bench.pass(10ms);
  for (const auto& [node, tasks] : bench.by_node())
    EXPECT_GE(tasks, 90u);
}

TEST(Scheduler, AnArrayOfNullTasksTravelsInFewMessages) {
  Bench bench(3, DeviceKind::null);
  bench.show();
  bench.step(Bench::tasks(4, 3000, 0, DeviceKind::null));
  bench.pass(10ms);
  std::uint32_t placed = 0;
  for (const auto& [node, tasks] : bench.by_node()) {
    EXPECT_GE(tasks, 300u);
    placed += tasks;
  }
  EXPECT_EQ(placed, 3000u);
  EXPECT_LE(bench.places.size(), 100u);
  for (const auto& place : bench.places)
    EXPECT_LE(Bench::count(place), base::limits::assign_tasks_max);
}

TEST(Scheduler, AFullDeviceIsFilledUpInChunksNotTaskByTask) {
  Bench bench(1, DeviceKind::null);
  bench.show();
  bench.step(Bench::tasks(4, 100'000, 0, DeviceKind::null));
  bench.pass(10ms);
  EXPECT_EQ(bench.by_node()[{1}], base::limits::device_queue_tasks_max);
  const std::size_t before = bench.places.size();
  protocol::TasksRan ran;
  ran.signature.bytes[0] = 4;
  ran.device = {{1}, 0};
  ran.kind = DeviceKind::null;
  ran.tasks = 8;
  ran.run_ns = 1000;
  for (int i = 0; i < 320; ++i) {
    bench.step(ran);
    bench.pass(2ms);
  }
  EXPECT_LE(bench.places.size() - before, 12u);
  EXPECT_GE(bench.by_node()[{1}], base::limits::device_queue_tasks_max + 320 * 8 - 256);
}

TEST(Scheduler, NeverSendsMoreThanADeviceMayHold) {
  Bench bench(2, DeviceKind::null);
  bench.show();
  bench.step(Bench::tasks(4, 10'000, 0, DeviceKind::null));
  bench.pass(1s);
  for (const auto& [node, tasks] : bench.by_node())
    EXPECT_EQ(tasks, base::limits::device_queue_tasks_max);
  EXPECT_EQ(bench.waitings.back().reason.code, WaitingCode::capacity);
}

TEST(Scheduler, UnknownTasksAreSentAFewAtATime) {
  Bench bench(1);
  bench.show();
  bench.step(Bench::tasks(4, 100));
  bench.pass(1s);
  EXPECT_EQ(bench.by_node()[{1}], 3u);
}

TEST(Scheduler, NothingIsSentBehindATaskThatRunsForLong) {
  Bench bench(2);
  bench.books(1).version = 2;
  bench.books(1).slots_free = 0;
  bench.books(1).backlog_ns = 4'000'000'000;
  bench.show();
  bench.step(Bench::tasks(4, 1));
  bench.pass(10ms);
  EXPECT_EQ(bench.by_node()[{2}], 1u);
  bench.step(Bench::tasks(5, 10));
  bench.pass(1s);
  EXPECT_EQ(bench.by_node()[{1}], 0u);
  bench.books(1).version = 3;
  bench.books(1).slots_free = 1;
  bench.books(1).backlog_ns = 0;
  bench.show();
  bench.pass(10ms);
  EXPECT_GT(bench.by_node()[{1}], 0u);
}

TEST(Scheduler, LongTasksAreNotSentAheadAndShortOnesAre) {
  Bench bench(1);
  bench.show();
  bench.step(Bench::tasks(4, 100));
  bench.pass(10ms);
  bench.all_ran(5'000'000'000);
  bench.pass(1s);
  EXPECT_EQ(bench.by_node()[{1}], 1u) << "one for the free slot";
  bench.all_ran(5'000'000'000);

  Bench fast(1);
  fast.show();
  fast.step(Bench::tasks(4, 100));
  fast.pass(10ms);
  fast.all_ran(1'000'000);
  fast.pass(10ms);
  EXPECT_EQ(fast.by_node()[{1}], 97u);
}

TEST(Scheduler, ASmallJobDoesNotWaitBehindAGiantArray) {
  Bench bench(1);
  bench.show();
  bench.step(Bench::tasks(4, 1'000'000));
  bench.step(Bench::tasks(8, 1));
  bool served = false;
  for (int i = 0; i < 3 && !served; ++i) {
    bench.pass(10ms);
    for (const auto& place : bench.places)
      served = served || place.job == base::JobId{8};
    bench.all_ran(1'000'000);
  }
  EXPECT_TRUE(served);
}

TEST(Scheduler, JobsAreServedInTheOrderInWhichTheyCame) {
  Bench bench(1, DeviceKind::null);
  for (std::uint64_t job : {8u, 4u, 12u})
    bench.step(Bench::tasks(job, 1, 0, DeviceKind::null));
  bench.show();
  bench.pass(10ms);
  ASSERT_EQ(bench.places.size(), 3u);
  EXPECT_EQ(bench.places[0].job, base::JobId{8});
  EXPECT_EQ(bench.places[1].job, base::JobId{4});
  EXPECT_EQ(bench.places[2].job, base::JobId{12});
}

TEST(Scheduler, WhatALostNodeHadGoesBeforeAllThatHasNotRun) {
  Bench bench(1, DeviceKind::null);
  for (std::uint64_t job : {4u, 8u})
    bench.step(Bench::tasks(job, 3, 0, DeviceKind::null));
  bench.step(Bench::tasks(2, 3, 0, DeviceKind::null));
  auto lost = Bench::tasks(8, 0, 0, DeviceKind::null);
  lost.ranges = {{7, 1}, {9, 1}};
  lost.lost_before = true;
  bench.step(lost);
  bench.show();
  bench.pass(10ms);
  ASSERT_EQ(bench.places.size(), 4u);
  EXPECT_EQ(bench.places[0].job, base::JobId{8});
  EXPECT_EQ(bench.places[0].ranges, (std::vector<base::TaskRange>{{7, 1}, {9, 1}}));
  EXPECT_EQ(bench.places[1].job, base::JobId{4}) << "the rest of that job has no such right";
  EXPECT_EQ(bench.places[2].job, base::JobId{8}) << "and loses nothing";
  EXPECT_EQ(bench.places[3].job, base::JobId{2});
}

TEST(Scheduler, WithItsLostTasksAJobLosesTheirPlaceInFront) {
  Bench bench(1, DeviceKind::null);
  for (std::uint64_t job : {4u, 8u})
    bench.step(Bench::tasks(job, 3, 0, DeviceKind::null));
  auto lost = Bench::tasks(8, 0, 0, DeviceKind::null);
  lost.ranges = {{7, 1}};
  lost.lost_before = true;
  bench.step(lost);
  bench.step(protocol::TasksGone{{8}, {{7, 1}}});
  bench.show();
  bench.pass(10ms);
  ASSERT_EQ(bench.places.size(), 2u);
  EXPECT_EQ(bench.places[0].job, base::JobId{4});
}

TEST(Scheduler, WhatALostNodeHadIsSentWhereMuchIsHeldWhenNothingElseTakesIt) {
  Bench bench(2);
  bench.books(1).slots_free = 0;
  bench.books(1).backlog_ns = 4'000'000'000;
  bench.books(2).slots_free = 0;
  bench.books(2).queued_tasks = 1;
  bench.books(2).backlog_ns = 20'000'000;
  for (std::uint32_t node : {1u, 2u})
    bench.books(node).version += 1;
  bench.show();
  auto lost = Bench::tasks(4, 1);
  lost.lost_before = true;
  bench.step(lost);
  EXPECT_EQ(bench.by_node()[{2}], 1u);
}

TEST(Scheduler, WhatWasLostAndHasToWaitIsToldWhyLikeAllOthers) {
  Bench bench(1);
  bench.show();
  bench.step(Bench::tasks(4, 1, 5000));
  bench.pass(1s);
  bench.waitings.clear();
  auto lost = Bench::tasks(8, 1, 5000);
  lost.signature = Bench::tasks(4, 1).signature;
  lost.lost_before = true;
  bench.step(lost);
  bench.pass(10ms);
  ASSERT_EQ(bench.waitings.size(), 1u);
  EXPECT_EQ(bench.waitings[0].job, base::JobId{8});
}

TEST(Scheduler, PrefersTheDeviceThatWillBeDoneFirst) {
  Bench bench(3);
  for (std::uint32_t node : {1u, 3u}) {
    bench.books(node).queued_tasks = 2;
    bench.books(node).queue_room -= 2;
    bench.books(node).backlog_ns = 900'000'000;
  }
  bench.show();
  bench.step(Bench::tasks(4, 1));
  ASSERT_EQ(bench.places.size(), 1u);
  EXPECT_EQ(bench.places[0].device.node, base::NodeId{2});
}

TEST(Scheduler, AFreeDeviceIsChosenBeforeOneThatRunsATaskOfAnyLength) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Bench bench(3, DeviceKind::cpu, seed);
    for (std::uint32_t node : {1u, 3u}) {
      bench.books(node).slots_free = 0;
      bench.books(node).backlog_ns = 10'000'000;  // so it was guessed, and that has passed
    }
    bench.show();
    bench.pass(500ms);
    bench.step(Bench::tasks(4, 1));
    ASSERT_EQ(bench.places.size(), 1u);
    EXPECT_EQ(bench.places[0].device.node, base::NodeId{2}) << "seed " << seed;
  }
}

TEST(Scheduler, AFastBusyDeviceIsStillChosenBeforeASlowFreeOneOfAnotherKind) {
  Bench bench(2);
  bench.books(1).kind = DeviceKind::gpu;
  bench.books(1).slots_free = 0;
  bench.books(1).backlog_ns = 10'000'000;
  bench.show();
  for (const auto& [kind, node, run_ns] :
       {std::tuple{DeviceKind::gpu, 1u, 1'000'000}, std::tuple{DeviceKind::cpu, 2u, 900'000'000}}) {
    protocol::TasksRan ran;
    ran.signature.bytes[0] = 4;
    ran.device = {{node}, 0};
    ran.kind = kind;
    ran.tasks = 1;
    ran.run_ns = run_ns;
    bench.step(ran);
  }
  bench.step(Bench::tasks(4, 1));
  ASSERT_EQ(bench.places.size(), 1u);
  EXPECT_EQ(bench.places[0].device.node, base::NodeId{1});
}

TEST(Scheduler, EqualDevicesAreChosenByChanceAndTheSameForTheSameSeed) {
  std::map<base::NodeId, int> chosen;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    base::NodeId first;
    for (int twice = 0; twice < 2; ++twice) {
      Bench bench(3, DeviceKind::cpu, seed);
      bench.show();
      bench.step(Bench::tasks(4, 1));
      if (twice == 0)
        first = bench.places.at(0).device.node;
      EXPECT_EQ(bench.places.at(0).device.node, first);
    }
    chosen[first] += 1;
  }
  for (std::uint32_t node = 1; node <= 3; ++node)
    EXPECT_GE(chosen[{node}], 5);
}

TEST(Scheduler, DoesNotUseWhatIsNotUpOrNotHealthy) {
  Bench bench(3);
  bench.cluster.nodes[0].state = protocol::NodeState::suspect;
  bench.books(2).healthy = false;
  bench.show();
  for (std::uint64_t job = 1; job <= 3; ++job)
    bench.step(Bench::tasks(job, 1));
  bench.pass(1s);
  EXPECT_EQ(bench.by_node().size(), 1u);
  EXPECT_EQ(bench.by_node()[{3}], 3u);
}

TEST(Scheduler, SendsCommandsOnlyWhereTheyAreTaken) {
  Bench bench(2);
  bench.books(1).no_commands_why = "no warden";
  bench.show();
  auto command = Bench::tasks(4, 2);
  command.command = true;
  bench.step(command);
  bench.pass(10ms);
  ASSERT_FALSE(bench.places.empty());
  EXPECT_EQ(bench.by_node().count({1}), 0u);
  bench.places.clear();
  for (std::uint64_t job = 5; job <= 10; ++job)
    bench.step(Bench::tasks(job, 1));
  bench.pass(10ms);
  EXPECT_EQ(bench.by_node().count({1}), 1u) << "kernels go there as before";
}

TEST(Scheduler, SaysWhyNoDeviceTakesACommand) {
  Bench bench(1);
  bench.books(1).no_commands_why = "its warden cannot start";
  bench.show();
  auto command = Bench::tasks(4, 1);
  command.command = true;
  bench.step(command);
  bench.pass(1s);
  EXPECT_TRUE(bench.places.empty());
  ASSERT_FALSE(bench.waitings.empty());
  const std::string& said = bench.waitings.back().reason.sentence;
  EXPECT_NE(said.find("its warden cannot start"), std::string::npos) << said;
}

TEST(Scheduler, ADeviceThatRefusesCommandsIsNotAvoidedByKernels) {
  Bench bench(1);
  bench.show();
  auto command = Bench::tasks(4, 1);
  command.command = true;
  bench.step(command);
  ASSERT_EQ(bench.places.size(), 1u);
  const Place place = bench.places[0];
  bench.places.clear();
  auto books = bench.books(1);
  books.version += 1;
  books.no_commands_why = "no warden";
  bench.step(
      protocol::AssignAnswered{place.job, place.device, 1, true, RefusalReason::unhealthy, books});
  bench.step(Bench::tasks(5, 1));
  bench.pass(SchedulerMachine::round_interval);
  ASSERT_EQ(bench.places.size(), 1u);
  EXPECT_EQ(bench.places[0].job, base::JobId{5});
}

TEST(Scheduler, ADeviceThatRefusesIsAvoidedForAWhileAndComesBack) {
  Bench bench(1);
  bench.show();
  bench.step(Bench::tasks(4, 1));
  base::Duration last{0};
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(bench.places.size(), 1u);
    const Place place = bench.places[0];
    bench.places.clear();
    bench.books(1).version += 1;
    const bool answered = i % 2 == 0;
    bench.step(protocol::AssignAnswered{place.job, place.device, 1, answered,
                                        answered ? RefusalReason::queue_full : RefusalReason::none,
                                        bench.books(1)});
    bench.step(Bench::tasks(4, 1));
    const base::Time refused_at = bench.now;
    while (bench.places.empty() && bench.now < refused_at + 10s)
      bench.pass(5ms);
    const base::Duration pause = bench.now - refused_at;
    EXPECT_GE(pause, DeviceGuess::avoid_min);
    EXPECT_GE(pause, last) << "the pause grows";
    last = pause;
  }
}

TEST(Scheduler, SeveralRefusalsAtOnceMakeADeviceAvoidedNoLongerThanOne) {
  Bench bench(1);
  bench.show();
  for (std::uint64_t job = 1; job <= 3; ++job)
    bench.step(Bench::tasks(job, 1));
  bench.pass(10ms);
  ASSERT_EQ(bench.places.size(), 3u);
  for (const auto& place : std::exchange(bench.places, {})) {
    bench.books(1).version += 1;
    bench.step(protocol::AssignAnswered{place.job, place.device, 1, true, RefusalReason::queue_full,
                                        bench.books(1)});
  }
  bench.step(Bench::tasks(4, 1));
  bench.pass(DeviceGuess::avoid_min + SchedulerMachine::round_interval);
  EXPECT_EQ(bench.places.size(), 1u);
}

TEST(Scheduler, AChoiceThatItsShardTookBackIsNoWordOnTheDevice) {
  Bench bench(1);
  bench.show();
  bench.step(Bench::tasks(4, 1));
  ASSERT_EQ(bench.places.size(), 1u);
  bench.step(protocol::AssignAnswered{
      {4}, {{1}, 0}, 1, false, RefusalReason::stale_attempt, DeviceBooks{}});
  EXPECT_FALSE(bench.machine.device({{1}, 0})->avoided(bench.now));
  EXPECT_EQ(bench.machine.device({{1}, 0})->held(), 0u);
}

TEST(Scheduler, EveryWaitingJobHasAReasonThatIsSaidWhenItChanges) {
  Bench bench(1);
  bench.step(Bench::tasks(4, 1, 5000));
  ASSERT_EQ(bench.waitings.size(), 1u);
  EXPECT_EQ(bench.waitings[0].reason.code, WaitingCode::not_yet_considered);
  bench.show();
  bench.pass(1s);
  ASSERT_EQ(bench.waitings.size(), 2u);
  EXPECT_EQ(bench.waitings[1].reason.code, WaitingCode::infeasible);
  EXPECT_NE(bench.waitings[1].reason.sentence.find("1 too small"), std::string::npos);
  bench.pass(10s);
  EXPECT_EQ(bench.waitings.size(), 2u);
  bench.books(1).memory_bytes_total = 5000;
  bench.books(1).version += 1;
  bench.show();
  bench.pass(1s);
  EXPECT_EQ(bench.places.size(), 1u);
  ASSERT_EQ(bench.waitings.size(), 3u);
  EXPECT_EQ(bench.waitings[2].reason.code, WaitingCode::none);
}

TEST(Scheduler, AllJobsThatWaitForTheSameAreTold) {
  Bench bench(1);
  bench.show();
  for (std::uint64_t job = 1; job <= 1000; ++job) {
    auto tasks = Bench::tasks(1, 1, 5000);
    tasks.job = {job};
    bench.step(tasks);
  }
  bench.pass(5s);
  std::set<base::JobId> told;
  for (const auto& waiting : bench.waitings)
    told.insert(waiting.job);
  EXPECT_EQ(told.size(), 1000u);
}

TEST(Scheduler, TasksThatAreGoneAndShardsThatAreRetiredAreForgotten) {
  Bench bench(1);
  bench.step(Bench::tasks(4, 10));
  bench.step(Bench::tasks(8, 10));
  bench.step(protocol::TasksGone{{4}, {{0, 10}}});
  bench.step(protocol::TasksGone{{4}, {{0, 10}}});
  EXPECT_EQ(bench.machine.waiting_jobs(), 1u);
  bench.step(protocol::ShardRetired{shard});
  bench.step(protocol::ShardRetired{shard});
  EXPECT_EQ(bench.machine.waiting_jobs(), 0u);
  bench.show();
  bench.pass(1s);
  EXPECT_TRUE(bench.places.empty());
  EXPECT_FALSE(bench.machine.next_deadline().has_value());
}

TEST(Scheduler, ANewLifeOfANodeIsUsedUnderItsOwnIncarnation) {
  Bench bench(1);
  bench.show();
  bench.cluster.nodes[0].incarnation = {6};
  bench.cluster.nodes[0].devices.clear();
  bench.show();
  bench.step(Bench::tasks(4, 1));
  EXPECT_TRUE(bench.places.empty()) << "the old life's devices are gone";
  DeviceBooks books;
  books.device = {{1}, 0};
  books.incarnation = {6};
  books.version = 1;
  books.queue_room = 100;
  bench.cluster.nodes[0].devices = {books};
  bench.show();
  bench.pass(1s);
  ASSERT_EQ(bench.places.size(), 1u);
  EXPECT_EQ(bench.places[0].incarnation, base::Incarnation{6});
}

}  // namespace
}  // namespace fastgpu::schedule
