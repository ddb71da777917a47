#pragma once

/// Commands as users run them, on real nodes: what the tests of commands share.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/system/cluster_views.hpp"

namespace fastgpu::testing {

class CommandCluster : public ::testing::Test {
 protected:
  explicit CommandCluster(ProcessClusterOptions options = {}) : cluster_(std::move(options)) {}

  /// `fastgpu --server <all> words...`, started in a folder of the test's own.
  Finished fastgpu(const std::vector<std::string>& words, Seconds limit = patience) const {
    return fastgpu_through(cluster_.servers(), words, limit);
  }
  Finished fastgpu_through(const std::string& servers, const std::vector<std::string>& words,
                           Seconds limit = patience) const {
    std::vector<std::string> command{"env",      "-C",   folder_.path(), program("fastgpu"),
                                     "--server", servers};
    command.insert(command.end(), words.begin(), words.end());
    return run_command(command, limit);
  }
  /// `fastgpu run flags... -- sh -c script`
  Finished run(std::vector<std::string> flags, const std::string& script) const {
    flags.insert(flags.begin(), "run");
    flags.insert(flags.end(), {"--", "sh", "-c", script});
    return fastgpu(flags);
  }
  std::string submit(const std::vector<std::string>& flags, const std::string& script) const {
    return submit_through(cluster_.servers(), flags, script);
  }
  /// The ledger of a job is that of the node through which it is submitted.
  std::string submit_through(const std::string& servers, std::vector<std::string> flags,
                             const std::string& script) const {
    flags.insert(flags.begin(), {"submit", "-q"});
    flags.insert(flags.end(), {"--", "sh", "-c", script});
    const Finished done = fastgpu_through(servers, flags);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done.out.substr(0, done.out.find('\n'));
  }
  nlohmann::json show(const std::string& job) const { return job_of(cluster_, job); }

  /// A word that only this test's processes carry.
  static std::string unique_word(const char* what) {
    return std::string("fg-test-") + what + "-" + std::to_string(getpid());
  }
  /// True once no process has this word in its command line.
  static bool await_none_called(const std::string& word, Seconds limit = patience) {
    return await([&] { return run_command({"pgrep", "-f", word}).out.empty(); }, limit);
  }

  ProcessCluster cluster_;
  TemporaryFolder folder_;
};

}  // namespace fastgpu::testing
