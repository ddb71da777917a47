#include "client/retry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "node/cli/flags/retry_flags.hpp"

namespace fastgpu::client {
namespace {

using protocol::TaskState;
using testing::ElementsAre;
using testing::HasSubstr;
using Ranges = std::vector<base::TaskRange>;

/// Six tasks: 0 and 1 succeeded, 2 failed, 3 timed out, 4 was lost, 5 was cancelled.
protocol::JobDetail ended(protocol::JobSpec spec = {}) {
  protocol::JobDetail detail;
  detail.summary.job = {424};
  detail.summary.state = TaskState::failed;
  detail.summary.counts = {0, 0, 2, 1, 1, 1, 1};
  const std::vector<TaskState> states{TaskState::succeeded, TaskState::failed, TaskState::timed_out,
                                      TaskState::lost, TaskState::cancelled};
  std::uint32_t first = 0;
  for (const TaskState state : states) {
    protocol::TaskReport report;
    report.range = {first, first == 0 ? 2u : 1u};
    report.outcome.state = state;
    detail.reports.push_back(report);
    first += report.range.count;
  }
  spec.tasks = 6;
  detail.spec = {std::make_shared<const protocol::JobSpec>(std::move(spec))};
  detail.attempts.resize(1);
  return detail;
}

base::Bytes word(const char* text) {
  return base::Bytes::copy_of(std::string_view(text));
}

TEST(Retry, DoesAgainWhatDidNotSucceed) {
  EXPECT_EQ(tasks_again(ended(), {}), (Ranges{{2, 4}}));
  EXPECT_EQ(tasks_again(ended(), {.failed = true}), (Ranges{{2, 2}}));
  EXPECT_EQ(tasks_again(ended(), {.lost = true}), (Ranges{{4, 1}}));
  EXPECT_EQ(tasks_again(ended(), {.failed = true, .lost = true}), (Ranges{{2, 3}}));
  EXPECT_EQ(tasks_again(ended(), {.all = true}), (Ranges{{0, 6}}));
}

TEST(Retry, DoesAgainOnlyTheTasksThatAreNamed) {
  EXPECT_EQ(tasks_again(ended(), {.tasks = {5, 2, 2, 0}}), (Ranges{{2, 1}, {5, 1}}));
  EXPECT_EQ(tasks_again(ended(), {.all = true, .tasks = {0}}), (Ranges{{0, 1}}));
}

TEST(Retry, KeepsTheNumbersAndTheDataOfTheTasks) {
  protocol::JobSpec spec;
  spec.command.argv = {"./solve", "{}"};
  spec.command.inputs = {
      {"a-{}", false, {word("0"), word("1"), word("2"), word("3"), word("4"), word("5")}},
      {"same", false, {word("all")}}};
  const auto again = spec_again(ended(spec), {.tasks = {2, 5}});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again.value().tasks, 2u);
  EXPECT_EQ(again.value().items, (protocol::TaskItems{{424}, {{2, 1}, {5, 1}}, 6}));
  EXPECT_EQ(again.value().item_of(1), 5u);
  EXPECT_EQ(again.value().item_count(), 6u);
  EXPECT_EQ(again.value().command.inputs[0].data,
            (std::vector<protocol::Data>{word("2"), word("5")}));
  EXPECT_EQ(again.value().command.inputs[1].data.size(), 1u);
}

TEST(Retry, AsksForTheMemoryOfTheBuffersThatAreLeft) {
  protocol::JobSpec spec;
  protocol::BufferArgument buffer{protocol::BufferUse::in, "x", 4, {}};
  buffer.data = {word("long"), word("1"), word("2"), word("3"), word("4"), word("55")};
  spec.kernel.arguments = {buffer};
  spec.request.memory_bytes = 104;
  const auto again = spec_again(ended(spec), {});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(std::get<protocol::BufferArgument>(again.value().kernel.arguments[0]).size_bytes, 2u);
  EXPECT_EQ(again.value().request.memory_bytes, 102u);
}

TEST(Retry, OfARetryGoesByTheNumbersOfTheFirstJob) {
  protocol::JobSpec spec;
  spec.items = {{17}, {{10, 3}, {20, 3}}, 200};
  const auto again = spec_again(ended(spec), {});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again.value().items, (protocol::TaskItems{{424}, {{12, 1}, {20, 3}}, 200}));
}

TEST(Retry, IsAConflictWhereNothingIsToBeDoneAgain) {
  protocol::JobDetail detail = ended();
  detail.reports.resize(1);
  detail.summary.counts = {0, 0, 6, 0, 0, 0, 0};
  const auto again = spec_again(detail, {});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, base::ErrorCode::conflict);
  EXPECT_THAT(again.error().message, HasSubstr("6 succeeded"));
  EXPECT_THAT(again.error().hint, HasSubstr("--all"));
}

TEST(Retry, WaitsForOtherJobsOnlyWhereNothingRanYet) {
  protocol::JobSpec spec;
  spec.after = {{{3}, protocol::DependencyKind::ok}};
  protocol::JobDetail detail = ended(spec);
  EXPECT_TRUE(spec_again(detail, {}).value().after.empty());
  detail.attempts.clear();
  EXPECT_EQ(spec_again(detail, {}).value().after.size(), 1u);
}

TEST(RetryFlags, ChangeWhatTheyNameAndNothingElse) {
  protocol::JobSpec spec;
  spec.name = "train";
  spec.command.argv = {"python3"};
  spec.command.environment = {{"SEED", "1"}, {"MODE", "fast"}};
  spec.retries = 3;
  spec.crash_limit = 5;
  const protocol::JobSpec before = spec;
  ASSERT_TRUE(cli::change(spec, {}).ok());
  EXPECT_EQ(spec, before);
  cli::RetryFlags flags;
  flags.memory = "8GiB";
  flags.time_limit = "2h";
  flags.retries = 0;
  flags.crash_limit = 1;
  flags.device = "cpu";
  flags.environment = {"SEED=2", "NEW=x"};
  flags.labels = {"try=2"};
  ASSERT_TRUE(cli::change(spec, flags).ok());
  EXPECT_EQ(spec.command.host_memory_bytes, 8ull << 30);
  EXPECT_EQ(spec.time_limit_ns, 7'200'000'000'000);
  EXPECT_EQ(spec.retries, 0u);
  EXPECT_EQ(spec.crash_limit, 1u);
  EXPECT_EQ(spec.request.kind, protocol::DeviceKind::cpu);
  EXPECT_EQ(spec.labels, (protocol::Labels{{"try", "2"}}));
  EXPECT_THAT(spec.command.environment,
              ElementsAre(std::pair<std::string, std::string>{"SEED", "2"},
                          std::pair<std::string, std::string>{"MODE", "fast"},
                          std::pair<std::string, std::string>{"NEW", "x"}));
  EXPECT_EQ(spec.name, "train");
}

TEST(RetryFlags, RefuseWhatOnlyACommandHas) {
  protocol::JobSpec kernel;
  cli::RetryFlags flags;
  flags.memory = "8GiB";
  EXPECT_FALSE(cli::change(kernel, flags).ok());
}

}  // namespace
}  // namespace fastgpu::client
