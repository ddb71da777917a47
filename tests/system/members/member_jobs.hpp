#pragma once

/// What tests of members share: jobs of kernels that were accepted, and what must have become of
/// each, whatever came and went meanwhile.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/process/process_cluster.hpp"

namespace fastgpu::testing {

// Some milliseconds of a device each.
inline constexpr const char* square_source =
    "__global__ void square(unsigned task, unsigned* out) {\n"
    "  for (long long start = clock64(); clock64() - start < 50000000;) { }\n"
    "  *out = task * task;\n"
    "}\n";

/// Jobs of kernels that square their numbers, and what must have become of each.
class MemberJobs : public ::testing::Test {
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
    const nlohmann::json document = nlohmann::json::parse(listed.out, nullptr, false);
    std::size_t shards = 0;
    for (const nlohmann::json& node : document.value("items", nlohmann::json::array())) {
      shards += node.value("name", "") == name ? node["leads_shards"].size() : 0;
    }
    return shards;
  }
  /// Its drain is over, as that one sees it.
  static bool is_drained(const ProcessCluster& cluster, int asked, const std::string& name) {
    const Finished listed = cluster.fastgpu_at(asked, {"node", "list", "--json"});
    const nlohmann::json document = nlohmann::json::parse(listed.out, nullptr, false);
    for (const nlohmann::json& node : document.value("items", nlohmann::json::array())) {
      if (node.value("name", "") == name) {
        return node.value("drained", false);
      }
    }
    return false;
  }

 private:
  static void expect_succeeded(const std::string& job, const Finished& shown) {
    const nlohmann::json document = nlohmann::json::parse(shown.out, nullptr, false);
    EXPECT_EQ(document.value("task_counts", nlohmann::json::object()).value("succeeded", 0u), tasks)
        << job << ": " << shown.out << shown.err;
  }

  const TemporaryFolder folder_;
  const std::string source_ = folder_.write("square.cu", square_source);
  std::vector<std::string> jobs_;
};

}  // namespace fastgpu::testing
