// What of the host the driver of a GPU is started with.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/cuda/discovery.hpp"
#include "tests/unit/devices/device_bed.hpp"

namespace fastgpu::exec::test {
namespace {

/// Listens where the MPS daemon of this host would, within everybody's reach.
class MpsDaemon : public ::testing::Test {
 protected:
  void SetUp() override {
    use_fake_driver();
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    setenv("CUDA_MPS_PIPE_DIRECTORY", folder_.path().c_str(), 1);
    const std::string path = folder_.path() + "/control";
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof own.sun_path);
    std::memcpy(own.sun_path, path.c_str(), path.size());
    ASSERT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    std::filesystem::permissions(path, std::filesystem::perms(0777));
    ASSERT_EQ(listen(socket_.get(), 8), 0);
  }
  void TearDown() override { unsetenv("CUDA_MPS_PIPE_DIRECTORY"); }

  bool was_asked() {
    return static_cast<bool>(FileDescriptor(accept(socket_.get(), nullptr, nullptr)));
  }

  const TemporaryFolder folder_;
  const FileDescriptor socket_{socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
};

TEST_F(MpsDaemon, IsNotAskedByAnExecutor) {
  ProcessExecutorOptions options = cpu_options();
  options.device = std::string("cuda:") + fake_gpu;
  Recorder recorder(make_process_executor(options));
  recorder.await_ready();
  EXPECT_FALSE(was_asked());
}

TEST_F(MpsDaemon, IsNotAskedByWhoListsTheGpus) {
  EXPECT_EQ(list_gpus(FASTGPU_TEST_EXECUTOR).devices.size(), 1u);
  EXPECT_FALSE(was_asked());
}

}  // namespace
}  // namespace fastgpu::exec::test
