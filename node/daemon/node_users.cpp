#include "node/daemon/node_users.hpp"

namespace fastgpu::node {
namespace {

/// Between the wishes of two nodes of a cluster: as many as a node with all its devices takes.
constexpr std::uint32_t users_of_a_node = 65;

}  // namespace

base::Result<NodeUsers> claim_users(const NodeSettings& settings, const NodeIdentity& who,
                                    std::size_t command_devices) {
  const exec::UserRange range = settings.users.value_or(exec::default_users());
  const auto wish = static_cast<std::uint32_t>(who.cluster.low) + who.node.value * users_of_a_node;
  NodeUsers users;
  users.commands.resize(command_devices);
  base::Result<exec::ClaimedUser> claimed = exec::claim_user(range, wish);
  if (!claimed.ok()) {
    return claimed.error();
  }
  users.kernels = claimed.value();
  for (std::size_t i = 0; i < command_devices; ++i) {
    claimed = exec::claim_user(range, wish + 1 + static_cast<std::uint32_t>(i));
    if (!claimed.ok()) {
      return claimed.error();
    }
    users.commands[i] = claimed.value();
  }
  return users;
}

}  // namespace fastgpu::node
