#pragma once

/// Waits until a node knows its own devices, and who leads each shard. Before that it would take a
/// job that no device of its kind exists for, since it cannot tell yet, or could look at no job.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::node {

class Readiness {
 public:
  /// Of the node of this name with so many devices, in a cluster with so many shards.
  Readiness(std::string name, std::uint32_t devices, std::uint32_t shards = 0);

  /// As RealNodeOptions::on_view: from any thread.
  void see(const protocol::ClusterView& view);
  /// True once all devices have reported, healthy or not; false when `limit` passed before.
  bool await(std::chrono::seconds limit);
  /// True once each shard has been seen to have a leader.
  bool await_leaders(std::chrono::seconds limit);

 private:
  const std::string name_;
  const std::uint32_t devices_;
  const std::uint32_t shards_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_{false};
  bool led_{false};
};

}  // namespace fastgpu::node
