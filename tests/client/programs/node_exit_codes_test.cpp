// The exit code of `fastgpu-node` in each case, and that it says what to do.

#include <gtest/gtest.h>

#include "runtime/security/join_token.hpp"
#include "tests/client/programs/kernels.hpp"

namespace fastgpu::testing {
namespace {

Finished node(const Words& words) {
  return run_command(Words{program("fastgpu-node")} + words);
}

/// Ends with this code and names a remedy.
void expect_failure(const Words& words, int code) {
  const Finished done = node(words);
  EXPECT_EQ(done.exit_code, code) << done.out << done.err;
  EXPECT_NE(done.err.find("error[FG"), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("hint: "), std::string::npos) << done.err;
}

std::string loopback(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

/// A founded node that does not run.
class FoundedNode : public ::testing::Test {
 protected:
  FoundedNode() {
    const Finished made = node(Words{"init"} + flags_);
    EXPECT_EQ(made.exit_code, 0) << made.err;
  }
  std::string toml() const { return folder_.file("n/node.toml"); }
  void replace(const std::string& file, const std::string& old, const std::string& text) const {
    std::string all = read_file(folder_.file(file));
    const std::size_t at = all.find(old);
    ASSERT_NE(at, std::string::npos) << all;
    folder_.write(file, all.replace(at, old.size(), text));
  }

  const TemporaryFolder folder_;
  const link::ReservedPorts ports_ = link::ReservedPorts::take(2).value();
  const std::string address_ = loopback(ports_.ports()[0]);
  const std::string other_address_ = loopback(ports_.ports()[1]);
  const Words flags_{"--dir", folder_.file("n"), "--listen", address_, "--name", "n1"};
  const Words run_{"run", "--dir", folder_.file("n")};
};

TEST(NodeExitCodes, AreTwoForWrongUsage) {
  const TemporaryFolder folder;
  expect_failure({}, 2);
  expect_failure({"fly"}, 2);
  expect_failure({"run", "--fly"}, 2);
  expect_failure({"init", "--dir", folder.file("n")}, 2);
  const Words rest{"--dir", folder.file("n"), "--name", "n1", "--listen"};
  expect_failure(Words{"init"} + rest + Words{"127.0.0.1:0"}, 2);
  expect_failure(Words{"init"} + rest + Words{"here"}, 2);
  expect_failure(Words{"init"} + rest + Words{"127.0.0.1:7600", "--replicas", "4"}, 2);
  expect_failure(
      Words{"join", "127.0.0.1:1", "--token-file", "/nowhere"} + rest + Words{"127.0.0.1:7600"}, 2);
  EXPECT_EQ(node({"--help"}).exit_code, 0);
  EXPECT_EQ(node({"init", "--help"}).exit_code, 0);
}

TEST(NodeExitCodes, AreThreeForAFolderThatIsNoNodes) {
  const TemporaryFolder folder;
  expect_failure({"run", "--dir", folder.path()}, 3);
  expect_failure({"run", "--dir", folder.file("nowhere")}, 3);
}

TEST(NodeExitCodes, AreFiveForAnAddressThatOthersCouldReach) {
  const TemporaryFolder folder;
  expect_failure({"init", "--dir", folder.file("n"), "--name", "n1", "--listen", "0.0.0.0:7600"},
                 5);
}

TEST_F(FoundedNode, IsNotFoundedAgain) {
  expect_failure(Words{"init"} + flags_, 4);
  expect_failure(
      Words{"join", "127.0.0.1:1", "--token-file", folder_.file("n/join.token")} + flags_, 4);
}

TEST_F(FoundedNode, ExitsWithFourWhereAnotherProcessHasItsFolderOrAddress) {
  Process first(Words{program("fastgpu-node")} + run_);
  ASSERT_TRUE(first.await_line("ready")) << first.err();
  expect_failure(run_, 4);
  const std::string other = folder_.file("other");
  EXPECT_EQ(node({"init", "--dir", other, "--listen", address_, "--name", "n1"}).exit_code, 0);
  expect_failure({"run", "--dir", other}, 4);
}

TEST_F(FoundedNode, RecoversNothingWhereNothingIsHeldOrLacksAMajority) {
  const Words recover{"recover", "--dir", folder_.file("n")};
  expect_failure({"recover", "--dir", folder_.file("nowhere")}, 3);
  expect_failure(recover, 3);  // it never ran
  {
    Process first(Words{program("fastgpu-node")} + run_);
    ASSERT_TRUE(first.await_line("ready")) << first.err();
    expect_failure(recover, 4);
    expect_failure(recover + Words{"--force"}, 4);
  }
  expect_failure(recover + Words{"--shards", "0,8"}, 2);
  for (const Words& how : {Words{}, Words{"--force"}, Words{"--shards", "0,3", "--force"}}) {
    const Finished done = node(recover + how);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_NE(done.out.find("votes alone"), std::string::npos) << done.out;
    EXPECT_NE(done.out.find("Nothing to recover"), std::string::npos) << done.out;
  }
  EXPECT_EQ(node({"recover", "--help"}).exit_code, 0);
}

TEST_F(FoundedNode, ExitsWithFiveWhereTheJoinTokenIsWrong) {
  Process first(Words{program("fastgpu-node")} + run_);
  ASSERT_TRUE(first.await_line("ready")) << first.err();
  const std::string file = folder_.file("token");
  security::JoinToken token = security::read_join_token(folder_.file("n/join.token")).value();
  token.joiner = security::KeyPair::generate();
  ASSERT_TRUE(security::write_join_token(file, token).ok());
  expect_failure({"join", address_, "--token-file", file, "--dir", folder_.file("m"), "--listen",
                  other_address_, "--name", "n2"},
                 5);
}

TEST_F(FoundedNode, LetsATokenInOnceThenExitsWithFive) {
  Process first(Words{program("fastgpu-node")} + run_);
  ASSERT_TRUE(first.await_line("ready")) << first.err();
  const Words join{"join", address_, "--token-file", folder_.file("n/join.token")};
  const Finished joined =
      node(join + Words{"--dir", folder_.file("m"), "--listen", other_address_, "--name", "n2"});
  EXPECT_EQ(joined.exit_code, 0) << joined.err;
  expect_failure(
      join + Words{"--dir", folder_.file("o"), "--listen", other_address_, "--name", "n3"}, 5);
}

TEST_F(FoundedNode, ExitsWithSixWhereNobodyLetsItJoin) {
  expect_failure({"join", address_, "--token-file", folder_.file("n/join.token"), "--dir",
                  folder_.file("m"), "--listen", other_address_, "--name", "n2"},
                 6);
}

TEST_F(FoundedNode, ExitsWith78WhereItsConfigurationIsWrong) {
  const std::string good = read_file(toml());
  for (const auto& [old, text] : std::vector<std::pair<std::string, std::string>>{
           {"name = ", "nmae = "},
           {address_, "0.0.0.0:7600"},
           {address_, "here"},
           {"[node]", "[node"},
           {"[node]", "[sandbox]\nusers = 5\n[node]"},
           {"[node]", "[sandbox]\nusers = \"9-5\"\n[node]"}}) {
    replace("n/node.toml", old, text);
    expect_failure(run_, 78);
    folder_.write("n/node.toml", good);
  }
  replace("n/identity.toml", "node = 1", "node = 0");
  expect_failure(run_, 78);
}

}  // namespace
}  // namespace fastgpu::testing
