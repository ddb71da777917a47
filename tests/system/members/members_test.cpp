#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/process/process_cluster.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;

// Some milliseconds of a device each.
constexpr const char* square_source =
    "__global__ void square(unsigned task, unsigned* out) {\n"
    "  for (long long start = clock64(); clock64() - start < 50000000;) { }\n"
    "  *out = task * task;\n"
    "}\n";

/// Jobs of kernels that square their numbers, and what must have become of each.
class Members : public ::testing::Test {
 protected:
  static constexpr unsigned tasks = 20;

  /// Accepted jobs are expected to be there from then on.
  Finished submit(const ProcessCluster& cluster, int asked, const std::string& limit) {
    Finished done = cluster.fastgpu_at(
        asked, {"--timeout", limit, "submit", "-q", "--kernel", "square", "--source", source_,
                "--arg", "u32:{}", "--arg", "out:o_{}=4", "--tasks", std::to_string(tasks)});
    if (done.exit_code == 0) {
      jobs_.push_back(done.out.substr(0, done.out.find('\n')));
    }
    return done;
  }
  void expect_accepted(const ProcessCluster& cluster, int asked) {
    const Finished done = submit(cluster, asked, "30s");
    EXPECT_EQ(done.exit_code, 0) << done.err;
  }
  /// Each accepted job has succeeded, with all its tasks.
  void expect_all_there(const ProcessCluster& cluster, int asked) const {
    for (const std::string& job : jobs_) {
      const Finished waited = cluster.fastgpu_at(asked, {"--timeout", "120s", "wait", job});
      EXPECT_EQ(waited.exit_code, 0) << job << ": " << waited.out << waited.err;
      const Finished shown = cluster.fastgpu_at(asked, {"show", job, "--json"});
      expect_succeeded(job, shown);
    }
  }
  /// That it lacks a majority; nothing may be accepted before it says so, either.
  Finished await_refusal(const ProcessCluster& cluster, int asked) {
    Finished refused;
    EXPECT_TRUE(await([&] {
      // What it still led may be left unanswered at first.
      refused = submit(cluster, asked, "3s");
      EXPECT_NE(refused.exit_code, 0) << refused.out;
      return refused.err.find("FG4002") != std::string::npos;
    })) << refused.err;
    EXPECT_EQ(refused.exit_code, 6);
    return refused;
  }
  /// Of jobs that have ended it says that, or nothing.
  void expect_nothing_wrong(const ProcessCluster& cluster, int asked) const {
    for (const std::string& job : jobs_) {
      const Finished shown = cluster.fastgpu_at(asked, {"--timeout", "2s", "show", job, "--json"});
      if (shown.exit_code == 0) {
        expect_succeeded(job, shown);
      }
    }
  }
  static bool await(const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
    }
    return true;
  }
  /// Of shards, as that one sees it; none where it cannot say.
  static std::size_t led_by(const ProcessCluster& cluster, int asked, const std::string& name) {
    const Finished listed = cluster.fastgpu_at(asked, {"node", "list", "--json"});
    const json document = json::parse(listed.out, nullptr, false);
    std::size_t shards = 0;
    for (const json& node : document.value("items", json::array())) {
      shards += node.value("name", "") == name ? node["leads_shards"].size() : 0;
    }
    return shards;
  }

 private:
  static void expect_succeeded(const std::string& job, const Finished& shown) {
    const json document = json::parse(shown.out, nullptr, false);
    EXPECT_EQ(document.value("task_counts", json::object()).value("succeeded", 0u), tasks)
        << job << ": " << shown.out << shown.err;
  }

  const TemporaryFolder folder_;
  const std::string source_ = folder_.write("square.cu", square_source);
  std::vector<std::string> jobs_;
};

TEST_F(Members, ThatAreTooFewSayThatTheyLackAMajorityAndGoOnWhenTheOthersAreBack) {
  ProcessCluster cluster;
  cluster.await_replicas();
  for (int node = 0; node < 3; ++node) {
    expect_accepted(cluster, node);
  }
  cluster.kill(0);
  expect_accepted(cluster, 1);
  cluster.kill(1);
  const Finished refused = await_refusal(cluster, 2);
  for (const char* part : {"of its 3 replicas 1 are up, 2 are needed", "n1", "n2", "start them"}) {
    EXPECT_NE(refused.err.find(part), std::string::npos) << part << ": " << refused.err;
  }
  cluster.start(0);
  expect_accepted(cluster, 2);
  cluster.start(1);
  expect_all_there(cluster, 1);
}

