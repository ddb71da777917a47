#include "tests/unit/worker/worker_bench.hpp"

// Commands: their folders, their leases, their ends.

namespace fastgpu::worker {
namespace {

using base::FailureReason;
using protocol::Finish;
using protocol::TaskState;

constexpr base::Duration lease = base::limits::lease_command;

class WorkerCommands : public testing::Test {
 protected:
  explicit WorkerCommands(std::uint32_t window = 2) : bench(window) { bench.warm_up(); }

  static protocol::JobSpec command_spec() {
    protocol::JobSpec spec;
    spec.command.argv = {"train", "{}"};
    spec.command.inputs = {{"in.{}",
                            false,
                            {base::Bytes::copy_of(std::string_view("zero")),
                             base::Bytes::copy_of(std::string_view("one"))}},
                           {"run.sh", true, {base::Bytes::copy_of(std::string_view("all"))}}};
    spec.command.outputs = {"out.{}.of.{n}"};
    spec.tasks = 2;
    spec.time_limit_ns = 0;
    return spec;
  }
  protocol::Assign assign(std::uint64_t sequence, base::TaskRange range,
                          protocol::JobSpec spec = command_spec()) const {
    auto made = WorkerBench::assign(sequence, range);
    made.job = {13};
    made.spec = WorkerBench::spec_of(std::move(spec));
    made.start_before_ns = start_before.time_since_epoch().count();
    return made;
  }
  void folders_ready() {
    for (const auto& prepare : std::exchange(bench.prepares, {}))
      bench.step(protocol::FolderReady{
          prepare.device, prepare.token, true, "/jobs/" + prepare.folder, {}});
  }
  void run(std::uint64_t sequence, base::TaskRange range, protocol::JobSpec spec = command_spec()) {
    bench.give(assign(sequence, range, std::move(spec)));
    folders_ready();
  }
  void end(LaunchToken token, FailureReason reason = FailureReason::none,
           const std::string& message = "", int exit_code = 0) {
    CommandEnded ended{token, reason, message, {}, 7};
    ended.end.exit_code = exit_code;
    ended.end.protection = "none";
    bench.step(ended);
  }
  void collected(std::vector<protocol::OutputFile> outputs) {
    for (const auto& collect : std::exchange(bench.collects, {}))
      bench.step(protocol::FolderCollected{collect.device, collect.token, true, outputs, {}});
  }
  protocol::TaskOutcome told() {
    bench.pass(WorkerMachine::finish_batch_delay);
    const auto finish = bench.take<Finish>();
    EXPECT_TRUE(finish.has_value());
    return finish ? finish->reports.at(0).outcome : protocol::TaskOutcome{};
  }
  void stop(std::uint64_t sequence, base::TaskRange range) {
    bench.step(FromLeader<protocol::Stop>{
        WorkerBench::leader, {WorkerBench::attempt(sequence), {13}, WorkerBench::device, {range}}});
  }

