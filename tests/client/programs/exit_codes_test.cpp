// The exit code of `fastgpu` in each case of the contract, and the document that goes with it.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/client/programs/kernels.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/process/credentials.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;

class ExitCodes : public ::testing::Test {
 protected:
  std::string submit(const Words& kernel) const {
    const Finished done = cluster_.fastgpu(Words{"submit", "-q"} + kernel);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return id_in(done);
  }
  std::string ended(const Words& kernel) const {
    const std::string job = submit(kernel);
    cluster_.fastgpu({"wait", job});
    return job;
  }
  std::string cancelled() const {
    const std::string job = submit(kernels_.endless());
    EXPECT_EQ(cluster_.fastgpu({"cancel", job}).exit_code, 0);
    return job;
  }
  /// Ends with this code; with --json says why in one document on stdout, of this kind.
  void expect_failure(const Words& words, int code, const std::string& kind) const {
    const Finished plain = cluster_.fastgpu(words);
    EXPECT_EQ(plain.exit_code, code) << plain.err;
    EXPECT_NE(plain.err.find("error[FG"), std::string::npos) << plain.err;
    expect_json_failure(words, code, kind);
  }
  void expect_json_failure(const Words& words, int code, const std::string& kind) const {
    const Finished told = cluster_.fastgpu(words + Words{"--json"});
    EXPECT_EQ(told.exit_code, code) << told.err;
    EXPECT_EQ(schemas_.check("error", told.out), "");
    EXPECT_EQ(json::parse(told.out, nullptr, false)["error"]["kind"], kind);
  }
  /// A command on jobs that ended so: what it was asked for, and the error beside it.
  void expect_verdict(const Words& words, const char* schema, int code,
                      const std::string& kind) const {
    const Finished told = cluster_.fastgpu(words + Words{"--json"}, Seconds{120});
    EXPECT_EQ(told.exit_code, code) << told.err;
    EXPECT_EQ(schemas_.check(schema, told.out), "");
    EXPECT_EQ(json::parse(told.out, nullptr, false)["error"]["kind"], kind);
  }

  const ProcessCluster cluster_{{.nodes = 1, .cpu_devices = 2}};
  const Kernels kernels_;
  const JsonSchemas schemas_{FASTGPU_SOURCE_DIR "/docs/schema"};
};

