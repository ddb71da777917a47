#pragma once

/// Several whole nodes inside one process: for `fastgpu up`, for tests and benches, and for
/// programs that bring their own cluster. The nodes are the same as the daemon's; they talk to each
/// other and to clients over sockets on the loopback and share nothing but the actor system's
/// threads.
///
/// Owned by the caller; ends its nodes and, if it made the folder, removes it. Calls block.

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/log_record.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::node {

struct EmbeddedOptions {
  std::uint32_t nodes{1};
  std::uint32_t cpu_devices{1};    ///< of each node
  std::uint32_t null_devices{0};   ///< of each node
  std::uint32_t replicas{3};       ///< of each shard, where there are nodes enough: 1, 3 or 5
  std::filesystem::path folder;    ///< empty: a temporary one, removed at the end
  std::string executor_program{};  ///< empty: fastgpu-executor beside the running program
  std::chrono::seconds start_limit{30};
};

class EmbeddedCluster {
 public:
  /// All nodes serve and know each other and their devices when this returns; an Error names what
  /// was missing after `start_limit`. A folder used before is taken up again, with the same
  /// number of nodes.
  static base::Result<std::unique_ptr<EmbeddedCluster>> start(EmbeddedOptions options);
  ~EmbeddedCluster();
  EmbeddedCluster(const EmbeddedCluster&) = delete;
  EmbeddedCluster& operator=(const EmbeddedCluster&) = delete;

  /// Where clients dial: "127.0.0.1:40123", one for each node.
  std::vector<std::string> addresses() const;
  /// The file with which clients connect; there as long as the folder is.
  std::filesystem::path credentials() const;
  /// Ends one node, or starts it again; counted from 0.
  void stop(std::uint32_t index);
  base::Status restart(std::uint32_t index);
  /// As if tasks of that node had printed it; for tests and benches. The node must be up.
  void append_log(std::uint32_t index, std::vector<base::LogRecord> records);

 private:
  struct Impl;
  explicit EmbeddedCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fastgpu::node
