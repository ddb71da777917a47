#include "runtime/ledger/tables/replica_plan.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace fastgpu::ledger {
namespace {

using Plan = std::vector<protocol::ShardPlan>;
using Loads = std::map<base::NodeId, std::size_t>;

bool has(const protocol::ShardPlan& shard, base::NodeId node) {
  return std::find(shard.replicas.begin(), shard.replicas.end(), node) != shard.replicas.end();
}

base::NodeId least_loaded(const Loads& loads) {
  return std::min_element(loads.begin(), loads.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

base::NodeId most_loaded(const Loads& loads) {
  return std::max_element(loads.begin(), loads.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

/// Adds the node with the fewest replicas that is not among them.
void add_replica(protocol::ShardPlan& shard, Loads& loads) {
  Loads others = loads;
  for (const base::NodeId node : shard.replicas) {
    others.erase(node);
  }
  const base::NodeId node = least_loaded(others);
  shard.replicas.push_back(node);
  ++loads[node];
}

/// Moves one replica from the fullest to the emptiest node; a leading one only where no other can.
bool move_replica(Plan& plan, Loads& loads) {
  const base::NodeId from = most_loaded(loads);
  const base::NodeId to = least_loaded(loads);
  if (loads[from] < loads[to] + 2) {
    return false;
  }
  protocol::ShardPlan* chosen = nullptr;
  for (protocol::ShardPlan& shard : plan) {
    if (!has(shard, from) || has(shard, to)) {
      continue;
    }
    chosen = &shard;
    if (shard.replicas.front() != from) {
      break;
    }
  }
  if (!chosen) {
    return false;
  }
  std::replace(chosen->replicas.begin(), chosen->replicas.end(), from, to);
  --loads[from];
  ++loads[to];
  return true;
}

/// Lets a shard be led by another of its nodes where that evens out the leaderships.
bool move_leadership(Plan& plan, Loads& leads) {
  for (protocol::ShardPlan& shard : plan) {
    const auto best =
        std::min_element(shard.replicas.begin(), shard.replicas.end(),
                         [&](base::NodeId a, base::NodeId b) { return leads[a] < leads[b]; });
    if (leads[*best] + 2 <= leads[shard.replicas.front()]) {
      --leads[shard.replicas.front()];
      ++leads[*best];
      std::iter_swap(shard.replicas.begin(), best);
      return true;
    }
  }
  return false;
}

}  // namespace

base::Status check_replicas(std::uint32_t replicas) {
  if (replicas == 1 || replicas == 3 || replicas == 5) {
    return {};
  }
  return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                     "a shard cannot have " + std::to_string(replicas) + " replicas",
                     "ask for 3 (any one node may be lost), 5 (any two), or 1 (none)"};
}

std::vector<protocol::ShardPlan> plan_replicas(std::vector<protocol::ShardPlan> before,
                                               const std::vector<base::NodeId>& nodes,
                                               std::uint32_t shard_count, std::uint32_t replicas) {
  Plan plan = std::move(before);
  plan.resize(shard_count);
  const std::size_t wanted = std::min<std::size_t>(replicas, nodes.size());
  Loads loads;
  for (const base::NodeId node : nodes) {
    loads[node] = 0;
  }
  for (std::uint32_t i = 0; i < shard_count; ++i) {
    plan[i].shard = {i};
    std::erase_if(plan[i].replicas, [&](base::NodeId node) { return !loads.contains(node); });
    plan[i].replicas.resize(std::min(plan[i].replicas.size(), wanted));
    for (const base::NodeId node : plan[i].replicas) {
      ++loads[node];
    }
  }
  for (protocol::ShardPlan& shard : plan) {
    while (shard.replicas.size() < wanted) {
      add_replica(shard, loads);
    }
  }
  while (move_replica(plan, loads)) {
  }
  Loads leads;
  for (const protocol::ShardPlan& shard : plan) {
    ++leads[shard.replicas.front()];
  }
  while (move_leadership(plan, leads)) {
  }
  return plan;
}

}  // namespace fastgpu::ledger
