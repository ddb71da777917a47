// Users of the host for programs that are not ours: no two claims have the same.

#include "runtime/exec/sandbox/user_claim.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

/// A child that lives until it is let go.
class Child {
 public:
  explicit Child(const std::function<bool()>& prepare) {
    int ready[2], go[2];
    EXPECT_EQ(pipe(ready), 0);
    EXPECT_EQ(pipe(go), 0);
    pid_ = fork();
    if (pid_ == 0) {
      char byte = prepare() ? 'y' : 'n';
      close(go[1]);
      [[maybe_unused]] const ssize_t told = write(ready[1], &byte, 1);
      [[maybe_unused]] const ssize_t let_go = read(go[0], &byte, 1);
      _exit(0);
    }
    close(go[0]);
    close(ready[1]);
    const FileDescriptor said(ready[0]);
    go_ = FileDescriptor(go[1]);
    char byte = 0;
    EXPECT_EQ(read(said.get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'y') << "it could not prepare";
  }
  ~Child() { end(); }
  void end() {
    go_.reset();
    if (pid_ > 0)
      waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  pid_t pid_{0};
  FileDescriptor go_;
};

class UserClaims : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0)
      GTEST_SKIP() << "only a node that is root gives what it starts another user";
  }
  /// From a range of three, which the tests of this file alone use.
  base::Result<ClaimedUser> claim(std::uint32_t wish) {
    return claim_user(range_, wish, folder_.path() + "/lock");
  }
  std::uint32_t id_of(const base::Result<ClaimedUser>& claimed) {
    return claimed.ok() ? claimed.value()->user().uid : 0;
  }
  /// Behind the one of nodes and other tests, where that can be, and by this process's number.
  const UserRange range_{
      (default_users() == users_of_a_host ? users_of_a_host.first + users_of_a_host.count
                                          : users_of_a_small_namespace.first) +
          static_cast<std::uint32_t>(getpid()) % 450,
      3};
  TemporaryFolder folder_;
};

TEST_F(UserClaims, GiveEachAnIdOfItsOwnFromTheWishedOneOn) {
  const auto second = claim(1), third = claim(1), first = claim(5);
  EXPECT_EQ(id_of(second), range_.first + 1);
  EXPECT_EQ(id_of(third), range_.first + 2);
  EXPECT_EQ(id_of(first), range_.first) << "around the end";
  EXPECT_EQ(second.value()->user().gid, second.value()->user().uid);
  const auto none = claim(0);
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("are taken"), std::string::npos) << none.error().message;
  EXPECT_NE(none.error().hint.find("node.toml"), std::string::npos) << none.error().hint;
}

TEST_F(UserClaims, AreHeldByAChildThatInheritedThemAndFreeWithItsEnd) {
  auto first = claim(0);
  Child heir([] { return true; });
  first = ClaimedUser();
  EXPECT_EQ(id_of(claim(0)), range_.first + 1);
  heir.end();
  EXPECT_EQ(id_of(claim(0)), range_.first);
}

TEST_F(UserClaims, PassOverAnIdUnderWhichAProcessRuns) {
  Child left([this] { return drop_root({range_.first, range_.first}) == 0; });
  EXPECT_EQ(id_of(claim(0)), range_.first + 1);
  left.end();
  EXPECT_EQ(id_of(claim(0)), range_.first);
}

TEST_F(UserClaims, SayThatTheirFileCannotBeMade) {
  const auto none = claim_user(range_, 0, folder_.path() + "/missing/lock");
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("/missing/lock"), std::string::npos);
  EXPECT_NE(none.error().hint, "");
}

TEST(UserRanges, ContainNeitherRootNorNobodyNorWhatTheNamespaceLacks) {
  const UserRange users = default_users();
  EXPECT_TRUE(check_users(users).ok());
  EXPECT_FALSE(check_users({0, 10}).ok());
  EXPECT_FALSE(check_users({users.first, 0}).ok());
  EXPECT_FALSE(check_users({4'294'967'290, 10}).ok());
  const UnprivilegedUser nobody;
  for (const UserRange& range : {users_of_a_host, users_of_a_small_namespace})
    EXPECT_TRUE(nobody.uid < range.first || nobody.uid >= range.first + range.count);
}

TEST(UserNames, OfThoseWithoutAnAccountAreMadeUp) {
  EXPECT_EQ(user_name(std::make_shared<const UserClaim>(FileDescriptor(), 2'100'000'007)),
            "fastgpu-2100000007");
  EXPECT_NE(user_name({}), "") << "of this process's own user";
}

}  // namespace
}  // namespace fastgpu::exec::test
