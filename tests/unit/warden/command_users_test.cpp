// Who runs commands where the node is root: each device's own user, and what that keeps apart.

#include "tests/unit/warden/warden_support.hpp"

namespace fastgpu::exec::test {
namespace {

using base::FailureReason;

class Users : public ::testing::TestWithParam<const char*> {
 protected:
  Users() : options_(options_of(GetParam())), others_(options_of(GetParam())) {}
  void SetUp() override {
    if (geteuid() != 0)
      GTEST_SKIP() << "only a node that is root gives commands another user";
    for (const ProcessRunnerOptions& options : {options_, others_}) {
      recorders_.push_back(std::make_unique<Recorder>(options));
      recorders_.back()->await_ready();
    }
    chmod(folder_.path().c_str(), 0700);
    chmod(other_folder_.path().c_str(), 0700);
  }
  Recorder& device() { return *recorders_[0]; }
  Recorder& other_device() { return *recorders_[1]; }
  bool in_sandbox() { return device().run(shell(folder_, "")).ended->protection == "bubblewrap"; }

  ProcessRunnerOptions options_;
  ProcessRunnerOptions others_;
  JobFolder folder_;
  JobFolder other_folder_;
  const std::string word_ = unique_word();
  std::vector<std::unique_ptr<Recorder>> recorders_;
};

uid_t owner_of(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(lstat(path.c_str(), &facts), 0) << path;
  return facts.st_uid;
}

TEST_P(Users, OfTwoDevicesAreTwo) {
  EXPECT_EQ(device().run(shell(folder_, "echo x > made")).ended->reason, FailureReason::none);
  EXPECT_EQ(other_device().run(shell(other_folder_, "echo x > made")).ended->reason,
            FailureReason::none);
  EXPECT_EQ(owner_of(folder_.file("made")), options_.user->user().uid);
  EXPECT_EQ(owner_of(other_folder_.file("made")), others_.user->user().uid);
  EXPECT_NE(options_.user->user().uid, others_.user->user().uid);
}

TEST_P(Users, NeitherReadNorSignalEachOther) {
  const std::string sleeper = "sleep " + word_;
  const CommandToken lasting = device().begin(shell(
      folder_, "echo mine > secret; chmod 666 secret; " + sleeper +
                   " & until ps -eo args | grep -q '^" + sleeper + "'; do :; done; echo up; wait"));
  device().await_text(lasting, "up\n");
  const std::vector<pid_t> processes = processes_with(word_);
  ASSERT_FALSE(processes.empty());
  const Seen seen = other_device().run(
      shell(other_folder_, "cat " + folder_.file("secret") + " && echo read; ls " + folder_.path() +
                               " && echo listed; echo x > " + folder_.file("secret") +
                               " && echo written; kill -KILL " + std::to_string(processes.front()) +
                               " && echo signalled; true"));
  EXPECT_EQ(seen.ended->reason, FailureReason::none) << seen.ended->message;
  EXPECT_EQ(seen.out(), "");
  EXPECT_FALSE(device().seen(lasting).ended);
  device().runner().stop(lasting, "a test");
  EXPECT_EQ(device().await_end(lasting).ended->reason, FailureReason::cancelled);
}

TEST_P(Users, TakeEachOtherNoProcess) {
  recorders_.clear();
  options_.grace_ms = 50;
  for (ProcessRunnerOptions* options : {&options_, &others_}) {
    options->processes_max = 50;
    recorders_.push_back(std::make_unique<Recorder>(*options));
    recorders_.back()->await_ready();
  }
  const CommandToken storm = device().begin(fork_storm(folder_, word_));
  device().await_complaint(storm, "fork");
  // Twenty at a time, as many again whenever these have ended: none is refused.
  const Seen seen = other_device().run(shell(
      other_folder_,
      "for i in 1 2 3 4 5; do for j in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
      "(echo one) & done; wait; done"));
  EXPECT_EQ(seen.ended->reason, FailureReason::none) << seen.ended->message;
  EXPECT_EQ(seen.out().size(), 100 * std::string("one\n").size());
  EXPECT_EQ(seen.text(CommandStream::standard_error), "");
  EXPECT_FALSE(device().seen(storm).ended) << "the storm was over";
  device().runner().stop(storm, "too many");
  EXPECT_EQ(device().await_end(storm).ended->reason, FailureReason::cancelled);
  EXPECT_TRUE(processes_with(word_).empty());
}

TEST_P(Users, HaveANameAndAHomeThoughNoAccount) {
  const Seen seen =
      device().run(shell(folder_,
                         "echo $USER $LOGNAME $HOME; python3 -c 'import getpass, os.path\n"
                         "print(getpass.getuser(), os.path.expanduser(\"~\"))'"));
  const std::string name = "fastgpu-" + std::to_string(options_.user->user().uid);
  EXPECT_EQ(seen.out(),
            name + " " + name + " " + folder_.path() + "\n" + name + " " + folder_.path() + "\n")
      << seen.text(CommandStream::standard_error);
  const Seen asked = device().run(shell(folder_, "id -un && whoami"));
  if (in_sandbox()) {
    EXPECT_EQ(asked.out(), "nobody\nnobody\n") << "programs that ask the host get an answer";
  } else {
    EXPECT_EQ(asked.ended->exit_code, 1) << asked.out();
  }
}

INSTANTIATE_TEST_SUITE_P(Protections, Users, ::testing::Values("none", "auto"),
                         [](const auto& one) { return std::string(one.param); });

TEST(WardenOfRoot, DoesNotBeginWithoutAUserForItsCommands) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only a node that is root gives commands another user";
  ProcessRunnerOptions options = options_of("none");
  options.user = {};
  Recorder recorder(options);
  EXPECT_NE(recorder.await_died().reason.find("needs a user for its commands"), std::string::npos);
}

}  // namespace
}  // namespace fastgpu::exec::test
