#include "node/daemon/readiness.hpp"

#include <algorithm>

namespace fastgpu::node {

Readiness::Readiness(std::string name, std::uint32_t devices)
    : name_(std::move(name)), devices_(devices) {}

void Readiness::see(const protocol::ClusterView& view) {
  const bool reported = std::any_of(view.nodes.begin(), view.nodes.end(), [&](const auto& node) {
    return node.info.name == name_ && node.devices.size() >= devices_;
  });
  const std::lock_guard lock(mutex_);
  ready_ = ready_ || reported;
  changed_.notify_all();
}

bool Readiness::await(std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return ready_; });
}

}  // namespace fastgpu::node
