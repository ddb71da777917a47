// One failed sync of the ledger's log: what is on the disk is unknown from then on, so the process
// ends itself and acknowledges nothing more. Played by a library that is preloaded into one node
// (tests/support/failing_sync).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "fastgpu/client.hpp"
#include "tests/system/cluster_views.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FASTGPU_SKIP_PRELOAD GTEST_SKIP() << "a sanitizer must be the first library that is loaded"
#else
#define FASTGPU_SKIP_PRELOAD static_cast<void>(0)
#endif

namespace fastgpu::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int users = 4;

/// A node on a disk whose syncs fail once it is told to; in a folder of a cluster whose own node
/// there has been killed.
class FailingNode {
 public:
  FailingNode(const ProcessCluster& cluster, int index)
      : store_(cluster.folder(index) + "/store"),
        control_(cluster.scratch().file("sync")),
        process_((fs::create_directories(control_), command(cluster, index))) {}

  Process& process() { return process_; }
  void fail() const { std::ofstream(control_ + "/fail") << "now\n"; }
  int failed_syncs() const {
    const std::string noted = read_file(control_ + "/failed");
    return static_cast<int>(std::count(noted.begin(), noted.end(), '\n'));
  }
  /// What was written after the last good sync is lost, as it is when the host goes down next.
  /// Gives how many bytes that were.
  std::uintmax_t lose_unsynced() const {
    std::map<std::string, std::uintmax_t> synced;
    std::istringstream noted(read_file(control_ + "/synced"));
    std::string name;
    for (std::uintmax_t bytes = 0; noted >> name >> bytes;) {
      synced[name] = std::max(synced[name], bytes);
    }
    std::uintmax_t lost = 0;
    for (const fs::directory_entry& file : fs::directory_iterator(store_)) {
      const auto known = synced.find(file.path().filename().string());
      if (file.path().extension() == ".log" && known != synced.end() &&
          file.file_size() > known->second) {
        lost += file.file_size() - known->second;
        fs::resize_file(file.path(), known->second);
      }
    }
    return lost;
  }

 private:
  std::vector<std::string> command(const ProcessCluster& cluster, int index) const {
    return {"env",
            std::string("LD_PRELOAD=") + FASTGPU_TEST_FAILING_SYNC,
            "FASTGPU_TEST_SYNC_FOLDER=" + store_,
            "FASTGPU_TEST_SYNC_CONTROL=" + control_,
            program("fastgpu-node"),
            "run",
            "--dir",
            cluster.folder(index)};
  }

  const std::string store_;
  const std::string control_;
  Process process_;
};

/// Users who submit one small job after the other, and remember which were accepted.
class Users {
 public:
  explicit Users(const std::vector<std::string>& servers) {
    for (int user = 0; user < users; ++user) {
      threads_.emplace_back([this, servers] { submit_until_stopped(servers); });
    }
  }
  ~Users() { stop(); }
  Users(const Users&) = delete;
  Users& operator=(const Users&) = delete;

  bool await_accepted(std::size_t count) {
    return await([&] { return accepted().size() >= count; });
  }
  std::vector<fastgpu::JobId> accepted() {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }
  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

 private:
  void submit_until_stopped(const std::vector<std::string>& servers) {
    const fastgpu::Client client =
        fastgpu::Client::open({.servers = servers, .timeout = std::chrono::seconds(10)}).value();
    const auto spec =
        fastgpu::JobSpec{}.kernel("noop").source("__global__ void noop() {}\n").device("null");
    while (!stopping_) {
      const auto job = client.submit(spec);  // what fails, or is unknown, is no promise
      if (job.has_value()) {
        const std::lock_guard lock(mutex_);
        accepted_.push_back(job.value().id());
      }
    }
  }

  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<fastgpu::JobId> accepted_;
  std::vector<std::thread> threads_;
};

void expect_all_succeed(const std::string& server, const std::vector<fastgpu::JobId>& jobs) {
  const fastgpu::Client client = fastgpu::Client::open({.servers = {server}}).value();
  for (const fastgpu::JobId job : jobs) {
    const auto state = client.job(job).wait(patience);
    ASSERT_TRUE(state.has_value()) << job.value << " was accepted: " << state.error().message;
    EXPECT_EQ(state.value(), fastgpu::JobState::succeeded) << job.value;
  }
}

TEST(FailedSync, EndsItsProcessAndTheClusterCarriesItsWork) {
  FASTGPU_SKIP_PRELOAD;
  ProcessCluster cluster({.nodes = 3, .cpu_devices = 0, .null_devices = 1});
  cluster.await_replicas();
  constexpr int victim = 2;
  cluster.kill(victim);
  FailingNode node(cluster, victim);
  ASSERT_TRUE(node.process().await_line("ready")) << node.process().err();
  ASSERT_TRUE(await_devices(cluster, 0, 3));
  // All of them begin at the node that is to fail.
  Users crowd({cluster.address(victim), cluster.address(0), cluster.address(1)});
  ASSERT_TRUE(crowd.await_accepted(100));

  node.fail();
  EXPECT_EQ(node.process().await_end(), 1) << node.process().err();
  EXPECT_THAT(node.process().err(), HasSubstr("this node ends"));
  EXPECT_THAT(node.process().err(), HasSubstr("see to the disk of its data folder (FG9001)"));
  EXPECT_EQ(node.failed_syncs(), 1) << "what has failed once is not tried again";

  EXPECT_TRUE(crowd.await_accepted(crowd.accepted().size() + 100)) << "submits go on";
  crowd.stop();
  expect_all_succeed(cluster.address(0), crowd.accepted());

  node.lose_unsynced();
  cluster.start(victim);
  EXPECT_TRUE(await_seen(cluster, 0, "n3"));
  expect_all_succeed(cluster.address(victim), crowd.accepted());
}

TEST(FailedSync, IsFollowedByNoAcknowledgement) {
  FASTGPU_SKIP_PRELOAD;
  // Alone: no other replica makes up for what this disk has not.
  ProcessCluster cluster({.nodes = 1, .cpu_devices = 0, .null_devices = 1});
  cluster.kill(0);
  FailingNode node(cluster, 0);
  ASSERT_TRUE(node.process().await_line("ready")) << node.process().err();
  Users crowd({cluster.address(0)});
  ASSERT_TRUE(crowd.await_accepted(100));
  node.fail();
  EXPECT_EQ(node.process().await_end(), 1) << node.process().err();
  crowd.stop();
  const std::vector<fastgpu::JobId> acknowledged = crowd.accepted();
  EXPECT_GT(node.lose_unsynced(), 0u) << "the failed sync was to bring something to the disk";
  cluster.start(0);
  expect_all_succeed(cluster.address(0), acknowledged);
}

}  // namespace
}  // namespace fastgpu::testing