  WorkerBench bench;
  base::Time start_before{base::Time::max()};
};

TEST_F(WorkerCommands, AreLaunchedWhenTheFilesOfTheirFolderAreThere) {
  bench.give(assign(1, {0, 2}));
  EXPECT_TRUE(bench.commands.empty());
  ASSERT_EQ(bench.prepares.size(), 2u);
  EXPECT_EQ(bench.prepares[1].folder, "13.1.4-1-1-1");
  ASSERT_EQ(bench.prepares[1].files.size(), 2u);
  EXPECT_EQ(bench.prepares[1].files[0].path, "in.1");
  EXPECT_EQ(std::get<base::Bytes>(bench.prepares[1].files[0].data).text(), "one");
  EXPECT_TRUE(bench.prepares[1].files[1].executable);
  folders_ready();
  ASSERT_EQ(bench.commands.size(), 2u) << "as many as there are slots";
  EXPECT_EQ(bench.commands[0].folder, "/jobs/13.0.4-1-1-1");
  EXPECT_EQ(bench.commands[0].task, 0u);
  EXPECT_EQ(bench.commands[0].until, bench.now + lease);
  EXPECT_EQ(bench.machine.books().slots_free, 0u);
}

TEST_F(WorkerCommands, KeepTheirOutputsAndThenLetTheirFolderGo) {
  run(1, {1, 1});
  bench.pass(300ms);
  end(bench.commands.at(0).token);
  EXPECT_EQ(bench.machine.books().slots_free, 2u);
  ASSERT_EQ(bench.collects.size(), 1u);
  EXPECT_EQ(bench.collects[0].outputs, (std::vector<std::string>{"out.1.of.2"}));
  EXPECT_EQ(bench.collects[0].folder, "13.1.4-1-1-1");
  EXPECT_TRUE(bench.drops.empty());
  const protocol::Data data = base::Bytes::copy_of(std::string_view("result"));
  collected({{"out.1.of.2", data}});
  EXPECT_EQ(bench.drops, (std::vector<std::string>{"13.1.4-1-1-1"}));
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  const auto& outcome = finish->reports.at(0).outcome;
  EXPECT_EQ(outcome.state, TaskState::succeeded);
  EXPECT_EQ(outcome.outputs, (std::vector<protocol::Data>{data}));
  EXPECT_EQ(outcome.command.output_paths, (std::vector<std::string>{"out.1.of.2"}));
  EXPECT_EQ(outcome.command.protection, "none");
  EXPECT_EQ(outcome.timings.run_ns, 7);
  EXPECT_EQ(finish->device_ns, base::Duration(300ms).count());
}

TEST_F(WorkerCommands, ThatFailReportTheirExitCodeAndWhatTheyLeft) {
  run(1, {0, 1});
  end(bench.commands.at(0).token, FailureReason::exit_code, "exit code 3", 3);
  ASSERT_EQ(bench.collects.size(), 1u);
  EXPECT_TRUE(bench.collects[0].partial);
  const protocol::Data half = base::Bytes::copy_of(std::string_view("half"));
  collected({{"out.0.of.2", half}});
  EXPECT_EQ(bench.drops.size(), 1u);
  const auto outcome = told();
  EXPECT_EQ(outcome.state, TaskState::failed);
  EXPECT_EQ(outcome.reason, FailureReason::exit_code);
  EXPECT_EQ(outcome.command.exit_code, 3);
  EXPECT_EQ(outcome.outputs, (std::vector<protocol::Data>{half}));
}

TEST_F(WorkerCommands, ThatFailSayThatThoughWhatTheyLeftFindsNoRoom) {
  run(1, {0, 1});
  end(bench.commands.at(0).token, FailureReason::exit_code, "exit code 3", 3);
  bench.step(protocol::FolderCollected{
      WorkerBench::device,
      bench.collects.at(0).token,
      false,
      {},
      {base::ErrorKind::overloaded, base::ErrorCode::disk_full, "the disk is full", ""}});
  const auto outcome = told();
  EXPECT_EQ(outcome.reason, FailureReason::exit_code);
  EXPECT_EQ(outcome.command.exit_code, 3);
  EXPECT_EQ(outcome.message, "exit code 3; what it left could not be stored: the disk is full");
}

TEST_F(WorkerCommands, ThatWereStoppedLeaveNothing) {
  run(1, {0, 1});
  stop(1, {0, 1});
  end(bench.commands.at(0).token, FailureReason::signal, "signal 15");
  EXPECT_TRUE(bench.collects.empty());
  EXPECT_EQ(bench.drops.size(), 1u);
}

TEST_F(WorkerCommands, ThatLeaveAnOutputOutFail) {
  run(1, {0, 1});
  end(bench.commands.at(0).token);
  bench.step(protocol::FolderCollected{
      WorkerBench::device,
      bench.collects.at(0).token,
      false,
      {},
      {base::ErrorKind::rejected, base::ErrorCode::output_missing, "no out.0", ""}});
  const auto outcome = told();
  EXPECT_EQ(outcome.reason, FailureReason::output_missing);
  EXPECT_EQ(outcome.message, "no out.0");
}

TEST_F(WorkerCommands, WhoseOutputsFindNoRoomAreCollectedAgain) {
  run(1, {0, 1});
  end(bench.commands.at(0).token);
  const auto first = bench.collects.at(0);
  bench.collects.clear();
  bench.step(protocol::FolderCollected{
      WorkerBench::device,
      first.token,
      false,
      {},
      {base::ErrorKind::overloaded, base::ErrorCode::disk_full, "full", ""}});
  EXPECT_FALSE(bench.machine.books().healthy);
  EXPECT_TRUE(bench.drops.empty());
  bench.pass(base::limits::keep_retry_min);
  ASSERT_EQ(bench.collects.size(), 1u);
  EXPECT_EQ(bench.collects[0], first);
  collected({});
  EXPECT_EQ(told().state, TaskState::succeeded);
}

TEST_F(WorkerCommands, LiveOnWithEveryAnsweredRenewal) {
  run(1, {0, 1});
  const LaunchToken token = bench.commands.at(0).token;
  for (int i = 0; i < 60; ++i) {
    bench.pass(base::limits::lease_renew_interval);
    bench.renewed();
    ASSERT_EQ(bench.extends.size(), static_cast<std::size_t>(i) + 1);
    EXPECT_EQ(bench.extends.back(), (ExtendLease{token, bench.now + lease}));
  }
  EXPECT_TRUE(bench.command_stops.empty());
}

TEST_F(WorkerCommands, CountTheirLeaseFromTheSendingOfTheRenewal) {
  run(1, {0, 1});
  bench.pass(base::limits::lease_renew_interval);
  bench.sent.clear();
  bench.step(FromLeader<protocol::Adopt>{WorkerBench::leader, {WorkerBench::shard, {1}, {1}}});
  const auto renew = bench.take<protocol::Renew>();
  bench.now += 40s;
  bench.step(FromLeader<protocol::Renewed>{WorkerBench::leader,
                                           {WorkerBench::shard,
                                            {1},
                                            {1},
                                            WorkerBench::device,
                                            renew->asked_at_ns,
                                            base::Duration(10s).count(),
                                            {},
                                            base::Duration(100s).count()}});
  EXPECT_TRUE(bench.extends.empty()) << "the end that it had is later";
  EXPECT_EQ(bench.machine.in_flight().begin()->second.lease_until, bench.commands.at(0).until);
}

TEST_F(WorkerCommands, MayAskForALeaseOfTheirOwn) {
  auto spec = command_spec();
  spec.lease_ns = base::Duration(72h).count();
  run(1, {0, 1}, spec);
  EXPECT_EQ(bench.commands.at(0).until, bench.now + 72h);
}

TEST_F(WorkerCommands, EndWithTheirLeaseAndAreNotToBlame) {
  run(1, {0, 1});
  const LaunchToken token = bench.commands.at(0).token;
  bench.pass(lease - 1ns);
  EXPECT_TRUE(bench.command_stops.empty());
  bench.pass(1ns);
  ASSERT_EQ(bench.command_stops.size(), 1u);
  EXPECT_EQ(bench.command_stops[0].token, token);
  bench.renewed();
  EXPECT_TRUE(bench.extends.empty()) << "too late: it may have been placed anew";
  end(token, FailureReason::signal, "signal 9");
  const auto outcome = told();
  EXPECT_EQ(outcome.reason, FailureReason::node_lost);
  EXPECT_TRUE(base::is_infrastructure(outcome.reason));
}

TEST_F(WorkerCommands, AreNotStartedWhenTheirOwnLeaseIsOver) {
  auto spec = command_spec();
  spec.lease_ns = base::Duration(1s).count();
  bench.pass(2s);
  run(1, {0, 1}, spec);
  EXPECT_TRUE(bench.commands.empty());
  bench.step(FromLeader<protocol::Adopt>{WorkerBench::leader, {WorkerBench::shard, {1}, {1}}});
  bench.renewed();
  EXPECT_EQ(bench.commands.size(), 1u);
}

// Its leader may have given it up long ago: it lay in the mailbox of a process that stood still.
TEST_F(WorkerCommands, WhoseAssignComesAfterItsTimeStartOnlyWhenARenewalThatListsThemIsAnswered) {
  start_before = bench.now;
  run(1, {0, 1});
  EXPECT_TRUE(bench.commands.empty()) << "the lease that is there was asked for before";
  std::optional<protocol::Renew> renew;
  while (auto sent = bench.take<protocol::Renew>())
    renew = sent;
  ASSERT_TRUE(renew.has_value()) << "asked for at once";
  EXPECT_EQ(renew->held.at(0).attempt, WorkerBench::attempt(1));
  const auto answer = [&](std::int64_t asked_at_ns) {
    bench.step(FromLeader<protocol::Renewed>{WorkerBench::leader,
                                             {WorkerBench::shard,
                                              {1},
                                              {1},
                                              WorkerBench::device,
                                              asked_at_ns,
                                              base::Duration(10s).count(),
                                              {},
                                              base::Duration(lease).count()}});
  };
  answer(renew->asked_at_ns - 1);
  EXPECT_TRUE(bench.commands.empty()) << "an answer to an older one does not count on it";
  answer(renew->asked_at_ns);
  EXPECT_EQ(bench.commands.size(), 1u);
}

TEST_F(WorkerCommands, ThatAreStoppedEndAloneAndAreBilled) {
  run(1, {0, 2});
  bench.pass(100ms);
  for (int twice = 0; twice < 2; ++twice)
    stop(1, {0, 1});
  bench.pass(1s);
  ASSERT_EQ(bench.command_stops.size(), 1u);
  EXPECT_EQ(bench.command_stops[0], (StopCommand{bench.commands.at(0).token, "stopped"}));
  EXPECT_TRUE(bench.kills.empty()) << "the executor is not concerned";
  end(bench.commands.at(0).token, FailureReason::cancelled, "SIGTERM");
  bench.pass(WorkerMachine::finish_batch_delay);
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->reports.at(0).outcome.state, TaskState::cancelled);
  EXPECT_EQ(finish->device_ns, base::Duration(1100ms).count());
  EXPECT_EQ(bench.machine.in_flight().size(), 1u);
}

TEST_F(WorkerCommands, StoppedBeforeTheyStartLetTheirFolderGo) {
  bench.give(assign(1, {0, 1}));
  stop(1, {0, 1});
  EXPECT_EQ(bench.drops.size(), 1u);
  folders_ready();
  EXPECT_TRUE(bench.commands.empty());
}

TEST_F(WorkerCommands, OnADeviceThatIsAccusedAreEndedAndRunElsewhere) {
  run(1, {0, 2});
  ASSERT_EQ(bench.commands.size(), 2u);
  bench.device_is_good = false;
  for (int i = 0; i < 2; ++i)
    bench.step(DeviceAccused{"its driver reported Xid 79"});
  ASSERT_EQ(bench.command_stops.size(), 2u) << "each is asked once";
  EXPECT_EQ(bench.command_stops[0].why, "the device is quarantined: its driver reported Xid 79");
  end(bench.commands[0].token, FailureReason::cancelled, bench.command_stops[0].why);
  const auto ended = told();
  EXPECT_EQ(ended.reason, FailureReason::device_lost) << "no fault of the command's";
  EXPECT_EQ(ended.message, "the device is quarantined: its driver reported Xid 79");
  end(bench.commands[1].token);
  EXPECT_EQ(told().reason, FailureReason::device_lost) << "what it computed is not believed";
  EXPECT_TRUE(bench.collects.empty());
}

TEST_F(WorkerCommands, AreStoppedAtTheirTimeLimit) {
  auto spec = command_spec();
  spec.time_limit_ns = base::Duration(5s).count();
  run(1, {0, 1}, spec);
  bench.pass(1s);
  bench.step(CommandStarted{bench.commands.at(0).token});
  bench.pass(4999ms);
  EXPECT_TRUE(bench.command_stops.empty()) << "it counts from the start";
  bench.pass(1ms);
  EXPECT_EQ(bench.command_stops.size(), 1u);
  end(bench.commands.at(0).token, FailureReason::cancelled, "SIGTERM");
  EXPECT_EQ(bench.collects.size(), 1u) << "what it has left so far is kept";
  collected({});
  EXPECT_EQ(told().state, TaskState::timed_out);
}

TEST_F(WorkerCommands, ANewerAttemptWaitsForTheEndOfTheOlder) {
  run(1, {0, 1});
  run(2, {0, 1});
  EXPECT_EQ(bench.command_stops.size(), 1u);
  ASSERT_EQ(bench.commands.size(), 1u);
  end(bench.commands.at(0).token, FailureReason::cancelled, "SIGTERM");
  ASSERT_EQ(bench.commands.size(), 2u);
  EXPECT_EQ(bench.commands[1].attempt, WorkerBench::attempt(2));
}

TEST_F(WorkerCommands, AndKernelsTakeTurnsInTheOrderOfTheQueue) {
  bench.give(WorkerBench::assign(1, {0, 3}));
  EXPECT_EQ(bench.launches.size(), 2u);
  run(2, {0, 1});
  bench.give(WorkerBench::assign(3, {500, 3}));
  bench.done();
  EXPECT_EQ(bench.launches.size(), 2u) << "the first job goes on";
  bench.done();
  EXPECT_TRUE(bench.commands.empty());
  EXPECT_EQ(bench.launches.size(), 1u) << "the command is next: no kernel passes it";
  bench.done();
  ASSERT_EQ(bench.commands.size(), 1u);
  EXPECT_TRUE(bench.launches.empty());
  end(bench.commands.at(0).token);
  EXPECT_EQ(bench.launches.size(), 2u);
}

TEST_F(WorkerCommands, ADeadExecutorDoesNotEndThem) {
  run(1, {0, 1});
  bench.die();
  bench.pass(10s);
  EXPECT_EQ(bench.machine.in_flight().size(), 1u);
  end(bench.commands.at(0).token);
  collected({});
  EXPECT_EQ(told().state, TaskState::succeeded);
}

TEST_F(WorkerCommands, ThatTheWardenRefusesAreTriedAgainAndHoldUpNoKernel) {
  run(1, {0, 1});
  bench.step(LaunchRefused{bench.commands.at(0).token});
  bench.give(WorkerBench::assign(2, {0, 1}));
  EXPECT_EQ(bench.launches.size(), 1u);
  bench.done();
  bench.pass(WorkerMachine::command_retry_delay);
  EXPECT_EQ(bench.commands.size(), 2u);
}

TEST_F(WorkerCommands, WhoseInputsAreAwayWaitAndSaySo) {
  bench.give(assign(1, {0, 1}));
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(bench.prepares.size(), 1u);
    const auto prepare = bench.prepares[0];
    bench.prepares.clear();
    bench.step(protocol::FolderReady{
        prepare.device,
        prepare.token,
        false,
        "",
        {base::ErrorKind::unavailable, base::ErrorCode::timeout, "n5 does not answer", ""}});
    EXPECT_TRUE(bench.prepares.empty());
    bench.pass(WorkerMachine::folder_retry_delay);
  }
  bench.sent.clear();
  bench.step(FromLeader<protocol::Adopt>{WorkerBench::leader, {WorkerBench::shard, {1}, {1}}});
  EXPECT_EQ(bench.take<protocol::Renew>()->held.at(0).waiting.sentence,
            "task 0 waits for 3 s for the files of its folder: n5 does not answer");
  folders_ready();
  EXPECT_EQ(bench.commands.size(), 1u);
}

