/// Commands as users run them, on real nodes: files in and out, output, exit codes, limits, and
/// what is left when they misbehave or their node dies.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "tests/system/command_cluster.hpp"
#include "tests/system/lives.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class Commands : public CommandCluster {};

TEST_F(Commands, BringTheirResultTheirOutputAndTheirExitCode) {
  folder_.write("data.csv", "a,1\nb,2\nc,3\n");
  folder_.write("my_script.py",
                "import sys\n"
                "rows = [line.split(',') for line in open('data.csv')]\n"
                "open('result.csv', 'w').write(str(sum(int(row[1]) for row in rows)))\n"
                "print('read', len(rows), 'rows')\n"
                "print('a warning', file=sys.stderr)\n"
                "sys.exit(3 if len(sys.argv) > 1 else 0)\n");
  const Finished good =
      fastgpu({"run", "--in", "data.csv", "--out", "result.csv", "--", "python3", "my_script.py"});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("read 3 rows\n"));
  EXPECT_THAT(good.err, HasSubstr("a warning\n"));
  EXPECT_EQ(read_file(folder_.file("result.csv")), "6");
  std::filesystem::remove(folder_.file("result.csv"));
  const Finished bad = fastgpu({"run", "--in", "data.csv", "--out", "result.csv", "--out", "never",
                                "--", "python3", "my_script.py", "fail"});
  EXPECT_EQ(bad.exit_code, 3) << bad.err;
  EXPECT_THAT(bad.err, HasSubstr("exit_code"));
  EXPECT_EQ(read_file(folder_.file("result.csv")), "6") << "what a failed command left";
}

TEST_F(Commands, OfAnArrayHaveFilesAndLogsOfTheirOwn) {
  for (int task = 0; task < 300; ++task) {
    folder_.write("in-" + std::to_string(task), std::to_string(task * 3));
  }
  const Finished run =
      fastgpu({"run", "--tasks", "300", "--in", "in-{}:in", "--out", "out-{}", "--", "sh", "-c",
               "echo task $FASTGPU_TASK_ID of $FASTGPU_TASK_COUNT; "
               "expr $(cat in) + 1 > out-{}"},
              Seconds{300});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  for (int task = 0; task < 300; ++task) {
    EXPECT_EQ(read_file(folder_.file("out-" + std::to_string(task))),
              std::to_string(task * 3 + 1) + "\n");
  }
  const std::string job = fastgpu({"ps", "-a", "-q"}).out;
  const std::string id = job.substr(0, job.find('\n'));
  EXPECT_EQ(fastgpu({"logs", id + ".17"}).out, "task 17 of 300\n");
}

TEST_F(Commands, EndAsTheirProgramEnded) {
  EXPECT_EQ(run({}, "exit 77").exit_code, 77);
  EXPECT_EQ(run({}, "kill -9 $$").exit_code, 128 + 9);
  const Finished missing = fastgpu({"run", "--", "no-such-program"});
  EXPECT_NE(missing.exit_code, 0);
  EXPECT_THAT(missing.err, HasSubstr("no-such-program"));
}

TEST_F(Commands, LeaveStdoutToTheOneDocumentThatWasAskedFor) {
  const Finished done = fastgpu({"run", "--json", "--", "sh", "-c", "echo out; echo err >&2"});
  EXPECT_EQ(done.exit_code, 0);
  const json document = json::parse(done.out, nullptr, false);
  ASSERT_TRUE(document.is_object()) << done.out;
  EXPECT_EQ(document["state"], "succeeded");
  EXPECT_THAT(done.err, HasSubstr("out\n"));
  EXPECT_THAT(done.err, HasSubstr("err\n"));
}

TEST_F(Commands, SeeTheEnvironmentOfTheContractAndNothingOfTheNodes) {
  const Finished run_env = run({"--env", "MINE={}"}, "env");
  EXPECT_EQ(run_env.exit_code, 0);
  for (const char* line : {"FASTGPU_JOB_ID=", "FASTGPU_TASK_ID=0", "FASTGPU_TASK_COUNT=1",
                           "FASTGPU_ATTEMPT=", "FASTGPU_NODE=n",
                           "FASTGPU_ERROR_FILE=", "CUDA_DEVICE_ORDER=PCI_BUS_ID", "MINE=0"}) {
    EXPECT_THAT(run_env.out, HasSubstr(line));
  }
  EXPECT_EQ(run_env.out.find("FASTGPU_EXECUTOR="), std::string::npos);
}

// --- failures ------------------------------------------------------------------------------------

struct Failure {
  std::string reason;
  std::string code;
  std::vector<std::string> flags;
  std::string script;
};

TEST_F(Commands, ThatFailSayWhyAndWhatToDoAndHarmNobody) {
  const std::vector<Failure> failures{
      {"exit_code", "FG6101", {}, "echo sorry >&2; exit 4"},
      {"signal", "FG6102", {}, "kill -SEGV $$"},
      {"host_out_of_memory",
       "FG6111",
       {"--mem", "64MiB"},
       "python3 -c 'x = [bytearray(1 << 20) for i in range(4096)]'"},
      {"disk_full", "FG6112", {"--disk", "8MiB"}, "cat /dev/zero > big"},
      {"time_limit", "FG6113", {"--time-limit", "500ms"}, "sleep 100"},
      {"output_missing", "FG6115", {"--out", "never.txt"}, "true"},
  };
  for (const Failure& failure : failures) {
    const std::string job = submit(failure.flags, failure.script);
    const Finished waited = fastgpu({"wait", job});
    EXPECT_EQ(waited.exit_code, failure.reason == "time_limit" ? 12 : 10) << failure.reason;
    const json shown = show(job);
    ASSERT_TRUE(shown.contains("tasks")) << shown.dump();
    EXPECT_EQ(shown["tasks"][0]["reason"], failure.reason) << shown.dump();
    EXPECT_EQ(shown["tasks"][0]["code"], failure.code);
    EXPECT_NE(shown["tasks"][0]["message"], "");
    const Finished why = fastgpu({"why", job});
    EXPECT_THAT(why.out, HasSubstr(failure.code));
    EXPECT_THAT(why.out, HasSubstr("You could: "));
    EXPECT_EQ(run({}, "true").exit_code, 0) << "after " << failure.reason;
  }
}