TEST_F(ExitCodes, AreZeroForAnEmptyListAndForWhatSucceeded) {
  const Finished listed = cluster_.fastgpu({"ps", "--json"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_TRUE(json::parse(listed.out, nullptr, false)["items"].empty());
  EXPECT_EQ(cluster_.fastgpu({"ps"}).exit_code, 0);
  EXPECT_EQ(cluster_.fastgpu(Words{"run"} + kernels_.good()).exit_code, 0);
  EXPECT_EQ(cluster_.fastgpu({"wait", ended(kernels_.good())}).exit_code, 0);
}

TEST_F(ExitCodes, AreTwoForWrongUsage) {
  expect_failure({"fly"}, 2, "usage");
  expect_failure({"ps", "--fly"}, 2, "usage");
  expect_failure({"show", "x"}, 2, "usage");
  expect_failure({"wait", "17.3"}, 2, "usage");
  expect_failure({"help", "fly"}, 2, "usage");
  expect_failure({"submit", "--kernel", "k", "--source", "/nowhere.cu"}, 2, "usage");
  expect_failure(Words{"submit"} + kernels_.good() + Words{"--block", "4096"}, 2, "usage");
}

TEST_F(ExitCodes, AreThreeForWhatIsNotThere) {
  for (const char* verb : {"show", "wait", "cancel"}) {
    expect_failure({verb, "@nobody"}, 3, "not_found");
  }
  expect_failure({"show", "999999"}, 3, "not_found");
  expect_failure({"wait", "999999"}, 3, "not_found");
  expect_failure({"cp", "999999:y", kernels_.folder().file("y")}, 3, "not_found");
  expect_failure({"help", "FG2102"}, 3, "not_found");
}

TEST_F(ExitCodes, AreFourForAJobThatHasEndedAlready) {
  const std::string job = ended(kernels_.good());
  EXPECT_EQ(cluster_.fastgpu({"cancel", job}).exit_code, 4);
  expect_verdict({"cancel", job}, "cancel", 4, "conflict");
}

TEST_F(ExitCodes, AreSevenForWhatCanNeverRun) {
  expect_failure(Words{"submit"} + kernels_.infeasible(), 7, "infeasible");
}

TEST_F(ExitCodes, TellHowAJobEnded) {
  expect_verdict(Words{"wait", ended(kernels_.failing())}, "wait", 10, "job_failed");
  expect_verdict(Words{"wait", cancelled()}, "wait", 11, "job_cancelled");
  expect_verdict(Words{"wait", ended(kernels_.too_slow())}, "wait", 12, "job_timed_out");
  // A kernel job's run ends as wait does.
  expect_verdict(Words{"run"} + kernels_.failing(), "run", 10, "job_failed");
  expect_verdict(Words{"run"} + kernels_.too_slow(), "run", 12, "job_timed_out");
}

TEST_F(ExitCodes, OfSeveralJobsAreTheWorst) {
  const std::string good = ended(kernels_.good());
  const std::string failed = ended(kernels_.failing());
  const std::string slow = ended(kernels_.too_slow());
  const std::string stopped = cancelled();
  EXPECT_EQ(cluster_.fastgpu({"wait", good, stopped, slow, failed}).exit_code, 10);
  EXPECT_EQ(cluster_.fastgpu({"wait", good, stopped, slow}).exit_code, 12);
  EXPECT_EQ(cluster_.fastgpu({"wait", good, stopped}).exit_code, 11);
  EXPECT_EQ(cluster_.fastgpu({"wait", good, good}).exit_code, 0);
}

TEST_F(ExitCodes, Are124WhenTheTimeThatWasGivenPassed) {
  const std::string job = submit(kernels_.endless());
  expect_failure({"--timeout", "1s", "wait", job}, 124, "timeout");
  // Not the program's code, and not added to 200 either: the contract fixes it.
  expect_json_failure(Words{"--timeout", "1s", "run"} + kernels_.endless(), 124, "timeout");
  const Finished listed = cluster_.fastgpu({"ps", "-q"});
  EXPECT_NE(listed.out.find(job), std::string::npos) << "the job goes on";
}

TEST_F(ExitCodes, OfRunAreApartFromTheProgramsOwnWhereFastGpuFailed) {
  expect_failure(Words{"run"} + kernels_.infeasible(), 207, "infeasible");
  expect_failure({"run", "--fly"}, 202, "usage");
  expect_failure({"run", "--kernel", "k", "--source", "/nowhere.cu"}, 202, "usage");
  const Finished told = cluster_.fastgpu(Words{"run"} + kernels_.infeasible());
  EXPECT_EQ(told.err.find("fastgpu: error[FG2101]: "), 0u) << told.err;
  EXPECT_EQ(std::count(told.err.begin(), told.err.end(), '\n'), 1) << told.err;
}

TEST(ExitCodesOfNobody, AreSixWhereNoNodeAnswers) {
  const JsonSchemas schemas(FASTGPU_SOURCE_DIR "/docs/schema");
  const auto ports = link::ReservedPorts::take(1);
  ASSERT_TRUE(ports.ok());
  const std::string nobody = "127.0.0.1:" + std::to_string(ports.value().ports()[0]);
  const TemporaryFolder scratch;
  use_credentials_of_nobody(nobody, scratch.file("client.toml"));
  const Finished listed = run_command({program("fastgpu"), "--server", nobody, "ps", "--json"});
  EXPECT_EQ(listed.exit_code, 6) << listed.err;
  EXPECT_EQ(schemas.check("error", listed.out), "");
  EXPECT_EQ(json::parse(listed.out, nullptr, false)["error"]["kind"], "unreachable");
  const Kernels kernels;
  const Finished run =
      run_command(Words{program("fastgpu"), "--server", nobody, "run"} + kernels.good());
  EXPECT_EQ(run.exit_code, 206) << run.err;
}

TEST(ExitCodesOfALostJob, AreThirteen) {
  ProcessCluster cluster({.nodes = 1, .cpu_devices = 1});
  const Kernels kernels;
  const std::string job = id_in(cluster.fastgpu(Words{"submit", "-q"} + kernels.endless()));
  const auto is_running = [&] {
    const Process watch(
        {program("fastgpu"), "--server", cluster.servers(), "wait", "--progress", "plain", job});
    return watch.await_error(": 1 running", Seconds{20});
  };
  constexpr int deaths_allowed = 5;
  for (int death = 0; death <= deaths_allowed; ++death) {
    ASSERT_TRUE(is_running()) << "before death " << death;
    cluster.kill(0);
    cluster.start(0);
  }
  const Finished waited = cluster.fastgpu({"wait", job, "--json"});
  EXPECT_EQ(waited.exit_code, 13) << waited.out << waited.err;
  const json error = json::parse(waited.out, nullptr, false)["error"];
  EXPECT_EQ(error["kind"], "job_lost");
  EXPECT_NE(error["hint"], "");
  const json shown = json::parse(cluster.fastgpu({"show", job, "--json"}).out, nullptr, false);
  EXPECT_EQ(shown["tasks"][0]["reason"], "node_lost") << shown.dump();
  EXPECT_EQ(shown["tasks"][0]["code"], "FG6117");
  EXPECT_NE(shown["tasks"][0]["message"], "");
  const std::string stopped = id_in(cluster.fastgpu(Words{"submit", "-q"} + kernels.endless()));
  EXPECT_EQ(cluster.fastgpu({"cancel", stopped}).exit_code, 0);
  EXPECT_EQ(cluster.fastgpu({"wait", job, stopped}).exit_code, 13);
}

}  // namespace
}  // namespace fastgpu::testing
