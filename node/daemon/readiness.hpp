#pragma once

/// Waits until a node knows its own devices. Before that it would take a job that no device of
/// its kind exists for, since it cannot tell yet.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::node {

class Readiness {
 public:
  /// Of the node of this name with so many devices.
  Readiness(std::string name, std::uint32_t devices);

  /// As RealNodeOptions::on_view: from any thread.
  void see(const protocol::ClusterView& view);
  /// True once all devices have reported, healthy or not; false when `limit` passed before.
  bool await(std::chrono::seconds limit);

 private:
  const std::string name_;
  const std::uint32_t devices_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_{false};
};

}  // namespace fastgpu::node
