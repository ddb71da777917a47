/// Each reason for which a task can fail, met on purpose on a real cluster: what the document of
/// `run --json` says of it, the exit code of the contract, and that a good job right after it
/// succeeds. A reason that is added to the list and is met nowhere fails the last test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/base/failure.hpp"
#include "tests/client/programs/kernels.hpp"
#include "tests/support/json_schema.hpp"

namespace fastgpu::testing {
namespace {

using base::FailureReason;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Case {
  std::string title;
  FailureReason reason{};
  std::string code;   ///< of the reason
  std::string words;  ///< that the message holds: of whom or of what it speaks
  int exit_code{10};
  Words flags;         ///< of `run`, beside the source
  std::string source;  ///< of a kernel; empty: a command
};

Case kernel(std::string title, FailureReason reason, std::string code, std::string words,
            const std::string& source, Words flags = {"--kernel", "k", "--arg", "out:unused=4"}) {
  return {std::move(title), reason, std::move(code), std::move(words), 10,
          std::move(flags), source};
}

Case command(std::string title, FailureReason reason, std::string code, std::string words,
             int exit_code, Words flags, const std::string& script) {
  flags = std::move(flags) + Words{"--", "sh", "-c", script};
  return {std::move(title), reason, std::move(code), std::move(words), exit_code,
          std::move(flags), ""};
}

std::string body(const std::string& text) {
  return "__global__ void k(unsigned* out) { " + text + " }\n";
}

std::vector<Case> kernel_cases() {
  const std::string one = body("*out = 1;");
  std::vector<Case> cases{
      kernel("DoesNotCompile", FailureReason::compile_error, "FG6103", "nonsense",
             body("\n nonsense;")),
      kernel("IsNotInTheSource", FailureReason::bad_kernel, "FG6104", "saxpy",
             "__global__ void saxpy(unsigned* out) {}\n"),
      kernel("IsATemplateWithoutArguments", FailureReason::bad_kernel, "FG6104", "k<",
             "template <class T> __global__ void k(T* out) { *out = 1; }\n"),
      kernel("TakesMoreArguments", FailureReason::bad_argument, "FG6105",
             "takes 2 arguments, job gives 1", "__global__ void k(unsigned* out, int n) {}\n"),
      kernel("TakesAnotherSize", FailureReason::bad_argument, "FG6105",
             "takes 8 bytes, job gives 4", "__global__ void k(unsigned* out, double d) {}\n",
             {"--kernel", "k", "--arg", "out:unused=4", "--arg", "f32:1"}),
      kernel("TakesABuffer", FailureReason::bad_argument, "FG6105", "takes a buffer", one,
             {"--kernel", "k", "--arg", "i32:4"}),
      kernel("WritesOutside", FailureReason::out_of_bounds, "FG6106", "buffer argument 0",
             body("out[64] = 1;")),
      kernel("ReadsAtNull", FailureReason::out_of_bounds, "FG6106", "null",
             body("*out = *(volatile unsigned*)nullptr;")),
      kernel("Asserts", FailureReason::kernel_assert, "FG6107", "out == nullptr",
             "#include <cassert>\n" + body("assert(out == nullptr);")),
      kernel("WaitsAtABarrier", FailureReason::barrier_deadlock, "FG6108", "barrier",
             body("if (threadIdx.x < 32) __shfl_sync(0xffffffff, threadIdx.x == 5 ? "
                  "(__syncthreads(), 1) : 1, 0);"),
             {"--kernel", "k", "--block", "64", "--arg", "out:unused=4"}),
      kernel("NeedsTooLargeAStack", FailureReason::cuda_out_of_memory, "FG6110", "262144",
             body("volatile char a[300 << 10]; a[threadIdx.x] = 1; __syncthreads(); "
                  "*out = a[threadIdx.x];"),
             {"--kernel", "k", "--block", "64", "--arg", "out:unused=4"}),
      kernel("NeedsTooLargeBuffers", FailureReason::cuda_out_of_memory, "FG6110", "bytes", one,
             {"--kernel", "k", "--arg", "out:unused=1GiB"}),
      kernel("RunsTooLong", FailureReason::time_limit, "FG6113", "limit",
             body("while (*(volatile unsigned*)out == 0) {}"),
             {"--kernel", "k", "--arg", "out:unused=4", "--time-limit", "100ms"}),
      kernel("EndsItsProcess", FailureReason::executor_crash, "FG6119", "SIGABRT",
             "extern \"C\" void abort();\n" + body("abort();")),
      kernel("DividesByZero", FailureReason::executor_crash, "FG6119", "division by zero",
             body("*out = 7 / *out;")),
      kernel("IsWrittenInPtx", FailureReason::not_supported_on_device, "FG6121", "PTX",
             body("int r; asm(\"mov.u32 %0, %%laneid;\" : \"=r\"(r)); *out = r;")),
  };
  for (Case& each : cases) {
    if (each.reason == FailureReason::time_limit) {
      each.exit_code = 12;
    }
  }
  return cases;
}

std::vector<Case> command_cases() {
  return {
      command("Exits", FailureReason::exit_code, "FG6101", "4", 4, {}, "exit 4"),
      command("IsNotThere", FailureReason::exit_code, "FG6101", "127", 127, {}, "no-such-program"),
      command("Crashes", FailureReason::signal, "FG6102", "SIGSEGV", 128 + 11, {}, "kill -SEGV $$"),
      command("Allocates", FailureReason::host_out_of_memory, "FG6111", "64 MiB", 128 + 9,
              {"--mem", "64MiB"},
              "exec python3 -c 'x = [bytearray(1 << 20) for i in range(4096)]'"),
      command("WritesTooMuch", FailureReason::disk_full, "FG6112", "8 MiB", -1, {"--disk", "8MiB"},
              "cat /dev/zero > one & cat /dev/zero > two; while :; do sleep 1; done"),
      command("SleepsTooLong", FailureReason::time_limit, "FG6113", "limit", -1,
              {"--time-limit", "300ms"}, "exec sleep 100"),
      command("LeavesNothing", FailureReason::output_missing, "FG6115", "never", 210,
              {"--out", "never"}, "true"),
  };
}

std::vector<Case> cases() {
  std::vector<Case> all = kernel_cases();
  for (Case& each : command_cases()) {
    all.push_back(std::move(each));
  }
  return all;
}

/// What `run --json` says of the job: behind the records of what it printed, if it is a command.
std::string document_in(const std::string& out) {
  const std::size_t records_end = out.rfind("\n{\n");
  return records_end == std::string::npos ? out : out.substr(records_end + 1);
}

/// One node, two CPU devices, and what every failure has in common.
class FailureReasons : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ =
        std::make_unique<ProcessCluster>(ProcessClusterOptions{.nodes = 1, .cpu_devices = 2});
    kernels_ = std::make_unique<Kernels>();
  }
  static void TearDownTestSuite() {
    kernels_.reset();
    cluster_.reset();
  }