TEST_F(Members, ThatAreAllKilledAtOnceHaveEverythingThatWasAccepted) {
  ProcessCluster cluster;
  cluster.await_replicas();
  for (int i = 0; i < 9; ++i) {
    expect_accepted(cluster, i % 3);
  }
  for (int node = 0; node < 3; ++node) {
    cluster.kill(node);
  }
  for (int node = 0; node < 3; ++node) {
    cluster.start(node);
  }
  expect_all_there(cluster, 0);
}

TEST_F(Members, OfFiveWithFiveReplicasAreEnoughWhileAnyTwoAreKilled) {
  ProcessCluster cluster({.nodes = 5, .replicas = 5});
  cluster.await_replicas();
  for (int node = 0; node < 5; ++node) {
    expect_accepted(cluster, node);
  }
  cluster.kill(0);
  cluster.kill(3);
  for (const int node : {1, 2, 4}) {
    expect_accepted(cluster, node);
  }
  expect_all_there(cluster, 4);
  cluster.start(0);
  cluster.start(3);
  cluster.kill(1);
  cluster.kill(2);
  for (const int node : {0, 3, 4}) {
    expect_accepted(cluster, node);
  }
  expect_all_there(cluster, 3);
}

TEST_F(Members, OfFiveWithFiveReplicasSayNothingWrongWhileThreeAreKilledAndGoOnWithOneMore) {
  ProcessCluster cluster({.nodes = 5, .replicas = 5});
  cluster.await_replicas();
  for (int node = 0; node < 5; ++node) {
    expect_accepted(cluster, node);
  }
  expect_all_there(cluster, 4);
  for (const int node : {0, 1, 2}) {
    cluster.kill(node);
  }
  for (const int node : {3, 4}) {
    const Finished refused = await_refusal(cluster, node);
    EXPECT_NE(refused.err.find("of its 5 replicas 2 are up, 3 are needed"), std::string::npos)
        << refused.err;
    expect_nothing_wrong(cluster, node);
  }
  cluster.start(2);
  expect_accepted(cluster, 3);
  cluster.start(0);
  cluster.start(1);
  expect_accepted(cluster, 1);
  expect_all_there(cluster, 0);
}

TEST_F(Members, OfFiveWithFiveReplicasThatAreAllKilledAtOnceHaveEverythingThatWasAccepted) {
  ProcessCluster cluster({.nodes = 5, .replicas = 5});
  cluster.await_replicas();
  for (int i = 0; i < 10; ++i) {
    expect_accepted(cluster, i % 5);
  }
  for (int node = 0; node < 5; ++node) {
    cluster.kill(node);
  }
  for (int node = 0; node < 5; ++node) {
    cluster.start(node);
  }
  expect_all_there(cluster, 0);
}

// That the fourth keeps replicas that count is seen when another one dies.
TEST_F(Members, TakeTheReplicasOfOneThatIsDrainedAndRemovedUnderLoad) {
  ProcessCluster cluster({.nodes = 3, .later_nodes = 1});
  cluster.await_replicas();
  expect_accepted(cluster, 0);
  cluster.join_another(1);
  expect_accepted(cluster, 3);
  const Finished drained = cluster.fastgpu_at(1, {"node", "drain", "n1"});
  EXPECT_EQ(drained.exit_code, 0) << drained.err;
  EXPECT_TRUE(await([&] {
    expect_accepted(cluster, 1);
    // Of eight shards; they are led as planned once they have their replicas.
    return led_by(cluster, 1, "n1") == 0 && led_by(cluster, 1, "n2") <= 3 &&
           led_by(cluster, 1, "n3") <= 3 && led_by(cluster, 1, "n4") >= 2;
  })) << cluster.fastgpu_at(1, {"node", "list"}).out;
  const Finished removed = cluster.fastgpu_at(1, {"node", "remove", "n1"});
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  cluster.kill(0);
  expect_accepted(cluster, 2);
  cluster.kill(1);
  expect_accepted(cluster, 3);
  expect_accepted(cluster, 2);
  expect_all_there(cluster, 3);
}

}  // namespace
}  // namespace fastgpu::testing
