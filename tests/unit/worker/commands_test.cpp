#include <gmock/gmock.h>

#include "tests/unit/worker/worker_bench.hpp"

namespace fastgpu::worker {
namespace {

using base::FailureReason;
using protocol::Finish;
using protocol::TaskState;
using ::testing::HasSubstr;

/// A worker with a warden, and a command job on it.
class CommandBench : public WorkerBench {
 public:
  CommandBench() {
    warm_up();
    step(CommandsReady{});
  }

  static protocol::JobSpec command_spec() {
    protocol::JobSpec spec;
    spec.tasks = 100;
    spec.command.argv = {"sh", "-c", "true"};
    spec.command.inputs = {{"in-{}", false, {base::Bytes::copy_of(std::string_view("abc"))}}};
    return spec;
  }
  void give_command(std::uint64_t sequence, base::TaskRange range,
                    protocol::JobSpec spec = command_spec()) {
    auto assign = WorkerBench::assign(sequence, range);
    assign.spec = spec_of(std::move(spec));
    give(assign);
  }
  /// Takes the first effect of this kind.
  template <class Wanted>
  std::optional<Wanted> take_effect() {
    for (auto it = commands.begin(); it != commands.end(); ++it) {
      if (auto* wanted = std::get_if<Wanted>(&*it)) {
        Wanted taken = std::move(*wanted);
        commands.erase(it);
        return taken;
      }
    }
    return std::nullopt;
  }
  /// The folder of the command that waits for one is filled.
  std::optional<RunCommand> filled() {
    const auto prepare = take_effect<protocol::PrepareFolder>();
    if (!prepare)
      return std::nullopt;
    step(protocol::FolderReady{device, prepare->token, true, "/jobs/" + prepare->folder, {}});
    return take_effect<RunCommand>();
  }
  void end(LaunchToken token, FailureReason reason = FailureReason::none, int exit_code = 0) {
    CommandEnded ended;
    ended.token = token;
    ended.reason = reason;
    ended.message = reason == FailureReason::none ? "" : "it failed";
    ended.end.exit_code = exit_code;
    step(ended);
  }
  /// The outcome of the only report.
  protocol::TaskOutcome outcome() {
    pass(finish_delay);
    const auto finish = take<Finish>();
    EXPECT_TRUE(finish && finish->reports.size() == 1);
    return finish ? finish->reports.at(0).outcome : protocol::TaskOutcome{};
  }
  static constexpr base::Duration finish_delay = WorkerMachine::finish_batch_delay;
};

TEST(WorkerCommands, RunInAFolderThatIsFilledFirst) {
  CommandBench bench;
  bench.give_command(1, {5, 1});
  const auto prepare = bench.take_effect<protocol::PrepareFolder>();
  ASSERT_TRUE(prepare);
  ASSERT_EQ(prepare->files.size(), 1u);
  EXPECT_EQ(prepare->files[0].path, "in-5");
  EXPECT_FALSE(bench.take_effect<RunCommand>()) << "not before it is filled";
  bench.step(protocol::FolderReady{WorkerBench::device, prepare->token, true, "/jobs/x", {}});
  const auto run = bench.take_effect<RunCommand>();
  ASSERT_TRUE(run);
  EXPECT_EQ(run->folder, "/jobs/x");
  EXPECT_EQ(run->task, 5u);
  bench.end(run->token);
  EXPECT_EQ(bench.outcome().state, TaskState::succeeded);
  EXPECT_TRUE(bench.take_effect<protocol::DropFolder>());
}

TEST(WorkerCommands, HaveOneFolderForEachAttempt) {
  CommandBench bench;
  bench.give_command(1, {5, 1});
  const auto first = bench.take_effect<protocol::PrepareFolder>();
  bench.stop(1, {5, 1});
  bench.step(protocol::FolderReady{WorkerBench::device, first->token, true, "/jobs/x", {}});
  bench.give_command(2, {5, 1});
  const auto second = bench.take_effect<protocol::PrepareFolder>();
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->folder, second->folder);
}

TEST(WorkerCommands, KeepWhatTheyLeftBeforeTheyAreReported) {
  CommandBench bench;
  auto spec = CommandBench::command_spec();
  spec.command.outputs = {"out-{}"};
  bench.give_command(1, {7, 1}, spec);
  const auto run = bench.filled();
  ASSERT_TRUE(run);
  bench.end(run->token);
  const auto collect = bench.take_effect<protocol::CollectFolder>();
  ASSERT_TRUE(collect);
  EXPECT_EQ(collect->outputs, (std::vector<std::string>{"out-7"}));
  bench.pass(100ms);
  EXPECT_EQ(bench.count<Finish>(), 0u);
  bench.step(
      protocol::FolderCollected{WorkerBench::device,
                                collect->token,
                                true,
                                {{"out-7", base::Bytes::copy_of(std::string_view("result"))}},
                                {}});
  const auto outcome = bench.outcome();
  EXPECT_EQ(outcome.state, TaskState::succeeded);
  EXPECT_EQ(outcome.outputs.size(), 1u);
  EXPECT_EQ(outcome.command.output_paths, (std::vector<std::string>{"out-7"}));
}

TEST(WorkerCommands, ThatLeaveNoResultHaveFailed) {
  CommandBench bench;
  auto spec = CommandBench::command_spec();
  spec.command.outputs = {"out"};
  bench.give_command(1, {0, 1}, spec);
  const auto run = bench.filled();
  ASSERT_TRUE(run);
  bench.end(run->token);
  const auto collect = bench.take_effect<protocol::CollectFolder>();
  ASSERT_TRUE(collect);
  bench.step(protocol::FolderCollected{
      WorkerBench::device,
      collect->token,
      false,
      {},
      {base::ErrorKind::rejected, base::ErrorCode::output_missing, "there is no file out", ""}});
  const auto outcome = bench.outcome();
  EXPECT_EQ(outcome.state, TaskState::failed);
  EXPECT_EQ(outcome.reason, FailureReason::output_missing);
  EXPECT_THAT(outcome.message, HasSubstr("no file out"));
}

TEST(WorkerCommands, FailWithTheWardensReasonAndExitCode) {
  CommandBench bench;
  bench.give_command(1, {0, 1});
  const auto run = bench.filled();
  ASSERT_TRUE(run);
  bench.step(CommandStarted{run->token, "bubblewrap", 1});
  bench.end(run->token, FailureReason::exit_code, 3);
  const auto outcome = bench.outcome();
  EXPECT_EQ(outcome.state, TaskState::failed);
  EXPECT_EQ(outcome.reason, FailureReason::exit_code);
  EXPECT_EQ(outcome.command.exit_code, 3);
  EXPECT_EQ(outcome.command.protection, "bubblewrap");
}

TEST(WorkerCommands, RunOneAtATimeAndNeverBesideAKernel) {
  CommandBench bench;
  bench.give_command(1, {0, 3});
  const auto first = bench.filled();
  ASSERT_TRUE(first);
  bench.give(WorkerBench::assign(2, {50, 1}));
  EXPECT_FALSE(bench.take_effect<protocol::PrepareFolder>());
  EXPECT_TRUE(bench.launches.empty());
  bench.end(first->token);
  EXPECT_TRUE(bench.take_effect<protocol::PrepareFolder>());
  EXPECT_TRUE(bench.launches.empty());
}

TEST(WorkerCommands, KnowTheEndOfTheirLeaseFromTheAskingOn) {
  CommandBench bench;
  bench.give_command(1, {0, 1});
  const auto run = bench.filled();
  ASSERT_TRUE(run);
  EXPECT_EQ(run->lease_until, bench.now + base::limits::lease_command);
  bench.pass(3s);
  const base::Time asked = bench.now;
  bench.renewed();
  const auto extended = bench.take_effect<ExtendLease>();
  ASSERT_TRUE(extended);
  EXPECT_EQ(extended->token, run->token);
  EXPECT_EQ(extended->until, asked + base::limits::lease_command);
}

TEST(WorkerCommands, AreNotExtendedByALeaderThatGrantsNothing) {
  CommandBench bench;
  bench.give_command(1, {0, 1});
  ASSERT_TRUE(bench.filled());
  bench.pass(3s);
  bench.renewed(base::Duration{0});
  EXPECT_FALSE(bench.take_effect<ExtendLease>());
}

TEST(WorkerCommands, AreStoppedAloneAndBilled) {
  CommandBench bench;
  bench.give_command(1, {0, 1});
  const auto run = bench.filled();
  ASSERT_TRUE(run);
  bench.pass(2s);
  bench.stop(1, {0, 1});
  const auto stop = bench.take_effect<StopCommand>();
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->token, run->token);
  bench.pass(1s);
  EXPECT_TRUE(bench.kills.empty()) << "the executor has nothing to do with it";
  bench.end(run->token, FailureReason::cancelled);
  bench.pass(CommandBench::finish_delay);
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish);
  EXPECT_EQ(finish->reports.at(0).outcome.state, TaskState::cancelled);
  EXPECT_EQ(finish->device_ns, base::Duration(3s).count());
}

