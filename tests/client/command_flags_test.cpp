#include "node/cli/flags/command_flags.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "client/spec_contents.hpp"
#include "node/cli/flags/job_flags.hpp"

namespace fastgpu::cli {
namespace {

using testing::HasSubstr;

/// Files that exist in the test only.
IsFile files(std::set<std::string> present) {
  return [present = std::move(present)](const std::string& path) { return present.contains(path); };
}

base::Result<std::vector<std::uint8_t>> nothing_to_read(const std::string& path) {
  return base::Error{base::ErrorKind::invalid, base::ErrorCode::file_not_found, path, ""};
}

JobFlags script() {
  JobFlags flags;
  flags.command.argv = {"python3", "./my_script.py", "--seed", "7"};
  return flags;
}

TEST(CommandFlags, MakeAJobOfThem) {
  JobFlags flags = script();
  flags.command.inputs = {"data.csv", "big.bin:in/a.bin"};
  flags.command.outputs = {"result.csv"};
  flags.command.environment = {"SEED=1", "EMPTY="};
  flags.command.memory = "8GiB";
  flags.command.gpu_memory = "20GiB";
  flags.command.lease = "10m";
  flags.command.no_network = true;
  flags.after = {"17", "18:any"};
  const auto job = job_from(flags, nothing_to_read, files({"my_script.py"}));
  ASSERT_TRUE(job.ok()) << job.error().message;
  const v1::JobSpec::Contents& contents = job.value().contents();
  EXPECT_EQ(contents.argv, flags.command.argv);
  ASSERT_EQ(contents.inputs.size(), 3u);
  EXPECT_EQ(contents.inputs[0].file, "data.csv");
  EXPECT_EQ(contents.inputs[1].path, "in/a.bin");
  EXPECT_EQ(contents.inputs[2].file, "my_script.py");
  EXPECT_EQ(contents.outputs, (std::vector<std::string>{"result.csv"}));
  EXPECT_EQ(contents.environment[1].second, "");
  EXPECT_EQ(contents.host_memory_bytes, 8ull << 30);
  EXPECT_EQ(contents.device_memory_bytes, 20ull << 30);
  EXPECT_EQ(contents.lease, std::chrono::minutes(10));
  EXPECT_FALSE(contents.network);
  ASSERT_EQ(contents.after.size(), 2u);
  EXPECT_EQ(contents.after[0].how, "ok");
  EXPECT_EQ(contents.after[1].job, 18u);
  EXPECT_FALSE(contents.time_limit.has_value());
}

TEST(CommandFlags, BringTheFilesThatTheCommandNames) {
  CommandFlags flags = script().command;
  const IsFile here = files({"my_script.py", "7", "../secret", "/etc/passwd"});
  EXPECT_EQ(files_among_words(flags, here), (std::vector<std::string>{"my_script.py", "7"}));
  flags.argv = {"cat", "../secret", "/etc/passwd", "my_script.py", "./my_script.py"};
  EXPECT_EQ(files_among_words(flags, here), (std::vector<std::string>{"my_script.py"}));
}

TEST(CommandFlags, BringNoFileTwice) {
  CommandFlags flags = script().command;
  const IsFile here = files({"my_script.py"});
  flags.inputs = {"./my_script.py"};
  EXPECT_TRUE(files_among_words(flags, here).empty());
  flags.inputs = {"other.py:my_script.py"};
  EXPECT_TRUE(files_among_words(flags, here).empty());
  flags.inputs.clear();
  flags.workdir = ".";
  EXPECT_TRUE(files_among_words(flags, here).empty());
}

TEST(CommandFlags, RefuseWhatIsWrongByName) {
  const auto message = [](auto spoil) {
    JobFlags flags = script();
    spoil(flags);
    const auto job = job_from(flags, nothing_to_read, files({}));
    EXPECT_FALSE(job.ok());
    return job.ok() ? std::string() : job.error().message + " / " + job.error().hint;
  };
  EXPECT_THAT(message([](JobFlags& f) { f.command.environment = {"=x"}; }), HasSubstr("--env =x"));
  EXPECT_THAT(message([](JobFlags& f) { f.command.inputs = {":x"}; }), HasSubstr("--in :x"));
  EXPECT_THAT(message([](JobFlags& f) { f.command.memory = "big"; }), HasSubstr("big"));
  EXPECT_THAT(message([](JobFlags& f) { f.after = {"last week"}; }), HasSubstr("--after last"));
  EXPECT_THAT(message([](JobFlags& f) {
                f.tasks = 2;
                f.command.outputs = {"r.csv"};
              }),
              HasSubstr("put {}"));
  EXPECT_THAT(message([](JobFlags& f) { f.kernel.kernel = "k"; }), HasSubstr("not both"));
  EXPECT_THAT(message([](JobFlags& f) { f.command.argv.clear(); }), HasSubstr("nothing to run"));
}

}  // namespace
}  // namespace fastgpu::cli