TEST_F(WorkerCommands, WhoseInputsAreGoneFail) {
  bench.give(assign(1, {0, 1}));
  bench.step(protocol::FolderReady{
      WorkerBench::device,
      bench.prepares.at(0).token,
      false,
      "",
      {base::ErrorKind::lost, base::ErrorCode::object_missing, "object ab is gone", ""}});
  EXPECT_EQ(told().reason, FailureReason::input_missing);
}

TEST_F(WorkerCommands, WhoseFolderFindsNoRoomAreHandedBackUnrun) {
  bench.give(assign(1, {0, 1}));
  bench.step(protocol::FolderReady{
      WorkerBench::device,
      bench.prepares.at(0).token,
      false,
      "",
      {base::ErrorKind::overloaded, base::ErrorCode::disk_full, "17 bytes are free", ""}});
  EXPECT_FALSE(bench.machine.books().healthy);
  bench.sent.clear();
  bench.pass(WorkerMachine::device_lost_after);
  EXPECT_EQ(bench.count<Finish>(), 0u);
  EXPECT_FALSE(bench.machine.holds(WorkerBench::attempt(1)));
  std::optional<protocol::Renew> last;
  while (auto renew = bench.take<protocol::Renew>())
    last = renew;
  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->held.empty());
}

TEST_F(WorkerCommands, EveryHandlerMayBeCalledTwice) {
  const auto twice = [this](const Event& event) {
    bench.step(event);
    bench.step(event);
  };
  twice(FromLeader<protocol::Assign>{WorkerBench::leader, assign(1, {0, 1})});
  ASSERT_EQ(bench.prepares.size(), 1u);
  twice(protocol::FolderReady{WorkerBench::device, bench.prepares[0].token, true, "/jobs/a", {}});
  ASSERT_EQ(bench.commands.size(), 1u);
  const LaunchToken token = bench.commands[0].token;
  twice(CommandStarted{token});
  twice(CommandEnded{token, FailureReason::none, "", {}, 7});
  ASSERT_EQ(bench.collects.size(), 1u);
  twice(protocol::FolderCollected{WorkerBench::device, bench.collects[0].token, true, {}, {}});
  EXPECT_EQ(bench.drops.size(), 1u);
  EXPECT_EQ(bench.count<Finish>(), 1u);
}

