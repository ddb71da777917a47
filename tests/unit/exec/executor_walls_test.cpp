// What a hostile kernel gets hold of: it is native code, and calls the C library by its own
// declarations.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "runtime/exec/sandbox/landlock.hpp"
#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

using Argument = ExecutorArgument;

class ExecutorWalls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!can_confine())
      GTEST_SKIP() << "this kernel has no Landlock (Linux 5.19 and later have)";
    setenv("FASTGPU_TEST_SECRET", "the secret of the node", 1);
    recorder_ = std::make_unique<Recorder>(make_process_executor(cpu_options()));
    walls_ = recorder_->await_ready().device.walls;
  }
  void TearDown() override { unsetenv("FASTGPU_TEST_SECRET"); }

  /// The value of the expression, which may use the C library's functions declared here.
  int value_of(const std::string& expression) {
    ExecutorTask task;
    task.source = base::Bytes::copy_of(R"(
extern "C" int open(const char*, int, ...);
extern "C" int kill(int, int);
extern "C" int getppid();
extern "C" int getuid();
extern "C" int socket(int, int, int);
extern "C" int socketpair(int, int, int, int*);
extern "C" long syscall(long, ...);
extern "C" int chmod(const char*, unsigned);
extern "C" int unlink(const char*);
extern "C" char* getenv(const char*);
__global__ void k(int* p) { *p = )" + expression +
                                       "; }");
    task.kernel = "k";
    task.arguments = {Argument::out(4)};
    const ExecutorResult result = recorder_->run(std::move(task));
    EXPECT_EQ(result.reason, base::FailureReason::none) << result.message;
    return result.outputs.empty() ? -2 : values_of<int>(result.outputs[0]).at(0);
  }
  std::unique_ptr<Recorder> recorder_;
  std::string walls_;
};

TEST_F(ExecutorWalls, KernelsReachNoFileOfTheHost) {
  const TemporaryFolder folder;
  const std::string key = folder.path() + "/key";
  std::ofstream(key) << "secret";
  chmod(folder.path().c_str(), 0755);
  chmod(key.c_str(), 0666);
  EXPECT_EQ(walls_, "landlock");
  for (const std::string& path : {key, std::string("/etc/passwd"), std::string("/"),
                                  "/proc/" + std::to_string(getpid()) + "/environ"}) {
    EXPECT_EQ(value_of("open(\"" + path + "\", 0)"), -1) << path;
  }
  EXPECT_EQ(value_of("open(\"" + key + "\", 1)"), -1);
  EXPECT_EQ(value_of("unlink(\"" + key + "\")"), -1);
  EXPECT_EQ(value_of("chmod(\"" + key + "\", 0)"), -1);
  EXPECT_TRUE(std::filesystem::exists(key));
  EXPECT_GE(value_of("open(\"/dev/null\", 2)"), 0);
}

TEST_F(ExecutorWalls, KernelsReachNoNetworkNoNamespaceAndNoSecretOfTheEnvironment) {
  EXPECT_EQ(value_of("socket(2, 1, 0)"), -1);
  EXPECT_EQ(value_of("socket(1, 1, 0)"), -1);
  EXPECT_EQ(value_of("socket(1, 5, 0)"), -1);  // which the driver of a GPU may make
  EXPECT_EQ(value_of("[] { int ends[2]; return socketpair(1, 2, 0, ends); }()"), -1);
  EXPECT_EQ(value_of("(int)syscall(272, 0x10000000)"), -1);  // unshare: a user namespace
  EXPECT_EQ(value_of("(int)syscall(56, 0x10000000 | 17, 0, 0, 0, 0)"), -1);  // clone: the same
  EXPECT_EQ(value_of("(int)syscall(425, 1, 0)"), -1);                        // io_uring_setup
  EXPECT_EQ(value_of("getenv(\"FASTGPU_TEST_SECRET\") != nullptr"), 0);
  EXPECT_EQ(value_of("getenv(\"PATH\") != nullptr"), 1);
}

TEST_F(ExecutorWalls, KernelsCannotSignalTheNode) {
  if (geteuid() != 0 && value_of("kill(getppid(), 0)") == 0)
    GTEST_SKIP() << "this kernel cannot bound signals (Linux 6.12 and later can)";
  EXPECT_EQ(value_of("kill(getppid(), 0)"), -1);
}

TEST_F(ExecutorWalls, KernelsOfARootNodeAreNotRoot) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only a node that is root can show it";
  // The tests' folder may be out of another user's reach; then root has no privilege left.
  if (value_of("getuid()") == 0) {
    EXPECT_EQ(value_of("(int)syscall(170, \"x\", 1)"), -1);  // sethostname
  }
  const TemporaryFolder folder;
  chmod(folder.path().c_str(), 0755);
  ProcessExecutorOptions options = cpu_options();
  options.cache_folder = folder.path() + "/kernels";
  recorder_ = std::make_unique<Recorder>(make_process_executor(options));
  recorder_->await_ready();
  if (access(options.program.c_str(), X_OK) == 0) {
    EXPECT_EQ(static_cast<uid_t>(value_of("getuid()")), options.user->user().uid);
  }
}

TEST_F(ExecutorWalls, KernelsAreKeptWhoeverRunsThem) {
  // As another user while the folder is in reach, else as root without privileges, and back.
  const TemporaryFolder folder;
  ProcessExecutorOptions options = cpu_options();
  options.cache_folder = folder.path() + "/kernels";
  for (int i = 0; i < 4; ++i) {
    chmod(folder.path().c_str(), i % 2 == 0 ? 0755 : 0700);
    recorder_ = std::make_unique<Recorder>(make_process_executor(options));
    recorder_->await_ready();
    EXPECT_EQ(value_of("7"), 7);
    EXPECT_EQ(value_of(std::to_string(i)), i);
  }
  std::size_t kernels = 0;
  for (const auto& item : std::filesystem::recursive_directory_iterator(options.cache_folder))
    kernels += item.path().extension() == ".so" ? 1 : 0;
  EXPECT_EQ(kernels, 5u);
}

}  // namespace
}  // namespace fastgpu::exec::test
