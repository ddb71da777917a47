#include <algorithm>
#include <chrono>

#include "node/cli/text/quantities.hpp"
#include "node/cli/verbs/verbs.hpp"
#include "node/host/random.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::cli {
namespace {

base::Result<protocol::NodeInfo> find_node(const protocol::ClusterStatus& cluster,
                                           const std::string& name) {
  const auto at = std::find_if(cluster.nodes.begin(), cluster.nodes.end(), [&](const auto& node) {
    return node.info.name == name || std::to_string(node.info.node.value) == name;
  });
  if (at == cluster.nodes.end()) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                       "there is no node " + name, "fastgpu node list shows its nodes"};
  }
  return at->info;
}

/// One after the other; the first that fails ends it.
int change_nodes(Context& context, const Invocation& invocation, protocol::MemberState state,
                 const std::string& said) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  for (const std::string& name : invocation.selectors) {
    const auto node = find_node(context.cluster(), name);
    if (!node.ok()) {
      return context.fail(node.error());
    }
    const auto done = connection.value()->ask_for<protocol::Recorded>(
        protocol::ChangeMember{{}, node.value().node, state, invocation.force}, context.deadline());
    if (!done.ok()) {
      return context.fail(done.error());
    }
    if (!context.wants_documents()) {
      context.tell(node.value().name + " " + said);
    }
  }
  if (context.wants_documents()) {
    context.refresh(*connection.value());
    context.print(json_node_list(context.cluster(), context.names(), context.stamp()));
  }
  return 0;
}

}  // namespace

int verb_node_drain(Context& context, const Invocation& invocation) {
  return change_nodes(context, invocation, protocol::MemberState::draining,
                      "drains: it takes no new tasks, its replicas move to other nodes");
}

int verb_node_undrain(Context& context, const Invocation& invocation) {
  return change_nodes(context, invocation, protocol::MemberState::active, "takes tasks again");
}

int verb_node_remove(Context& context, const Invocation& invocation) {
  return change_nodes(context, invocation, protocol::MemberState::removed,
                      "is removed, for good: to come back it joins with an empty folder");
}

int verb_node_token(Context& context, const Invocation& invocation) {
  const auto valid = parse_duration(invocation.valid);
  if (!valid.ok()) {
    return context.fail(valid.error());
  }
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const std::string token = node::random_token();
  const base::ObjectHash hash =
      base::sha256({reinterpret_cast<const std::uint8_t*>(token.data()), token.size()});
  const auto done = connection.value()->ask_for<protocol::Recorded>(
      protocol::AddToken{{}, hash, valid.value().count()}, context.deadline());
  if (!done.ok()) {
    return context.fail(done.error());
  }
  if (context.wants_documents()) {
    context.print(json_token(token, context.source(), context.stamp()));
  } else {
    context.print(token + "\n");
    if (context.format() == Format::table) {
      context.tell("one node may join with it, for " + invocation.valid +
                   ": write it to a file and give that to fastgpu-node join --token-file");
    }
  }
  return 0;
}

}  // namespace fastgpu::cli
