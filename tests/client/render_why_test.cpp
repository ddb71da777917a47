#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/cli/text/render.hpp"
#include "tests/client/render_samples.hpp"

namespace fastgpu::cli::test {
namespace {

using testing::HasSubstr;

TEST(RenderWhy, TellsReasonNumbersAndRemedyOfAFailedTask) {
  EXPECT_EQ(text_why(finished(), cluster(), Names(cluster()), noon),
            "Task 1 of job 17 failed on n2 cpu:0.   reason: out_of_bounds (FG6106)\n"
            "  read at 4096 of 4096 bytes\n  more\n"
            "You could: run it again with `--device cpu --precise`, which names the exact "
            "thread\n");
}

TEST(RenderWhy, CountsTasksThatFailedAlike) {
  protocol::JobDetail detail = finished();
  detail.reports[1].range = {1, 40};
  EXPECT_THAT(text_why(detail, cluster(), Names(cluster()), noon),
              HasSubstr("and 39 more tasks for the same reason\n"));
}

TEST(RenderWhy, ListsTheAttemptsWhenThereWereSeveral) {
  protocol::JobDetail detail = finished();
  detail.attempts.push_back({{{0}, {1}, {3}, 44}, {{1, 1}}, {{1}, 0}});
  EXPECT_THAT(text_why(detail, cluster(), Names(cluster()), noon),
              HasSubstr("  attempt 1  n2 cpu:0\n  attempt 2  n1 cpu:0\n"));
}

TEST(RenderWhy, ShowsWhatEachDeviceHasWhileAJobWaits) {
  protocol::JobDetail detail;
  detail.summary = running();
  detail.source = {1};
  EXPECT_EQ(text_why(detail, cluster(), Names(cluster()), noon),
            "Job 424 (sweep): 60 tasks wait, the job is 4m0s old.   reason: capacity\n"
            "  2 devices, all busy\n"
            "As n1 sees the devices:\n"
            "  n1 cpu:0  up, 0 of 1 slots free, 3 tasks queued, 6.0 GiB free\n"
            "  n2 cpu:0  down, 0 of 1 slots free, 3 tasks queued, 6.0 GiB free\n");
}

TEST(RenderWhy, ShowsNoDevicesToAJobThatWaitsForAnother) {
  protocol::JobDetail detail;
  detail.summary = running();
  detail.summary.waiting = {protocol::WaitingCode::dependency,
                            "waits for job 17 to end well (running)"};
  EXPECT_EQ(text_why(detail, cluster(), Names(cluster()), noon),
            "Job 424 (sweep): 60 tasks wait, the job is 4m0s old.   reason: dependency\n"
            "  waits for job 17 to end well (running)\n");
}

TEST(RenderWhy, SaysSoWhenNothingIsWrong) {
  protocol::JobDetail detail = finished();
  detail.reports.pop_back();
  EXPECT_THAT(text_why(detail, cluster(), Names(cluster()), noon), HasSubstr("nothing failed"));
}

TEST(RenderWhy, GivesTheSameAsADocument) {
  const Json why = json_why(finished(), Names(cluster()), noon);
  EXPECT_EQ(why["schema"], "fastgpu.why/1");
  EXPECT_EQ(why["waiting"], nullptr);
  ASSERT_EQ(why["failures"].size(), 1u);
  EXPECT_EQ(why["failures"][0]["code"], "FG6106");
  EXPECT_EQ(why["failures"][0]["task"], 1);
  EXPECT_FALSE(why["failures"][0]["hint"].get<std::string>().empty());
}

TEST(CommandLine, IsWhatAShellWouldTake) {
  EXPECT_EQ(command_line({"python3", "x.py", "--seed={}"}), "python3 x.py --seed={}");
  EXPECT_EQ(command_line({"sh", "-c", "echo 'a b'", ""}), "sh -c 'echo '\\''a b'\\''' ''");
}

}  // namespace
}  // namespace fastgpu::cli::test
