#include "node/cli/flags/job_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/cli/command_table.hpp"
#include "node/cli/flags/preset.hpp"

namespace fastgpu::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(JobFile, BecomesTheWordsThatAUserWouldType) {
  const auto words = words_of_toml("job.toml", R"(
name = "train"
command = ["python", "train.py", "--lr", 0.5]
in = ["data.csv", "b:c"]
out = "result.csv"
time_limit = "2h"
tasks = 3
no_network = true
env = { SEED = 1 }
)");
  ASSERT_TRUE(words.ok()) << words.error().message;
  EXPECT_THAT(words.value().command, ElementsAre("python", "train.py", "--lr", "0.5"));
  EXPECT_THAT(words.value().flags, ElementsAre("--env", "SEED=1", "--in", "data.csv", "--in", "b:c",
                                               "--name", "train", "--no-network", "--out",
                                               "result.csv", "--tasks", "3", "--time-limit", "2h"));
}

TEST(JobFile, DescribesAKernelInItsOwnTable) {
  const auto words = words_of_toml("job.toml", R"(
[kernel]
kernel = "saxpy<float>"
source = "saxpy.cu"
grid = [4096]
block = [16, 16]
args = [{ i32 = 1048576 }, { f32 = 2.5 }, { inout = "x.f32", to = "y.f32" }, { out = "z", size = "4KiB" }]
)");
  ASSERT_TRUE(words.ok()) << words.error().message;
  EXPECT_THAT(words.value().command, IsEmpty());
  EXPECT_THAT(words.value().flags,
              ElementsAre("--arg", "i32:1048576", "--arg", "f32:2.5", "--arg", "inout:x.f32=y.f32",
                          "--arg", "out:z=4KiB", "--block", "16,16", "--grid", "4096", "--kernel",
                          "saxpy<float>", "--source", "saxpy.cu"));
}

TEST(JobFile, NamesTheLineAndTheNearestKeyOfAnUnknownOne) {
  const auto words = words_of_toml("job.toml", "name = \"a\"\ntime_limt = \"2h\"\n");
  ASSERT_FALSE(words.ok());
  EXPECT_THAT(words.error().message, HasSubstr("job.toml:2"));
  EXPECT_THAT(words.error().message, HasSubstr("time_limt"));
  EXPECT_THAT(words.error().hint, HasSubstr("'time_limit'"));
}

TEST(JobFile, SaysWhereItIsNoToml) {
  const auto words = words_of_toml("job.toml", "name = \n");
  ASSERT_FALSE(words.ok());
  EXPECT_THAT(words.error().message, HasSubstr("job.toml:1"));
}

TEST(JobFile, SaysWhatAKeyMustHold) {
  for (const char* text : {"command = \"ls\"", "env = 7", "kernel = 7", "no_network = \"yes\"",
                           "name = { a = 1 }", "[kernel]\nargs = [7]"}) {
    const auto words = words_of_toml("job.toml", text);
    ASSERT_FALSE(words.ok()) << text;
    EXPECT_FALSE(words.error().hint.empty());
  }
}

TEST(ScriptLines, AreReadFromTheCommentsAtTheTop) {
  const auto words = words_of_script("job.sh",
                                     "#!/bin/bash\n"
                                     "# what it does\n"
                                     "#FASTGPU --in data.csv --name 'two words'\n"
                                     "\n"
                                     "#FASTGPU\t--time-limit \"2h\"\n"
                                     "#FASTGPUX --no\n"
                                     "echo hello\n"
                                     "#FASTGPU --too-late\n");
  ASSERT_TRUE(words.ok());
  EXPECT_THAT(words.value(),
              ElementsAre("--in", "data.csv", "--name", "two words", "--time-limit", "2h"));
}

TEST(ScriptLines, SayWhichLineIsBroken) {
  const auto words = words_of_script("job.sh", "#!/bin/sh\n#FASTGPU --name 'open\n");
  ASSERT_FALSE(words.ok());
  EXPECT_THAT(words.error().message, HasSubstr("job.sh:2"));
}

/// Two files of the test's own.
base::Result<std::vector<std::uint8_t>> read_sample(const std::string& path) {
  const std::string text = path == "job.toml" ? "tasks = 4\ncommand = ['sh', 'job.sh']\n"
                                              : "#!/bin/sh\n#FASTGPU --tasks 5 --name s\n";
  return std::vector<std::uint8_t>(text.begin(), text.end());
}
bool is_sample(const std::string& path) {
  return path == "job.sh";
}

TEST(Preset, PutsTheFileBeforeTheScriptBeforeWhatWasTyped) {
  const Parsed typed = parse({"--json", "run", "--file", "job.toml", "--retries", "1"});
  ASSERT_NE(typed.command, nullptr) << typed.text;
  const auto preset = preset_words(typed.invocation.job, read_sample, is_sample);
  ASSERT_TRUE(preset.ok());
  const auto words = with_preset({"--json", "run", "--retries", "1"}, "run", preset.value());
  EXPECT_THAT(words, ElementsAre("--json", "run", "--tasks", "4", "--tasks", "5", "--name", "s",
                                 "--retries", "1", "--", "sh", "job.sh"));
  const Parsed parsed = parse(words);
  ASSERT_NE(parsed.command, nullptr) << parsed.text;
  EXPECT_EQ(parsed.invocation.job.tasks, 5u);
  EXPECT_EQ(parsed.invocation.job.retries, 1u);
}

TEST(Preset, LeavesTheCommandThatWasTyped) {
  const Parsed typed = parse({"submit", "--file", "job.toml", "--", "true"});
  const auto preset = preset_words(typed.invocation.job, read_sample, is_sample);
  ASSERT_TRUE(preset.ok());
  EXPECT_THAT(preset.value().command, ElementsAre("true"));
}

}  // namespace
}  // namespace fastgpu::cli
