// The parts below: messages, marks, words, the environment, the folder.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "runtime/exec/warden/child/folder.hpp"
#include "runtime/exec/warden/child/launch.hpp"
#include "runtime/exec/warden/command_environment.hpp"
#include "runtime/exec/warden/process_table.hpp"
#include "runtime/exec/warden/text.hpp"
#include "runtime/exec/warden/wire.hpp"
#include "tests/unit/warden/warden_support.hpp"

namespace fastgpu::exec::test {
namespace {

RunMessage some_run() {
  return {{7}, 1, 2, 3, -4, true, "/job", "cwd", {"a", ""}, {"B=c"}, {"/hidden"}, {"/dev/null"}, 5};
}

TEST(WardenWire, EveryMessageComesBackAsItWas) {
  for (const NodeMessage& message : std::initializer_list<NodeMessage>{
           some_run(), StopMessage{{7}, "why"}, LeaseMessage{{7}, 123}, GpuUseMessage{},
           GpuUseMessage{{{17, 1u << 30}, {18, 0}}}})
    EXPECT_EQ(decode_node_message(encode(message)), message);
  CommandEnded ended{{7}, base::FailureReason::signal, -1, 9, "m", "e", 1, 2, 3, 0, "p"};
  for (const WardenMessage& message : std::initializer_list<WardenMessage>{
           HelloMessage{"p", "e"}, StartedMessage{{7}, "p"}, EndedMessage{ended}})
    EXPECT_EQ(decode_warden_message(encode(message)), message);
}

TEST(WardenWire, NothingElseIsUnderstood) {
  const auto good = encode(NodeMessage(some_run()));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decode_node_message({good.data(), size})) << size;
  auto longer = good;
  longer.push_back(0);
  EXPECT_FALSE(decode_node_message(longer));
  EXPECT_FALSE(decode_warden_message(good));
  for (std::size_t i = 0; i < good.size(); ++i) {  // must only not crash
    auto bent = good;
    bent[i] ^= 0xff;
    decode_node_message(bent);
  }
}

TEST(ProcessMark, FitsALimitAndNothingElseDoes) {
  const ProcessMark mark{0xdeadbeef, 12345};
  EXPECT_EQ(to_mark(to_limit(mark)), mark);
  EXPECT_FALSE(to_mark(~0ull)) << "no limit at all";
  EXPECT_FALSE(to_mark(200'000)) << "a real limit";
  EXPECT_FALSE(mark_of(getpid()));
}

TEST(WardenText, IsForPeople) {
  EXPECT_EQ(size_text(512), "512 bytes");
  EXPECT_EQ(size_text(256u << 20), "256 MiB");
  EXPECT_EQ(size_text(3u << 29), "1.5 GiB");
  EXPECT_EQ(seconds_text(250'000'000), "0.25 s");
  EXPECT_EQ(first_line("one\ttwo \nthree", 100), "one two");
  EXPECT_EQ(first_line("abcdef", 3), "abc");
}

TEST(CommandEnvironment, OursWinOverTheUsers) {
  CommandFacts facts;
  facts.job = {17};
  facts.task = 3;
  facts.task_count = 10;
  facts.attempt = {{1}, {1}, {3}, 42};
  facts.node = "n1";
  facts.device_uuids = {"GPU-a", "GPU-b"};
  facts.gpu_uuids = facts.device_uuids;
  facts.folder = "/jobs/17";
  const Environment env = command_environment(
      facts, {{"X", "1"}, {"FASTGPU_JOB_ID", "18"}, {"CUDA_VISIBLE_DEVICES", "all"}});
  EXPECT_EQ(env, (Environment{{"X", "1"},
                              {"CUDA_CACHE_PATH", "/jobs/17/.cuda-cache"},
                              {"FASTGPU_JOB_ID", "17"},
                              {"FASTGPU_TASK_ID", "3"},
                              {"FASTGPU_TASK_COUNT", "10"},
                              {"FASTGPU_ATTEMPT", base::to_string(facts.attempt)},
                              {"FASTGPU_NODE", "n1"},
                              {"FASTGPU_DEVICES", "GPU-a,GPU-b"},
                              {"FASTGPU_ERROR_FILE", "/jobs/17/.fastgpu-error"},
                              {"CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b"},
                              {"CUDA_DEVICE_ORDER", "PCI_BUS_ID"}}));
}

TEST(CommandEnvironment, AGangAndAJobWithoutGpus) {
  CommandFacts facts;
  facts.gang = GangPlace{2, 8, 1, "10.0.0.1", 29500};
  const Environment env = command_environment(facts, {{"RANK", "0"}});
  const std::map<std::string, std::string> by_name(env.begin(), env.end());
  EXPECT_EQ(by_name.at("RANK"), "2");
  EXPECT_EQ(by_name.at("WORLD_SIZE"), "8");
  EXPECT_EQ(by_name.at("LOCAL_RANK"), "1");
  EXPECT_EQ(by_name.at("MASTER_ADDR"), "10.0.0.1");
  EXPECT_EQ(by_name.at("MASTER_PORT"), "29500");
  EXPECT_EQ(by_name.at("CUDA_VISIBLE_DEVICES"), "") << "no GPU is seen";
}

TEST(JobFolderMeter, CountsInStepsWhatLiesBelow) {
  const JobFolder folder;
  std::filesystem::create_directories(folder.file("a/b"));
  std::ofstream(folder.file("a/b/file")) << std::string(100'000, 'x');
  std::filesystem::create_symlink("/usr", folder.file("a/link"));
  FolderMeter meter(folder.path());
  int steps = 1;
  while (!meter.step(1))
    ++steps;
  EXPECT_GT(steps, 1);
  EXPECT_GE(meter.bytes(), 100'000u);
  EXPECT_LT(meter.bytes(), 300'000u) << "a link was followed";
}

TEST(JobFolderMeter, LooksAtOneLargeFolderInStepsToo) {
  const JobFolder folder;
  for (int i = 0; i < 300; ++i)
    std::ofstream(folder.file(std::to_string(i)));
  FolderMeter meter(folder.path());
  int steps = 1;
  while (!meter.step(100))
    ++steps;
  EXPECT_GE(steps, 3);
  EXPECT_EQ(meter.entries(), 300u);
  meter.step(100);
  meter.restart();
  while (!meter.step(1000)) {
  }
  EXPECT_EQ(meter.entries(), 300u) << "a walk that was given up left something";
}

TEST(GiveFolder, LeavesFilesThatOthersAlsoHave) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only root gives folders away";
  const JobFolder folder, others;
  std::ofstream(others.file("shared")) << "x";
  std::filesystem::create_hard_link(others.file("shared"), folder.file("shared"));
  std::filesystem::create_symlink(others.file("shared"), folder.file("link"));
  std::filesystem::create_directories(folder.file("a"));
  std::ofstream(folder.file("a/own")) << "x";
  ASSERT_TRUE(give_folder(folder.path(), {1234, 1235}).ok());
  const auto owner = [](const std::string& path) {
    struct stat facts {};
    lstat(path.c_str(), &facts);
    return facts.st_uid;
  };
  EXPECT_EQ(owner(folder.path()), 1234u);
  EXPECT_EQ(owner(folder.file("a/own")), 1234u);
  EXPECT_EQ(owner(folder.file("link")), 1234u);
  EXPECT_EQ(owner(others.file("shared")), 0u);
}

TEST(FindProgram, LooksInThePathOfTheCommand) {
  const JobFolder folder;
  std::ofstream(folder.file("tool")) << "";
  EXPECT_EQ(find_program("tool", {"PATH=" + folder.path()}, "/").error, EACCES);
  chmod(folder.file("tool").c_str(), 0755);
  EXPECT_EQ(find_program("tool", {"PATH=/usr/bin:" + folder.path()}, "/").path,
            folder.file("tool"));
  EXPECT_EQ(find_program("tool", {"PATH=/usr/bin"}, folder.path()).error, ENOENT);
  EXPECT_EQ(find_program("./tool", {}, folder.path()).path, folder.path() + "/./tool");
  EXPECT_EQ(find_program("", {"PATH=/usr/bin"}, "/").error, ENOENT);
}

}  // namespace
}  // namespace fastgpu::exec::test