TEST(WorkerCommands, MayRunAgainWhenTheirWardenDied) {
  CommandBench bench;
  bench.give_command(1, {0, 1});
  const auto run = bench.filled();
  ASSERT_TRUE(run);
  bench.step(CommandsDied{"signal 9", {run->token}});
  const auto outcome = bench.outcome();
  EXPECT_EQ(outcome.reason, FailureReason::node_lost);
  EXPECT_TRUE(base::is_infrastructure(outcome.reason));
  bench.give_command(2, {0, 1});
  EXPECT_FALSE(bench.take_effect<protocol::PrepareFolder>()) << "not before a warden is there";
  bench.step(CommandsReady{});
  EXPECT_TRUE(bench.take_effect<protocol::PrepareFolder>());
}

TEST(WorkerCommands, WaitForAnInputWhoseHolderIsAway) {
  CommandBench bench;
  bench.give_command(1, {0, 1});
  const auto prepare = bench.take_effect<protocol::PrepareFolder>();
  ASSERT_TRUE(prepare);
  bench.step(protocol::FolderReady{
      WorkerBench::device,
      prepare->token,
      false,
      "",
      {base::ErrorKind::unavailable, base::ErrorCode::object_missing, "n3 is away", ""}});
  EXPECT_EQ(bench.count<Finish>(), 0u);
  bench.pass(WorkerMachine::folder_retry_delay);
  EXPECT_TRUE(bench.take_effect<protocol::PrepareFolder>()) << "asked again";
}

