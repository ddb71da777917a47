#include "runtime/session/cluster_map.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <utility>

namespace fastgpu::session {
namespace {

std::string seconds(std::int64_t nanoseconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f s", static_cast<double>(nanoseconds) * 1e-9);
  return text.data();
}

}  // namespace

void ClusterMap::update(protocol::SharedView view) {
  view_ = std::move(view);
  leaders_.clear();
  std::map<base::ShardId, protocol::LedShard> claims;
  for (const protocol::NodeView& node : view_->nodes) {
    for (const protocol::LedShard& led : node.leads) {
      // Two may claim a shard while the news of a new leader spreads: the later term is right.
      const auto claim = claims.find(led.shard);
      if (claim != claims.end() &&
          std::pair(claim->second.epoch, claim->second.term) > std::pair(led.epoch, led.term)) {
        continue;
      }
      claims[led.shard] = led;
      last_leaders_[led.shard] = node.info.node;
      if (node.state == protocol::NodeState::down) {
        leaders_.erase(led.shard);
      } else {
        leaders_[led.shard] = node.info.node;
      }
    }
  }
}

std::optional<base::NodeId> ClusterMap::leader_of(base::ShardId shard) const {
  const auto found = leaders_.find(shard);
  return found == leaders_.end() ? std::nullopt : std::optional(found->second);
}

std::map<base::NodeId, std::vector<base::ShardId>> ClusterMap::led_shards() const {
  std::map<base::NodeId, std::vector<base::ShardId>> led;
  for (const auto& [shard, node] : leaders_) {
    led[node].push_back(shard);
  }
  return led;
}

std::vector<base::ShardId> ClusterMap::led_by(base::NodeId node) const {
  std::vector<base::ShardId> led;
  for (const auto& [shard, leader] : leaders_) {
    if (leader == node) {
      led.push_back(shard);
    }
  }
  return led;
}

std::uint32_t ClusterMap::shards_silent() const {
  if (replicated_) {
    return layout_.shard_count - static_cast<std::uint32_t>(leaders_.size());
  }
  std::uint32_t silent = 0;
  std::set<base::NodeId> led_once;
  for (const auto& [shard, node] : last_leaders_) {
    led_once.insert(node);
    silent += leaders_.contains(shard) ? 0 : 1;
  }
  for (const protocol::NodeView& node : view_->nodes) {
    const bool never_heard = node.state != protocol::NodeState::up && node.leads.empty();
    silent += never_heard && !led_once.contains(node.info.node) ? 1 : 0;
  }
  return silent;
}

bool ClusterMap::is_empty(base::ShardId shard) const {
  return !replicated_ && !last_leaders_.contains(shard) &&
         std::all_of(view_->nodes.begin(), view_->nodes.end(), [](const protocol::NodeView& node) {
           return node.state == protocol::NodeState::up && !node.leads.empty();
         });
}

std::string ClusterMap::why_leaderless(base::ShardId shard) const {
  std::string text = "no node leads shard " + std::to_string(shard.value) + " now";
  const auto last = last_leaders_.find(shard);
  if (last == last_leaders_.end()) {
    return text;
  }
  text += "; " + name_of(last->second) + " led it";
  if (const protocol::NodeView* node = find(last->second)) {
    text += " and was last heard of " + seconds(node->age_ns) + " ago";
  }
  return text;
}

std::optional<base::Error> ClusterMap::lacks_majority(base::ShardId shard) const {
  if (!replicated_ || !view_ || !view_->members) {
    return std::nullopt;
  }
  const std::vector<protocol::ShardPlan>& plan = view_->members->plan;
  const auto planned = std::find_if(plan.begin(), plan.end(),
                                    [shard](const auto& each) { return each.shard == shard; });
  if (planned == plan.end()) {
    return std::nullopt;
  }
  std::size_t up = 0;
  std::string away;
  for (const base::NodeId node : planned->replicas) {
    const protocol::NodeView* found = find(node);
    if (found != nullptr && found->state == protocol::NodeState::up) {
      ++up;
    } else {
      away += (away.empty() ? "" : ", ") + name_of(node);
    }
  }
  const std::size_t needed = planned->replicas.size() / 2 + 1;
  if (up >= needed) {
    return std::nullopt;
  }
  return base::Error{base::ErrorKind::unavailable, base::ErrorCode::no_majority,
                     "shard " + std::to_string(shard.value) + " has no majority: of its " +
                         std::to_string(planned->replicas.size()) + " replicas " +
                         std::to_string(up) + " are up, " + std::to_string(needed) +
                         " are needed; " + away + " not",
                     "start them again: nothing that was accepted is lost, and it goes on by "
                     "itself"};
}

std::string ClusterMap::why_away(base::NodeId node) const {
  std::string text = name_of(node) + (may_answer(node) ? " is silent" : " is down");
  if (const protocol::NodeView* found = find(node)) {
    text += "; it was last heard of " + seconds(found->age_ns) + " ago";
  }
  return text;
}

std::string ClusterMap::name_of(base::NodeId node) const {
  const protocol::NodeView* found = find(node);
  return found && !found->info.name.empty() ? found->info.name : base::to_string(node);
}

base::Incarnation ClusterMap::life_of(base::NodeId node) const {
  const protocol::NodeView* found = find(node);
  return found ? found->incarnation : base::Incarnation{};
}

protocol::Welcome ClusterMap::welcome() const {
  protocol::Welcome welcome;
  welcome.protocol_version = base::limits::protocol_version;
  welcome.cluster = view_->cluster;
  welcome.shard_count = layout_.shard_count;
  welcome.leads = led_by(self_);
  for (const protocol::NodeView& node : view_->nodes) {
    welcome.members.push_back(node.info);
  }
  if (const protocol::NodeView* self = find(self_)) {
    welcome.node = self->info;
    welcome.incarnation = self->incarnation;
  }
  return welcome;
}

protocol::ClusterStatus ClusterMap::status() const {
  return {view_->cluster, self_, view_->nodes};
}

const protocol::NodeView* ClusterMap::find(base::NodeId node) const {
  if (!view_) {
    return nullptr;
  }
  const auto found =
      std::find_if(view_->nodes.begin(), view_->nodes.end(),
                   [&](const protocol::NodeView& view) { return view.info.node == node; });
  return found == view_->nodes.end() ? nullptr : &*found;
}

bool ClusterMap::is_up(base::NodeId node) const {
  const protocol::NodeView* found = find(node);
  return found != nullptr && found->state == protocol::NodeState::up;
}

bool ClusterMap::may_answer(base::NodeId node) const {
  const protocol::NodeView* found = find(node);
  return found != nullptr && found->state != protocol::NodeState::down;
}

}  // namespace fastgpu::session
