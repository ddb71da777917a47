// Ctrl-C in each phase of a command that works on jobs.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/client/programs/kernels.hpp"
#include "tests/support/json_schema.hpp"

namespace fastgpu::testing {
namespace {

class Interrupt : public ::testing::Test {
 protected:
  Words fastgpu(const Words& words) const {
    return Words{program("fastgpu"), "--server", cluster_.servers()} + words;
  }
  std::string newest_job() const { return id_in(cluster_.fastgpu({"ps", "-a", "-q"})); }

  const ProcessCluster cluster_{{.nodes = 1, .cpu_devices = 1}};
  const Kernels kernels_;
};

TEST_F(Interrupt, DetachesFromARunAndSaysHowToGoOn) {
  Process run(fastgpu(Words{"run"} + kernels_.endless()));
  ASSERT_TRUE(run.await_error("1 task\n")) << run.err();
  run.signal(SIGINT);
  EXPECT_EQ(run.await_end(), 130);
  const std::string job = newest_job();
  const std::string said = run.err();
  EXPECT_NE(said.find("Detached. Job " + job + " keeps running."), std::string::npos) << said;
  EXPECT_NE(said.find("fastgpu wait " + job), std::string::npos) << said;
  EXPECT_NE(said.find("fastgpu cancel " + job), std::string::npos) << said;
  EXPECT_EQ(cluster_.fastgpu({"--timeout", "1s", "wait", job}).exit_code, 124) << "it goes on";
}

TEST_F(Interrupt, CancelsWhenItIsPressedAgain) {
  Process run(fastgpu(Words{"run"} + kernels_.endless()));
  ASSERT_TRUE(run.await_error("1 task\n")) << run.err();
  run.signal(SIGINT);
  ASSERT_TRUE(run.await_error("press Ctrl-C again")) << run.err();
  run.signal(SIGINT);
  EXPECT_EQ(run.await_end(), 130);
  const std::string job = newest_job();
  EXPECT_NE(run.err().find("job " + job + " is cancelled"), std::string::npos) << run.err();
  EXPECT_EQ(cluster_.fastgpu({"wait", job}).exit_code, 11);
}

TEST_F(Interrupt, EndsARunThatBringsItsOutputs) {
  const std::string pipe = kernels_.folder().file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  // Nobody reads the pipe: to bring the output takes for ever.
  Process run(fastgpu(Words{"run", "--progress", "plain"} + kernels_.good("pipe")));
  ASSERT_TRUE(run.await_error("bringing its outputs")) << run.err();
  run.signal(SIGINT);
  EXPECT_EQ(run.await_end(), 130);
  const std::string job = newest_job();
  EXPECT_NE(run.err().find("Job " + job + " has ended"), std::string::npos) << run.err();
  EXPECT_NE(run.err().find("fastgpu cp " + job), std::string::npos) << run.err();
  EXPECT_EQ(cluster_.fastgpu({"wait", job}).exit_code, 0);
}

TEST_F(Interrupt, EndsARunThatStillReadsItsSource) {
  const std::string pipe = kernels_.folder().file("source.cu");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Process run(fastgpu({"run", "--kernel", "k", "--source", pipe}));
  const int writer = ::open(pipe.c_str(), O_WRONLY | O_CLOEXEC);  // returns once it is being read
  ASSERT_GE(writer, 0);
  run.signal(SIGINT);
  EXPECT_EQ(run.await_end(), 130);
  ::close(writer);
  EXPECT_NE(run.err().find("Nothing was submitted"), std::string::npos) << run.err();
  EXPECT_EQ(cluster_.fastgpu({"ps", "-a", "-q"}).out, "");
}

TEST_F(Interrupt, DetachesFromAWaitWithADocumentWhereOneIsWanted) {
  const std::string job = id_in(cluster_.fastgpu(Words{"submit", "-q"} + kernels_.endless()));
  Process wait(fastgpu({"wait", "--json", "--progress", "plain", job}));
  ASSERT_TRUE(wait.await_error("1 running")) << wait.err();
  wait.signal(SIGINT);
  EXPECT_EQ(wait.await_end(), 130);
  const std::string told = wait.out();
  EXPECT_EQ(JsonSchemas(FASTGPU_SOURCE_DIR "/docs/schema").check("wait", told), "");
  const auto document = nlohmann::json::parse(told, nullptr, false);
  EXPECT_EQ(document["schema"], "fastgpu.detached/1");
  EXPECT_EQ(document["items"][0]["id"], job);
}

}  // namespace
}  // namespace fastgpu::testing
