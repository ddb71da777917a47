#pragma once

/// Nodes as processes, made as a user makes them (init, join, run), each in its room, with a proxy
/// between them; and how one speaks with them. All that is started for a run is started here: the
/// programs by `run_in`, the connections by `connect`. Who a program says it is, is said there.
///
/// Processes are started by the thread that made the cluster, and end with it. A node that ends by
/// itself is told once, with what it said last.

#include <signal.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/connection.hpp"
#include "runtime/link/reserved_ports.hpp"
#include "tests/chaos/options.hpp"
#include "tests/chaos/proxy.hpp"
#include "tests/chaos/recorder.hpp"
#include "tests/chaos/rooms.hpp"
#include "tests/chaos/small_disk.hpp"
#include "tests/support/process/process.hpp"

namespace fastgpu::chaos {

class Cluster {
 public:
  /// All nodes serve when this returns. `folder` is the run's own; nothing is removed from it.
  static base::Result<std::unique_ptr<Cluster>> found(const ChaosOptions& options,
                                                      const std::string& folder);
  ~Cluster();

  int size() const { return static_cast<int>(nodes_.size()); }
  static std::string name(int node) { return "n" + std::to_string(node + 1); }
  std::uint32_t shard_count() const { return shard_count_; }
  std::uint16_t recorder_port() const { return recorder_port_; }
  const std::string& folder() const { return folder_; }

  /// Null where links cannot be disturbed; then `why_no_links` says why.
  Proxy* links() const { return links_.get(); }
  const std::string& why_no_links() const { return why_no_links_; }
  /// Of the last node; null where no file system can be mounted.
  const SmallDisk* disk() const { return disk_.get(); }
  const std::string& why_no_disk() const { return why_no_disk_; }

  bool is_up(int node) const { return nodes_[index(node)] != nullptr; }
  void kill(int node);
  /// `spawn` comes back at once; `await_ready` once the node serves.
  void spawn(int node);
  base::Status await_ready(int node);
  void freeze(int node) const { nodes_[index(node)]->signal(SIGSTOP); }
  void thaw(int node) const { nodes_[index(node)]->signal(SIGCONT); }
  /// What a node said that has ended without being told to. It is not up any more.
  std::optional<std::string> ended_by_itself(int node);

  std::shared_ptr<client::Connection> connect(const std::vector<int>& nodes,
                                              const std::string& program) const;

 private:
  explicit Cluster(std::string folder) : folder_(std::move(folder)) {}
  base::Status prepare(const ChaosOptions& options);
  base::Status make_node(const ChaosOptions& options, int node);
  std::string token_file(int node) const;
  testing::Finished run_in(int node, const std::vector<std::string>& words) const;
  static std::size_t index(int node) { return static_cast<std::size_t>(node); }
  std::string node_folder(int node) const { return folder_ + "/" + name(node); }
  /// Keeps what the process has said on stderr.
  void bury(int node);

  std::string folder_;
  std::uint32_t shard_count_{};
  std::uint16_t recorder_port_{};
  link::ReservedPorts ports_;
  std::vector<std::string> addresses_;
  Rooms rooms_;
  std::string why_no_links_;
  std::string why_no_disk_;
  std::unique_ptr<SmallDisk> disk_;
  std::unique_ptr<Proxy> links_;
  std::vector<std::unique_ptr<testing::Process>> nodes_;
  std::unique_ptr<HistoryFile> executions_;
  std::unique_ptr<Recorder> recorder_;  ///< ends before its file
};

}  // namespace fastgpu::chaos
