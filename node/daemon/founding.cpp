#include "node/daemon/founding.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "actors/replica/raft_record.hpp"
#include "node/host/random.hpp"
#include "runtime/base/check.hpp"
#include "runtime/ledger/tables/replica_plan.hpp"
#include "runtime/store/rocksdb_store.hpp"

namespace fastgpu::node {
namespace {

/// As the root comes to it when it takes the founders in, one after the other.
std::vector<protocol::ShardPlan> plan_of(const NodeIdentity& identity) {
  std::vector<protocol::ShardPlan> plan;
  std::vector<base::NodeId> nodes;
  for (const protocol::NodeInfo& founder : identity.members) {
    nodes.push_back(founder.node);
    plan = ledger::plan_replicas(std::move(plan), nodes, identity.shard_count,
                                 ledger::replicas_of(identity.replicas));
  }
  return plan;
}

base::StoreId store_of(const NodeIdentity& identity, base::NodeId node) {
  const auto at = std::find_if(identity.members.begin(), identity.members.end(),
                               [&](const auto& member) { return member.node == node; });
  FASTGPU_CHECK(at != identity.members.end(), "the plan names members only");
  return at->store;
}

/// Two voters survive the death of neither, so the second of two founders joins as a learner.
raft::Configuration voters_of(const protocol::ShardPlan& shard, const NodeIdentity& identity) {
  std::vector<base::NodeId> nodes = shard.replicas;
  nodes.resize(nodes.size() < 3 ? 1 : nodes.size());
  std::sort(nodes.begin(), nodes.end());
  raft::Configuration group;
  for (const base::NodeId node : nodes) {
    group.members.push_back({node, store_of(identity, node), true});
  }
  return group;
}

base::Status make_store(const NodeFolder& folder, base::StoreId id) {
  auto store = store::RocksDbStore::open({.folder = folder.store().string()});
  if (!store.ok()) {
    return store.error();
  }
  store.value()->start([](store::StoreDurable) {});
  const base::Admission taken = store.value()->write({1}, {actors::put_store_id(id)});
  FASTGPU_CHECK(taken == base::Admission::accepted, "an empty store takes a write");
  return {};  // its end waits until that is on the disk
}

}  // namespace

base::StoreId random_store_id() {
  return {random_seed() | 1};  // 0 means none
}

base::Status found_node(const NodeFolder& folder, const NodeSettings& settings,
                        const NodeIdentity& identity) {
  if (const base::Status begun = folder.begin(settings); !begun.ok()) {
    return begun;
  }
  if (const base::Status made = make_store(folder, store_of(identity, identity.node)); !made.ok()) {
    return made;
  }
  return folder.found(identity);
}

std::map<base::ShardId, raft::Configuration> founding_groups(const NodeIdentity& identity) {
  std::map<base::ShardId, raft::Configuration> groups;
  for (std::uint32_t shard = 0; shard < identity.shard_count; ++shard) {
    groups[{shard}] = {};
  }
  if (!identity.founder) {
    return groups;
  }
  for (const protocol::ShardPlan& shard : plan_of(identity)) {
    raft::Configuration group = voters_of(shard, identity);
    if (group.has_voter(identity.node, store_of(identity, identity.node))) {
      groups[shard.shard] = std::move(group);
    }
  }
  return groups;
}

}  // namespace fastgpu::node
