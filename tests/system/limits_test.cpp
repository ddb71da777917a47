/// Commands that take all that they can get: each ends at its limit or well, says so, leaves no
/// process behind, and the command beside it on the same node has felt nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/system/command_cluster.hpp"
#include "tests/system/lives.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// One node with two devices; a good command has one of them.
class Limits : public CommandCluster {
 protected:
  Limits() : CommandCluster({.nodes = 1, .cpu_devices = 2}) {}

  void SetUp() override {
    good_ = submit({"--out", "result-{}"}, living_script);
    ASSERT_TRUE(await([&] { return !lives_of(cluster_, good_).empty(); }));
  }
  /// Runs beside the good one to its end; gives its task's record.
  json end_of(const std::vector<std::string>& flags, const std::string& script) {
    job_ = submit(flags, script);
    const Life before = lives_of(cluster_, good_).at(0);
    code_ = fastgpu({"wait", job_}).exit_code;
    EXPECT_TRUE(await([&] { return lives_of(cluster_, good_).at(0).last() > before.last(); }))
        << "the command beside it does not go on";
    const json tasks = show(job_).value("tasks", json::array());
    EXPECT_FALSE(tasks.empty()) << fastgpu({"why", job_}).out << fastgpu({"events", job_}).out
                                << fastgpu({"gpus"}).out;
    return tasks.empty() ? json::object() : tasks[0];
  }
  /// The good one has lived through all of it, and ends well; the node serves the next.
  void expect_nobody_felt_it(double pause_seconds_max = 5) {
    const Life life = lives_of(cluster_, good_).at(0);
    double longest = 0;
    for (std::size_t i = 1; i < life.stamps.size(); ++i) {
      longest = std::max(longest, life.stamps[i] - life.stamps[i - 1]);
    }
    EXPECT_LT(longest, pause_seconds_max) << "it stood still";
    life.let_go();
    EXPECT_EQ(fastgpu({"wait", good_}).exit_code, 0) << show(good_).dump();
    EXPECT_EQ(run({}, "true").exit_code, 0);
  }

  std::string good_;
  std::string job_;
  int code_{-1};
};

TEST_F(Limits, CutAGigabyteOfOutputVisibly) {
  const std::string word = unique_word("output");
  json task = end_of({}, "yes " + word + " | head -c 1000000000; echo end >&2");
  EXPECT_EQ(code_, 0) << task.dump();
  EXPECT_EQ(task["state"], "succeeded");
  EXPECT_GT(task["command"]["log_bytes_dropped"], 900'000'000) << task.dump();
  const Finished logs = fastgpu({"logs", job_});
  EXPECT_EQ(logs.exit_code, 0) << logs.err;
  EXPECT_LT(logs.out.size(), std::size_t{65} << 20);
  EXPECT_GT(logs.out.size(), std::size_t{60} << 20);
  EXPECT_THAT(logs.out.substr(logs.out.size() - 4096) + logs.err, HasSubstr("dropped"));
  EXPECT_TRUE(await_none_called(word));
  expect_nobody_felt_it();
}

TEST_F(Limits, EndWhoFillsTheDisk) {
  const std::string word = unique_word("disk");
  json task = end_of({"--disk", "64MiB"},
                     "trap '' TERM XFSZ; (cat /dev/zero > one; cat /dev/zero > two) & "
                     "cat /dev/zero > three; while :; do sleep 1; done # " +
                         word);
  EXPECT_EQ(code_, 10);
  EXPECT_EQ(task["reason"], "disk_full") << task.dump();
  EXPECT_EQ(task["code"], "FG6112");
  EXPECT_THAT(task["message"].get<std::string>(), HasSubstr("64 MiB"));
  EXPECT_TRUE(await_none_called(word));
  expect_nobody_felt_it();
}

TEST_F(Limits, EndWhoAllocatesWithoutEnd) {
  const std::string word = unique_word("memory");
  json task = end_of({"--mem", "128MiB"},
                     "trap '' TERM; python3 -c 'x = []\n"
                     "while True: x.append(bytearray(1 << 20))' " +
                         word + " & wait");
  EXPECT_EQ(code_, 10);
  EXPECT_EQ(task["reason"], "host_out_of_memory") << task.dump();
  EXPECT_EQ(task["code"], "FG6111");
  EXPECT_TRUE(await_none_called(word));
  expect_nobody_felt_it();
}

TEST_F(Limits, EndAForkStorm) {
  const std::string word = unique_word("storm");
  folder_.write("storm", "trap '' TERM\nwhile :; do sh ./storm " + word + " & sh ./storm " + word +
                             "; done\n");
  json task =
      end_of({"--in", "storm", "--time-limit", "3s"}, "trap '' TERM; sh ./storm " + word +
                                                          " 2>/dev/null & while :; do wait; "
                                                          "sleep 1; done");
  EXPECT_TRUE(await_none_called(word));
  EXPECT_EQ(code_, 12) << task.dump();
  EXPECT_EQ(task["reason"], "time_limit") << task.dump();
  // The good one needs a further process for each of its stamps, and would have ended with the
  // first that it was refused. Of the processor it gets little meanwhile, among so many.
  expect_nobody_felt_it(30);
}

TEST_F(Limits, EndWhoForksTwiceAndIgnoresTheRequest) {
  const std::string word = unique_word("daemon");
  json task =
      end_of({"--time-limit", "1s"},
             "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM HUP INT; (while :; do sleep 1; "
             "done) & while :; do sleep 1; done' " +
                 word + " &) & while :; do sleep 1; done # " + word);
  EXPECT_TRUE(await_none_called(word));
  EXPECT_EQ(code_, 12) << task.dump();
  EXPECT_EQ(task["code"], "FG6113");
  expect_nobody_felt_it();
}

}  // namespace
}  // namespace fastgpu::testing