  /// The document of a job that has failed for this reason; and the next one succeeds.
  static void expect_failed(const json& document, const std::string& text, FailureReason reason,
                            const std::string& code, const std::string& words) {
    static const JsonSchemas schemas(FASTGPU_SOURCE_DIR "/docs/schema");
    EXPECT_EQ(schemas.check("show", text), "");
    ASSERT_TRUE(document.contains("tasks")) << text;
    const json& task = document["tasks"].at(0);
    EXPECT_EQ(task["reason"], base::to_word(reason)) << task.dump();
    EXPECT_EQ(task["code"], code);
    EXPECT_THAT(task["message"].get<std::string>(), HasSubstr(words));
    const Finished help = cluster_->fastgpu({"help", code});
    EXPECT_THAT(help.out, HasSubstr("what to do"));
    expect_next_succeeds();
  }
  static void expect_next_succeeds() {
    const Finished next = cluster_->fastgpu(Words{"run"} + kernels_->good());
    EXPECT_EQ(next.exit_code, 0) << next.err;
  }
  static json shown(const std::string& job) {
    return json::parse(cluster_->fastgpu({"show", job, "--json"}).out, nullptr, false);
  }

  static std::unique_ptr<ProcessCluster> cluster_;
  static std::unique_ptr<Kernels> kernels_;
};

std::unique_ptr<ProcessCluster> FailureReasons::cluster_;
std::unique_ptr<Kernels> FailureReasons::kernels_;

class FailingJob : public FailureReasons, public ::testing::WithParamInterface<Case> {};

TEST_P(FailingJob, SaysWhyWithItsCodeAndHarmsNobody) {
  const Case& it = GetParam();
  Words words{"env",
              "-C",
              kernels_->folder().path(),
              program("fastgpu"),
              "--server",
              cluster_->servers(),
              "run",
              "--json"};
  if (!it.source.empty()) {
    words = words + Words{"--source", kernels_->folder().write(it.title + ".cu", it.source)};
  }
  const Finished run = run_command(words + it.flags);
  if (it.exit_code >= 0) {
    EXPECT_EQ(run.exit_code, it.exit_code) << run.out << run.err;
  } else {
    EXPECT_GT(run.exit_code, 9) << run.out << run.err;
  }
  const std::string text = document_in(run.out);
  const json document = json::parse(text, nullptr, false);
  ASSERT_TRUE(document.is_object() && document.contains("error")) << run.out << run.err;
  EXPECT_THAT(document["error"]["code"].get<std::string>(), StartsWith("FG"));
  EXPECT_NE(document["error"]["hint"], "");
  expect_failed(document, text, it.reason, it.code, it.words);
}