TEST_F(Commands, MaySayThemselvesWhyTheyFailed) {
  const std::string job = submit({}, "echo 'no such patient' > $FASTGPU_ERROR_FILE; exit 1");
  fastgpu({"wait", job});
  EXPECT_THAT(fastgpu({"why", job}).out, HasSubstr("no such patient"));
}

// --- what is left of them ------------------------------------------------------------------------

TEST_F(Commands, LeaveNoProcessBehindHoweverTheyTry) {
  const std::string word = unique_word("daemon");
  const Finished done =
      run({}, "trap '' TERM HUP; (setsid sh -c 'trap \"\" TERM HUP; sleep 1000' " + word +
                  " &) ; (sleep 1000; echo " + word + ") & echo started");
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(await_none_called(word));
}

TEST_F(Commands, AreEndedByACancelThoughTheyIgnoreIt) {
  const std::string word = unique_word("cancel");
  const std::string job = submit({}, "trap '' TERM; echo up; while :; do sleep 1; done # " + word);
  Process logs({program("fastgpu"), "--server", cluster_.servers(), "logs", "-f", job});
  ASSERT_TRUE(logs.await_line("up"));
  EXPECT_EQ(fastgpu({"cancel", job}).exit_code, 0);
  EXPECT_EQ(fastgpu({"wait", job}).exit_code, 11);
  EXPECT_TRUE(await_none_called(word));
  EXPECT_EQ(run({}, "true").exit_code, 0);
}

TEST_F(Commands, DieWithTheirNodeAndRunAgainOnceThatIsProven) {
  const std::string word = unique_word("killed");
  const std::string job = submit({}, "echo on $FASTGPU_NODE; sleep 1000 # " + word);
  Process logs({program("fastgpu"), "--server", cluster_.servers(), "logs", "-f", job});
  ASSERT_TRUE(logs.await_line("on n"));
  int holder = -1;
  for (const json& attempt : show(job).value("attempts", json::array())) {
    holder = attempt.value("node", "n1").back() - '1';
  }
  ASSERT_GE(holder, 0);
  cluster_.kill(holder);
  EXPECT_TRUE(await_none_called(word)) << "the command outlives its node";
  cluster_.start(holder);
  ASSERT_TRUE(logs.await_line("on n", Seconds{60})) << "the successor's word is proof enough";
  EXPECT_EQ(fastgpu({"cancel", job}).exit_code, 0);
}

TEST_F(Commands, ReadNeitherOtherJobsNorTheNodesKeysNorTheLedger) {
  const std::string secret = unique_word("secret");
  const std::string other = submit({}, "echo " + secret + " > mine; sleep 60");
  std::string folders;
  for (int node = 0; node < 3; ++node) {
    folders += " " + cluster_.folder(node);
  }
  const Finished looked =
      run({}, "id -u; grep -rs " + secret + folders + "; cat" + folders.substr(0) +
                  "/identity.toml; ls" + folders + "; kill -0 " + std::to_string(cluster_.pid(0)) +
                  " && echo reached; true");
  EXPECT_EQ(looked.out.find(secret), std::string::npos) << looked.out;
  EXPECT_EQ(looked.out.find("reached"), std::string::npos) << looked.out;
  EXPECT_EQ(looked.out.find("join_token"), std::string::npos) << looked.out;
  EXPECT_NE(looked.out.substr(0, 2), "0\n") << "a command never runs as root";
  fastgpu({"cancel", other});
}

TEST_F(Commands, OfTwoNodesOfAHostAreTwoUsersAndReadNothingOfEachOther) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only nodes that are root give commands users of their own";
  }
  const std::string living = submit({"--tasks", "2", "--out", "result-{}"}, living_script);
  ASSERT_TRUE(await([&] { return lives_of(cluster_, living).size() == 2; }));
  std::set<uid_t> users;
  std::string folders;
  for (const Life& life : lives_of(cluster_, living)) {
    struct stat facts {};
    EXPECT_EQ(::stat(life.folder.c_str(), &facts), 0) << life.folder;
    users.insert(facts.st_uid);
    folders += " " + life.folder;
  }
  EXPECT_EQ(users.size(), 2u);
  EXPECT_FALSE(users.contains(0));
  const Finished looked = run({}, "for folder in" + folders +
                                      "; do cat $folder/life && echo read; ls $folder && echo "
                                      "listed; done; true");
  EXPECT_EQ(looked.exit_code, 0) << looked.err;
  EXPECT_EQ(looked.out.find("read"), std::string::npos) << looked.out;
  EXPECT_EQ(looked.out.find("listed"), std::string::npos) << looked.out;
  for (const Life& life : lives_of(cluster_, living)) {
    life.let_go();
  }
  EXPECT_EQ(fastgpu({"wait", living}).exit_code, 0);
}

}  // namespace
}  // namespace fastgpu::testing