TEST(WorkerCommands, EndWhenTheirFolderCannotBeFilled) {
  CommandBench bench;
  bench.give_command(1, {0, 1});
  const auto prepare = bench.take_effect<protocol::PrepareFolder>();
  ASSERT_TRUE(prepare);
  bench.step(protocol::FolderReady{
      WorkerBench::device,
      prepare->token,
      false,
      "",
      {base::ErrorKind::overloaded, base::ErrorCode::disk_full, "1 MiB is left", ""}});
  EXPECT_EQ(bench.outcome().reason, FailureReason::disk_full);
}

TEST(WorkerCommands, PrintIntoTheLogBetweenMarksOfTheirAttempt) {
  CommandBench bench;
  bench.give_command(1, {4, 1});
  const auto run = bench.filled();
  ASSERT_TRUE(run);
  bench.step(CommandStarted{run->token, "bubblewrap", 10});
  bench.step(CommandWrote{run->token, base::LogStream::error_output, 20,
                          base::Bytes::copy_of(std::string_view("oops\n"))});
  bench.end(run->token);
  std::vector<base::LogStream> streams;
  while (const auto append = bench.take_effect<protocol::LogAppend>()) {
    EXPECT_EQ(append->records.at(0).task, 4u);
    EXPECT_EQ(append->records.at(0).attempt, WorkerBench::attempt(1));
    streams.push_back(append->records[0].stream);
  }
  EXPECT_EQ(streams,
            (std::vector<base::LogStream>{base::LogStream::started, base::LogStream::error_output,
                                          base::LogStream::ended}));
}

TEST(WorkerCommands, AnswerThatComesTwiceOrLateChangesNothing) {
  CommandBench bench;
  bench.give_command(1, {0, 1});
  const auto run = bench.filled();
  ASSERT_TRUE(run);
  bench.step(protocol::FolderReady{WorkerBench::device, {run->token.value}, true, "/x", {}});
  EXPECT_FALSE(bench.take_effect<RunCommand>());
  bench.end(run->token);
  bench.end(run->token, FailureReason::signal);
  EXPECT_EQ(bench.outcome().state, TaskState::succeeded);
}

}  // namespace
}  // namespace fastgpu::worker
