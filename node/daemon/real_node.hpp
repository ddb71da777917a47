#pragma once

/// A node on real parts: ZeroMQ, RocksDB, blob files, executor processes, this host's clock. One
/// for the daemon, several in an EmbeddedCluster. Owns its actors; ends them when destroyed.

#include <caf/all.hpp>
#include <memory>
#include <string>

#include "actors/base_actor.hpp"
#include "node/daemon/node_config.hpp"
#include "node/host/executor_program.hpp"
#include "runtime/base/result.hpp"
#include "runtime/exec/cuda/gpu_watch.hpp"

namespace fastgpu::node {

struct RealNodeOptions {
  std::string executor_program;  ///< path of fastgpu-executor
  bool use_gpus{true};           ///< false where another node of this host has them
  /// One line of the form "fact -> consequence"; may be empty. Called from any thread.
  std::function<void(const std::string&)> trace;
  /// The node's view of the cluster has changed; may be empty. Called from any thread.
  std::function<void(const protocol::SharedView&)> on_view;
};

class RealNode {
 public:
  /// Starts the node that lives in `folder`; it serves when this returns. `system` outlives it.
  static base::Result<std::unique_ptr<RealNode>> start(caf::actor_system& system,
                                                       const NodeFolder& folder,
                                                       RealNodeOptions options);
  ~RealNode();
  RealNode(const RealNode&) = delete;
  RealNode& operator=(const RealNode&) = delete;

  const protocol::NodeInfo& info() const { return context_->self; }
  /// As if tasks of this node had printed it; for tests and benches.
  void append_log(std::vector<base::LogRecord> records);

 private:
  RealNode(caf::actor_system& system, actors::ContextPtr context);

  caf::actor_system& system_;
  actors::ContextPtr context_;
  std::unique_ptr<exec::GpuWatch> gpu_watch_;  ///< of a node with GPUs
};

}  // namespace fastgpu::node
