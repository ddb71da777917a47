#pragma once

/// A cluster of `fastgpu-node run` processes on the loopback, made as a user makes it: init, join,
/// run. For system tests: nodes are killed and started again, commands are run against it. The test
/// and what it starts have the credentials of the cluster that was made last.

#include <memory>
#include <string>
#include <vector>

#include "runtime/link/reserved_ports.hpp"
#include "tests/support/process/process.hpp"

namespace fastgpu::testing {

struct ProcessClusterOptions {
  int nodes{3};
  int cpu_devices{1};                      ///< of each node
  int null_devices{0};                     ///< of each node
  int replicas{3};                         ///< of each shard, where there are nodes enough
  int later_nodes{0};                      ///< that may join later
  std::vector<std::string> environment{};  ///< "NAME=VALUE", of every node beside the test's own
};

class ProcessCluster {
 public:
  /// All nodes serve when this returns; a node that does not fails the test with what it said.
  explicit ProcessCluster(ProcessClusterOptions options = {});

  /// "127.0.0.1:40123", counted from 0.
  const std::string& address(int index) const { return addresses_.at(index); }
  /// All of them, as --server takes them.
  std::string servers() const;
  std::string folder(int index) const;
  const TemporaryFolder& scratch() const { return scratch_; }

  /// Until the ledger's replicas are where they are to be: three nodes survive any one of them,
  /// five with five replicas any two, only from then on. The first kill or freeze waits for it,
  /// too.
  void await_replicas();
  void kill(int index);
  void start(int index);
  /// A further node, with a token that node `member` made; it serves when this returns.
  void join_another(int member);
  int size() const { return static_cast<int>(addresses_.size()); }
  bool is_up(int index) const { return nodes_.at(index) != nullptr; }
  pid_t pid(int index) const { return nodes_.at(index)->pid(); }
  /// True once the node has said this on stderr.
  bool await_error(int index, const std::string& text) const {
    return nodes_.at(index)->await_error(text);
  }
  /// SIGSTOP and SIGCONT of the node's own process; its children go on.
  void freeze(int index);
  void thaw(int index) const;
  /// `fastgpu --server <all nodes> words...`
  Finished fastgpu(const std::vector<std::string>& words, Seconds limit = patience) const;
  /// The same, through one node.
  Finished fastgpu_at(int index, const std::vector<std::string>& words,
                      Seconds limit = patience) const;

 private:
  /// With a token for one more node, made by that one.
  std::string token_file(int member) const;
  /// Founds the cluster, or joins the member.
  void make_node(int member);
  /// From now on the test and its programs know all nodes' keys.
  void use_keys() const;
  /// Node `asked` sees the leaderships spread over all nodes, which is done last.
  bool leaders_are_spread(int asked) const;

  const ProcessClusterOptions options_;
  TemporaryFolder scratch_;
  link::ReservedPorts ports_;
  std::vector<std::string> addresses_;
  std::vector<std::unique_ptr<Process>> nodes_;
  bool replicas_seen_{false};
};

}  // namespace fastgpu::testing
