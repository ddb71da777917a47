#include "node/daemon/readiness.hpp"

#include <algorithm>
#include <set>

namespace fastgpu::node {

Readiness::Readiness(std::string name, std::uint32_t devices, std::uint32_t shards)
    : name_(std::move(name)), devices_(devices), shards_(shards) {}

void Readiness::see(const protocol::ClusterView& view) {
  const bool reported = std::any_of(view.nodes.begin(), view.nodes.end(), [&](const auto& node) {
    return node.info.name == name_ && node.devices.size() >= devices_;
  });
  std::set<base::ShardId> led;
  for (const protocol::NodeView& node : view.nodes) {
    for (const protocol::LedShard& shard : node.leads) {
      led.insert(shard.shard);
    }
  }
  const std::lock_guard lock(mutex_);
  ready_ = ready_ || reported;
  led_ = led_ || led.size() >= shards_;
  changed_.notify_all();
}

bool Readiness::await(std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return ready_; });
}

bool Readiness::await_leaders(std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return led_; });
}

}  // namespace fastgpu::node