INSTANTIATE_TEST_SUITE_P(Because, FailingJob, ::testing::ValuesIn(cases()),
                         [](const auto& made) { return made.param.title; });

// --- reasons that need more than a job -----------------------------------------------------------

TEST_F(FailureReasons, ACancelIsOne) {
  const std::string job = id_in(cluster_->fastgpu(Words{"submit", "-q"} + kernels_->endless()));
  EXPECT_EQ(cluster_->fastgpu({"cancel", job}).exit_code, 0);
  EXPECT_EQ(cluster_->fastgpu({"wait", job}).exit_code, 11);
  const Finished show = cluster_->fastgpu({"show", job, "--json"});
  expect_failed(json::parse(show.out, nullptr, false), show.out, FailureReason::cancelled, "FG6120",
                "");
}

TEST_F(FailureReasons, AnInputThatIsGoneIsOne) {
  // Both devices are busy, so that the job's input is not read before its node loses it.
  std::vector<std::string> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(id_in(cluster_->fastgpu({"submit", "-q", "--", "sleep", "1000"})));
  }
  const std::string input = kernels_->folder().write("large.bin", std::string(3 << 20, 'x'));
  const std::string job = id_in(
      cluster_->fastgpu({"submit", "-q", "--in", input + ":large.bin", "--", "cat", "large.bin"}));
  cluster_->kill(0);
  std::filesystem::remove_all(cluster_->folder(0) + "/objects");
  cluster_->start(0);
  for (const std::string& other : busy) {
    cluster_->fastgpu({"cancel", other});
  }
  EXPECT_EQ(cluster_->fastgpu({"wait", job}).exit_code, 10);
  const Finished show = cluster_->fastgpu({"show", job, "--json"});
  expect_failed(json::parse(show.out, nullptr, false), show.out, FailureReason::input_missing,
                "FG6114", "");
}

// Not the task's fault: it is tried again by itself, and given up as lost in the end.
TEST(FailureOfStaging, IsMetWhereTheCompileCacheCannotBeWritten) {
  const ProcessCluster cluster({.nodes = 1, .cpu_devices = 1});
  const Kernels kernels;
  // Before that the device has seen that it can compile.
  ASSERT_EQ(cluster.fastgpu(Words{"run"} + kernels.good()).exit_code, 0);
  const std::string cache = cluster.folder(0) + "/kernels";
  std::filesystem::rename(cache, cache + ".aside");
  std::ofstream(cache) << "no folder\n";
  const Words kernel{"--kernel", "k",
                     "--source", kernels.folder().write("uncached.cu", body("*out = 4711;")),
                     "--arg",    "out:" + kernels.folder().file("o") + "=4"};
  const Finished failed = cluster.fastgpu(Words{"run", "--json"} + kernel);
  EXPECT_EQ(failed.exit_code, 13) << failed.err;
  const json document = json::parse(failed.out, nullptr, false);
  ASSERT_TRUE(document.contains("tasks")) << failed.out << failed.err;
  EXPECT_NE(document["error"]["hint"], "");
  EXPECT_EQ(document["tasks"][0]["reason"], "staging_failed");
  EXPECT_EQ(document["tasks"][0]["code"], "FG6116");
  EXPECT_THAT(document["tasks"][0]["message"].get<std::string>(), HasSubstr("cannot write"));
  std::filesystem::remove(cache);
  std::filesystem::rename(cache + ".aside", cache);
  EXPECT_EQ(cluster.fastgpu(Words{"run"} + kernel).exit_code, 0);
}

// --- and no reason is forgotten ------------------------------------------------------------------

TEST(FailureReasonList, IsMetAsAWhole) {
  std::set<FailureReason> met{FailureReason::cancelled, FailureReason::input_missing,
                              FailureReason::staging_failed};
  for (const Case& each : cases()) {
    met.insert(each.reason);
  }
  // Met elsewhere, or not on a CPU device.
  const std::map<FailureReason, std::string> others{
      {FailureReason::node_lost, "ExitCodesOfALostJob"},
      {FailureReason::cuda_error, "only a GPU has errors of CUDA"},
      {FailureReason::device_lost, "a device that never comes back: tests/unit/worker"},
  };
  for (int i = 1; i <= static_cast<int>(base::failure_reason_last); ++i) {
    const auto reason = static_cast<FailureReason>(i);
    EXPECT_TRUE(met.contains(reason) || others.contains(reason))
        << base::to_word(reason) << " is met by no test: add a row for it";
    EXPECT_FALSE(met.contains(reason) && others.contains(reason)) << base::to_word(reason);
  }
}

}  // namespace
}  // namespace fastgpu::testing
