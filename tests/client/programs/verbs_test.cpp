// retry, events, labels, cp and doctor, as the programs do them on a cluster.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/client/programs/kernels.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/process/credentials.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;

class Verbs : public ::testing::Test {
 protected:
  std::string submit(const Words& words) const {
    const Finished done = cluster_.fastgpu(Words{"submit", "-q"} + words);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return id_in(done);
  }
  int wait(const std::string& job) const { return cluster_.fastgpu({"wait", job}).exit_code; }
  /// The document of a command that succeeds, as its schema describes it.
  json document(const char* schema, const Words& words) const {
    const Finished done = cluster_.fastgpu(words + Words{"--json"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(schemas_.check(schema, done.out), "");
    return json::parse(done.out, nullptr, false);
  }
  void expect_refused(const Words& words, int code, const std::string& says) const {
    const Finished done = cluster_.fastgpu(words);
    EXPECT_EQ(done.exit_code, code) << done.err;
    EXPECT_NE(done.err.find(says), std::string::npos) << done.err;
    EXPECT_NE(done.err.find("hint: "), std::string::npos) << done.err;
  }
  /// Four tasks; the last two fail unless PASS is "yes". Each says which one of how many it is.
  std::string half_failed() const {
    const std::string job =
        submit({"--tasks", "4", "--env", "PASS=no", "--label", "stage=train", "--out", "r-{}", "--",
                "sh", "-c",
                "echo $FASTGPU_TASK_ID of $FASTGPU_TASK_COUNT, {} of {n} > r-{}; "
                "test {} -lt 2 || test $PASS = yes"});
    EXPECT_EQ(wait(job), 10);
    return job;
  }

  const ProcessCluster cluster_{{.nodes = 1, .cpu_devices = 2}};
  const Kernels kernels_;
  const JsonSchemas schemas_{FASTGPU_SOURCE_DIR "/docs/schema"};
};

TEST_F(Verbs, RetryDoesAgainWhatFailedByTheNumbersItHad) {
  const std::string job = half_failed();
  const json retried = document("retry", {"retry", job, "--env", "PASS=yes"});
  ASSERT_EQ(retried["items"].size(), 1u);
  EXPECT_EQ(retried["items"][0]["of"], job);
  EXPECT_EQ(retried["items"][0]["tasks"], 2);
  const std::string again = retried["items"][0]["id"];
  EXPECT_EQ(wait(again), 0);
  const std::string copy = kernels_.folder().file("copy");
  EXPECT_EQ(cluster_.fastgpu({"cp", again + ":r-3", copy}).exit_code, 0);
  EXPECT_EQ(read_file(copy), "3 of 4, 3 of 4\n");
  EXPECT_EQ(document("show", {"show", again})["again"]["id"], job);
  expect_refused({"retry", again}, 4, "2 succeeded");
  expect_refused({"retry", job, "--lost"}, 4, "2 failed");
  expect_refused({"retry", "999999"}, 3, "999999");
  EXPECT_EQ(cluster_.fastgpu({"retry", job + ".0"}).exit_code, 4);
  const Finished one = cluster_.fastgpu({"retry", job + ".3"});
  EXPECT_NE(one.out.find(": 1 task of job " + job + " again"), std::string::npos) << one.out;
}

TEST_F(Verbs, FindJobsByTheirLabels) {
  const std::string first = submit(Words{"--label", "stage=a", "--label", "n=1"} + kernels_.good());
  const std::string second =
      submit(Words{"--label", "stage=a", "--label", "n=2"} + kernels_.good());
  const std::string other = submit(kernels_.good());
  EXPECT_EQ(cluster_.fastgpu({"wait", "--label", "stage=a"}).exit_code, 0);
  EXPECT_EQ(wait(other), 0);
  EXPECT_EQ(document("ps", {"ps", "-a", "--label", "stage=a"})["items"].size(), 2u);
  const json one = document("show", {"show", "--label", "stage=a", "--label", "n=2"});
  EXPECT_EQ(one["id"], second);
  EXPECT_EQ(one["labels"]["n"], "2");
  const std::string both = first + "," + other;
  EXPECT_EQ(cluster_.fastgpu({"show", "-q", both, "--label", "n=1"}).exit_code, 3)
      << "the other one lacks it";
  EXPECT_EQ(cluster_.fastgpu({"show", "-q", both}).out, first + "\n" + other + "\n");
  EXPECT_EQ(cluster_.fastgpu({"wait", "--label", "stage=b"}).exit_code, 3);
  expect_refused({"ps", "--label", "stage"}, 2, "no label");
  expect_refused(Words{"submit", "--label", "a b=1"} + kernels_.good(), 2, "'a b'");
}

TEST_F(Verbs, EventsTellWhatHappenedInOrder) {
  const std::string job = half_failed();
  const json all = document("events", {"events", job});
  std::vector<std::string> words;
  for (const json& event : all["items"]) {
    words.push_back(event["event"]);
  }
  ASSERT_GE(words.size(), 4u);
  EXPECT_EQ(words.front(), "submitted");
  EXPECT_EQ(words[1], "placed");
  EXPECT_EQ(words.back(), "ended");
  EXPECT_NE(std::find(words.begin(), words.end(), "failed"), words.end());
  const Finished newest = cluster_.fastgpu({"events"});
  EXPECT_EQ(newest.exit_code, 0) << newest.err;
  EXPECT_NE(newest.out.find("ended as failed: 2 succeeded, 2 failed of 4"), std::string::npos)
      << newest.out;
  EXPECT_NE(newest.out.find("node n1  is up"), std::string::npos) << newest.out;
  const Finished followed = cluster_.fastgpu({"events", "-f", job});
  EXPECT_EQ(followed.exit_code, 0) << followed.err;
}

TEST_F(Verbs, CpBringsOneTasksOutputsAndWholeFolders) {
  const std::string job = submit(
      {"--tasks", "2", "--out", "out/{}", "--", "sh", "-c", "mkdir -p out; echo {} > out/{}"});
  EXPECT_EQ(wait(job), 0);
  const std::string folder = kernels_.folder().file("all");
  EXPECT_EQ(document("cp", {"cp", job + ":out", folder})["files"], 2);
  EXPECT_EQ(read_file(folder + "/0"), "0\n");
  EXPECT_EQ(read_file(folder + "/1"), "1\n");
  const std::string single = kernels_.folder().file("single");
  EXPECT_EQ(cluster_.fastgpu({"cp", job + ".1:out/1", single}).exit_code, 0);
  EXPECT_EQ(read_file(single), "1\n");
  EXPECT_EQ(cluster_.fastgpu({"cp", job + ".0:out/1", single}).exit_code, 3);
  expect_refused({"cp", single, job + ":"}, 2, "cannot be copied into job " + job);
}

TEST_F(Verbs, DoctorFindsNothingBrokenOnAHostThatWorks) {
  const Finished done = cluster_.fastgpu({"doctor", "--dir", cluster_.folder(0), "--json"});
  EXPECT_EQ(schemas_.check("doctor", done.out), "");
  const json all = json::parse(done.out, nullptr, false);
  for (const json& item : all["items"]) {
    EXPECT_NE(item["state"], "failed") << item;
  }
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const auto ports = link::ReservedPorts::take(1);
  ASSERT_TRUE(ports.ok());
  const std::string nobody = "127.0.0.1:" + std::to_string(ports.value().ports()[0]);
  EXPECT_EQ(run_command({program("fastgpu"), "--server", nobody, "doctor"}).exit_code, 6);
}

TEST(NodeOfRoot, TakesNoCommandsWhereTheyCouldNotPassThrough) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "commands of another user's node run as that user";
  }
  const TemporaryFolder scratch;
  const std::string closed = scratch.file("closed");
  ASSERT_EQ(::mkdir(closed.c_str(), 0700), 0);
  const auto ports = link::ReservedPorts::take(1);
  ASSERT_TRUE(ports.ok());
  const std::string address = "127.0.0.1:" + std::to_string(ports.value().ports()[0]);
  const std::string node = program("fastgpu-node");
  ASSERT_EQ(run_command({node, "init", "--dir", closed + "/n", "--listen", address, "--name", "n"})
                .exit_code,
            0);
  Process running({node, "run", "--dir", closed + "/n"});
  ASSERT_TRUE(running.await_line("ready")) << "kernels run there";
  EXPECT_NE(running.err().find("cannot pass through " + closed), std::string::npos);
  use_credentials(closed + "/n/client.toml");
  const Finished gpus = run_command({program("fastgpu"), "--server", address, "gpus"});
  EXPECT_NE(gpus.out.find("takes no commands: "), std::string::npos) << gpus.out;
  EXPECT_NE(gpus.out.find("chmod o+x " + closed), std::string::npos) << gpus.out;
  const Finished seen =
      run_command({program("fastgpu"), "doctor", "--dir", closed + "/n", "--json"});
  EXPECT_EQ(seen.exit_code, 4) << seen.out;
}

}  // namespace
}  // namespace fastgpu::testing
