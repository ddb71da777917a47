#include "runtime/protocol/cluster.hpp"

#include <algorithm>

namespace fastgpu::protocol {

const char* to_word(MemberState state) {
  static constexpr const char* words[] = {"active", "draining", "removed"};
  return words[static_cast<std::size_t>(state)];
}

const char* to_word(NodeState state) {
  static constexpr const char* words[] = {"up", "suspect", "down"};
  return words[static_cast<std::size_t>(state)];
}

bool is_drained(const NodeView& node, const std::vector<NodeView>& all) {
  const auto is_idle = [](const DeviceBooks& books) {
    return books.slots_free == books.slots_total && books.queued_tasks == 0;
  };
  const auto has_all_copies = [](const NodeView& one) {
    return one.state == NodeState::down ||
           (one.duties && one.duties->copies_counted && one.duties->copies_due == 0);
  };
  return node.info.state == MemberState::draining && node.state == NodeState::up && node.duties &&
         node.duties->voting_replicas == 0 &&
         std::all_of(node.devices.begin(), node.devices.end(), is_idle) &&
         std::all_of(all.begin(), all.end(), has_all_copies);
}

}  // namespace fastgpu::protocol