TEST_F(WorkerCommands, AreRefusedWithAReasonWhileNothingStartsThem) {
  bench.published.clear();
  bench.step(WardenAway{"no warden"});
  ASSERT_FALSE(bench.published.empty()) << "told at once: others would send in vain";
  EXPECT_EQ(bench.published.back().no_commands_why, "no warden");
  EXPECT_TRUE(bench.published.back().healthy);
  bench.give(assign(1, {0, 1}));
  const auto refused = bench.take<protocol::AssignReply>();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->refused, protocol::RefusalReason::unhealthy);
  EXPECT_EQ(refused->books.no_commands_why, "no warden");
  bench.give(WorkerBench::assign(2, {0, 1}));
  EXPECT_EQ(bench.launches.size(), 1u) << "kernels are not concerned";
  bench.done();
  bench.step(WardenReady{});
  EXPECT_EQ(bench.published.back().no_commands_why, "");
  run(3, {0, 1});
  EXPECT_EQ(bench.commands.size(), 1u);
}

TEST_F(WorkerCommands, WaitForTheRestartOfWhatStartsThem) {
  bench.give(assign(1, {0, 1}));
  bench.step(WardenAway{"signal 9"});
  folders_ready();
  bench.pass(WorkerMachine::unhealthy_after / 2);
  EXPECT_TRUE(bench.commands.empty());
  bench.step(WardenReady{});
  EXPECT_EQ(bench.commands.size(), 1u);
}

TEST_F(WorkerCommands, AreHandedBackWhenNothingStartsThemForLong) {
  run(1, {0, 1});
  const LaunchToken running = bench.commands.at(0).token;
  bench.give(assign(2, {1, 1}));
  bench.step(WardenAway{"signal 9"});
  bench.sent.clear();
  bench.pass(WorkerMachine::unhealthy_after);
  EXPECT_FALSE(bench.machine.holds(WorkerBench::attempt(2)));
  EXPECT_TRUE(bench.machine.holds(WorkerBench::attempt(1))) << "its end is not proven";
  const auto renew = bench.take<protocol::Renew>();
  ASSERT_TRUE(renew.has_value()) << "the leader hears of it";
  EXPECT_EQ(renew->held.size(), 1u);
  EXPECT_EQ(bench.drops, (std::vector<std::string>{"13.1.4-1-1-2"}));
  end(running, FailureReason::node_lost, "gone");
  EXPECT_EQ(told().reason, FailureReason::node_lost);
  bench.give(WorkerBench::assign(3, {0, 1}));
  EXPECT_EQ(bench.launches.size(), 1u) << "a kernel needs no warden";
}

}  // namespace
}  // namespace fastgpu::worker
