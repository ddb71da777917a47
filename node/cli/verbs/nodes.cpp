#include <algorithm>
#include <chrono>

#include "node/cli/text/quantities.hpp"
#include "node/cli/verbs/verbs.hpp"
#include "runtime/security/join_token.hpp"

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

/// With the keys of all members that a node could ask.
security::JoinToken make_token(const protocol::ClusterStatus& cluster) {
  security::ServerKeys servers;
  for (const protocol::NodeView& node : cluster.nodes) {
    if (node.info.state != protocol::MemberState::removed && security::is_key(node.info.key)) {
      servers[node.info.address] = node.info.key;
    }
  }
  return security::make_join_token(std::move(servers));
}

}  // namespace

int verb_node_drain(Context& context, const Invocation& invocation) {
  return change_nodes(
      context, invocation, protocol::MemberState::draining,
      "drains: it takes no new tasks, its replicas and objects move to other nodes; "
      "that is over once fastgpu node list shows it as drained");
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
  const security::JoinToken token = make_token(context.cluster());
  const auto done = connection.value()->ask_for<protocol::Recorded>(
      protocol::AddToken{{}, security::hash_of_key(token.shown()), valid.value().count()},
      context.deadline());
  if (!done.ok()) {
    return context.fail(done.error());
  }
  if (context.wants_documents()) {
    context.print(json_token(security::to_text(token), context.source(), context.stamp()));
  } else {
    context.print(security::to_text(token));
    if (context.format() == Format::table) {
      context.tell("one node may join with it, for " + invocation.valid +
                   ": write it to a file of mode 0600 and give that to fastgpu-node join "
                   "--token-file");
    }
  }
  return 0;
}

}  // namespace fastgpu::cli
