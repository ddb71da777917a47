#pragma once

/// A group as its keeper sees it, without logs: members, who lives, who leads. What a keeper asks
/// for happens at once, or as the test says; a keeper on each node, stepped where it would be.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/raft/keeper/group_keeper.hpp"

namespace fastgpu::raft::testing {

using namespace std::chrono_literals;

class KeeperBench {
 public:
  /// Of replicas on their first disks: node 3 with store 103.
  static StoreId first_store(std::uint32_t node) { return {node + 100}; }
  static Member voter(std::uint32_t node) { return {{node}, first_store(node), true}; }
  static Member learner(std::uint32_t node) { return {{node}, first_store(node), false}; }

  KeeperBench(std::vector<Member> members, std::uint32_t leads) : leader{leads} {
    sight.members.members = std::move(members);
    for (std::uint32_t node = 1; node <= 9; ++node) {
      sight.up.insert({node});
      for (std::uint32_t other = 1; other <= 9; ++other) {
        sight.known[{node}].insert({other});
      }
    }
  }

  void plan(std::vector<std::uint32_t> nodes) {
    Plan made;
    for (const std::uint32_t node : nodes) {
      made.push_back({{node}, first_store(node)});
    }
    plan_for(made);
  }
  void plan_for(const Plan& made) {
    planned = made;
    planned_at = now;
    tell(PlanKnown{made});
    now += 1s;  // it has stood for a moment
  }
  GroupKeeper& keeper() { return keeper(leader); }
  GroupKeeper& keeper(base::NodeId node) {
    auto& there = keepers[node];
    if (!there) {
      there = std::make_unique<GroupKeeper>(node);
      there->step(PlanKnown{planned}, planned_at);
    }
    return *there;
  }

  /// What the leader's keeper does when it looks.
  KeeperEffects look() {
    sight.leads = true;
    sight.near.insert(leader);
    return keeper().step(sight, now);
  }
  /// The same, but only what it does to the group; what it says is kept.
  std::optional<KeeperEffect> act() {
    std::optional<KeeperEffect> asked;
    for (const KeeperEffect& effect : look()) {
      if (const auto* says = std::get_if<KeeperSays>(&effect)) {
        said.push_back(says->line);
      } else {
        EXPECT_FALSE(asked) << "one thing at a time";
        asked = effect;
      }
    }
    return asked;
  }
  /// Nearly as the log does it; a new member is near at once.
  void apply(const KeeperEffect& effect) {
    if (const auto* change = std::get_if<KeeperChange>(&effect)) {
      apply(*change);
    } else if (const auto* order = std::get_if<KeeperHandOver>(&effect)) {
      lead(order->to);
    }
  }
  void apply(const KeeperChange& change) {
    auto& members = sight.members.members;
    if (change.change == MemberChange::add_learner) {
      members.push_back({change.node, change.store, false});
      std::sort(members.begin(), members.end(),
                [](const auto& a, const auto& b) { return a.node < b.node; });
      if (sight.up.contains(change.node)) {
        sight.near.insert(change.node);
      }
    } else if (change.change == MemberChange::remove) {
      std::erase_if(members, [&](const auto& one) { return one.node == change.node; });
    } else {
      for (Member& one : members) {
        if (one.node == change.node) {
          one.voter = change.change == MemberChange::promote;
        }
      }
    }
    sight.told = sight.near;
  }
  void lead(base::NodeId node) {
    keeper().step(GroupSight{}, now);  // leads no longer
    leader = node;
  }
  /// Acts and applies until the keeper has nothing to do, or has to wait.
  void run() {
    for (int i = 0; i < 50; ++i) {
      const auto effect = act();
      if (!effect) {
        return;
      }
      done.push_back(*effect);
      apply(*effect);
    }
    ADD_FAILURE() << "it never comes to an end";
  }
  /// The same over some time, with a look whenever one is due.
  void run_for(base::Duration time) {
    const base::Time end = now + time;
    run();
    while (keeper().next_deadline() && *keeper().next_deadline() <= end) {
      now = std::max(now, *keeper().next_deadline());
      run();
    }
    now = end;
  }
  void die(std::uint32_t node) {
    sight.up.erase({node});
    sight.near.erase({node});
    sight.told.erase({node});
  }
  /// `who` has not got `whom` on its disk, as far as the leader has heard.
  void forget(std::uint32_t who, std::uint32_t whom) { sight.known[{who}].erase({whom}); }
  void learn(std::uint32_t who, std::uint32_t whom) { sight.known[{who}].insert({whom}); }
  std::string members() const {
    std::string text;
    for (const Member& one : sight.members.members) {
      text += (text.empty() ? "" : " ") + std::to_string(one.node.value) + (one.voter ? "" : "?");
    }
    return text;
  }
  std::size_t handovers() const {
    return static_cast<std::size_t>(std::count_if(
        done.begin(), done.end(),
        [](const KeeperEffect& effect) { return std::holds_alternative<KeeperHandOver>(effect); }));
  }

  base::NodeId leader;
  GroupSight sight;
  Plan planned;
  base::Time planned_at{};
  base::Time now{1s};
  std::map<base::NodeId, std::unique_ptr<GroupKeeper>> keepers;
  std::vector<KeeperEffect> done;
  std::vector<std::string> said;

 private:
  void tell(const KeeperEvent& event) {
    keeper();
    for (auto& [node, one] : keepers) {
      one->step(event, now);
    }
  }
};

}  // namespace fastgpu::raft::testing
