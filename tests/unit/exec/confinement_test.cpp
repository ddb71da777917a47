// The walls that a process puts up around itself, seen from inside: each test asks a child that has
// confined itself.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "runtime/exec/sandbox/landlock.hpp"
#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

class Confinement : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!can_confine())
      GTEST_SKIP() << "this kernel has no Landlock (Linux 5.19 and later have)";
    std::ofstream(there_) << "old";
  }

  /// What the call returns behind the walls: 0 or more, or the errno with which it failed,
  /// negative.
  int inside(const AllowedFiles& files, Sockets sockets, const std::function<int()>& call) {
    const pid_t pid = fork();
    if (pid == 0) {
      if (!confine(files, sockets).ok())
        _exit(255);
      _exit(call() >= 0 ? 0 : errno);
    }
    EXPECT_GT(pid, 0);
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -255;
  }

  const TemporaryFolder folder_;
  const std::string there_ = folder_.path() + "/there";
  const std::string other_ = folder_.path() + "/other";
};

TEST_F(Confinement, WhatMayBeFilledMayBeWrittenAnewAndNothingMade) {
  AllowedFiles files;
  files.fillable = {folder_.path()};
  const auto write_anew = [](const std::string& path) {
    return [path] { return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); };
  };
  EXPECT_EQ(inside(files, Sockets::none, write_anew(there_)), 0);
  EXPECT_EQ(std::filesystem::file_size(there_), 0u);
  EXPECT_EQ(inside(files, Sockets::none, write_anew(other_)), -EACCES);
  EXPECT_EQ(inside(files, Sockets::none, [this] { return unlink(there_.c_str()); }), -EACCES);
}

TEST_F(Confinement, WhatMayBeReadMayNotBeWrittenAnew) {
  AllowedFiles files;
  files.readable = {folder_.path()};
  EXPECT_EQ(inside(files, Sockets::none,
                   [this] { return open(there_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC); }),
            -EACCES);
  EXPECT_EQ(std::filesystem::file_size(there_), 3u);
}

TEST_F(Confinement, OfSocketsThereAreThoseThatWereNamed) {
  const auto made = [](int family, int type) { return [=] { return socket(family, type, 0); }; };
  const auto paired = [](int family, int type) {
    return [=] {
      int ends[2];
      return socketpair(family, type, 0, ends);
    };
  };
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK})
    for (const int type : std::initializer_list<int>{SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
      const bool named = family == AF_UNIX && type == SOCK_SEQPACKET;
      for (const auto& call : {std::function<int()>(made(family, type | SOCK_CLOEXEC)),
                               std::function<int()>(paired(family, type | SOCK_CLOEXEC))}) {
        EXPECT_EQ(inside({}, Sockets::none, call), -EPERM) << family << ' ' << type;
        EXPECT_EQ(inside({}, Sockets::local_packets, call), named ? 0 : -EPERM)
            << family << ' ' << type;
      }
    }
}

TEST_F(Confinement, ASocketOfItsOwnReachesNoServiceOfTheHost) {
  sockaddr_un service{};
  service.sun_family = AF_UNIX;
  const std::string path = folder_.path() + "/service";
  ASSERT_LT(path.size(), sizeof service.sun_path);
  std::memcpy(service.sun_path, path.c_str(), path.size());
  auto* const address = reinterpret_cast<sockaddr*>(&service);
  const FileDescriptor listening(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(listening.get(), address, sizeof service), 0);
  ASSERT_EQ(listen(listening.get(), 1), 0);
  const auto reach = [&] {
    const FileDescriptor own(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    return connect(own.get(), address, sizeof service);
  };
  EXPECT_EQ(reach(), 0) << "without walls";
  EXPECT_EQ(inside({}, Sockets::local_packets, reach), -EPERM);
}

}  // namespace
}  // namespace fastgpu::exec::test
