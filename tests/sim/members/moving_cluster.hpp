#pragma once

/// A simulated cluster that nodes join and leave under load, and what must have come of it in the
/// end.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/group_watch.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {

using namespace std::chrono_literals;

/// Between the world and a watch that may be replaced.
struct Relay final : actors::Observer {
  explicit Relay(std::shared_ptr<GroupWatch> to) : watch(std::move(to)) {}

  void shard_stepped(const protocol::NodeInfo& node, const ledger::ShardMachine& shard) override {
    if (!apart.contains(node.node)) {
      watch->shard_stepped(node, shard);
    } else if (shard.leading()) {
      ++led_apart;
    }
  }
  void worker_stepped(const protocol::NodeInfo& node,
                      const worker::WorkerMachine& worker) override {
    watch->worker_stepped(node, worker);
  }
  void objects_removed(const protocol::NodeInfo& node,
                       const std::vector<base::ObjectHash>& hashes) override {
    watch->objects_removed(node, hashes);
  }
  void replica_stepped(const protocol::NodeInfo& node, base::ShardId shard,
                       const raft::RaftMachine& machine) override {
    if (!apart.contains(node.node)) {
      watch->replica_stepped(node, shard, machine);
    } else if (machine.outdated()) {
      outdated.insert({node.node, shard});
    }
  }

  std::shared_ptr<GroupWatch> watch;
  /// Nodes whose replicas belong to no group any more.
  std::set<base::NodeId> apart;
  std::uint64_t led_apart{0};  ///< steps of those that lead all the same
  std::set<std::pair<base::NodeId, base::ShardId>> outdated;
};

/// A cluster that nodes join and leave, with a user who submits all the time.
class MovingCluster {
 public:
  explicit MovingCluster(SimOptions options)
      : random_(options.seed * 0x9e3779b97f4a7c15u + 7),
        world(options, relay),
        client_(std::make_unique<SimClient>(world)) {}

  void load(base::Duration lasting) { submit_until(world.now() + lasting); }
  /// Starts it and lets it join, after those that were to join before: ids are given in order.
  void join(std::uint32_t index) {
    if (!world.is_up(index)) {
      world.start(index);
    }
    joins_.push_back(index);
    if (joins_.size() == 1) {
      begin_join();
    }
  }
  void change(std::uint32_t index, protocol::MemberState state) {
    ask(protocol::ChangeMember{next_request(), world.info(index).node, state});
  }
  /// All that was asked for is recorded.
  bool all_recorded() const { return asked_ == recorded_ && joins_.empty(); }
  void crash(std::uint32_t node) {
    world.crash(node);
    watch->died(world.info(node).node);
  }

  /// What was seen up to now is compared with nothing that comes: a group is founded anew.
  void watch_anew() {
    watch = std::make_shared<GroupWatch>();
    relay->watch = watch;
  }
  /// Nothing is asked for by anybody.
  bool is_quiet() const { return !loading_ && submits_open_ == 0 && all_recorded(); }

  bool all_led() const {
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (!watch->leader_of({shard})) {
        return false;
      }
    }
    return true;
  }
  /// Every group is as the root has it in its plan by now, led by whom it names first.
  bool as_planned() const {
    if (!all_recorded() || watch->members().plan.size() != world.shard_count()) {
      return false;
    }
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (!as_planned(shard)) {
        return false;
      }
    }
    return true;
  }
  bool all_equal() const {
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (!watch->is_equal({shard})) {
        return false;
      }
    }
    return true;
  }
  bool all_ended() const {
    return std::all_of(accepted.begin(), accepted.end(),
                       [this](const auto& job) { return watch->watch().has_ended(job.first); });
  }
  struct Shown {
    std::optional<protocol::NodeDuties> duties;
    bool drained{false};
  };
  /// As some node that is up shows it.
  Shown shown(std::uint32_t index) {
    const protocol::ClientReply reply = client_->ask(protocol::AskCluster{});
    const auto& nodes = std::get<protocol::ClusterStatus>(reply).nodes;
    for (const protocol::NodeView& node : nodes) {
      if (node.info.node == world.info(index).node) {
        return {node.duties, protocol::is_drained(node, nodes)};
      }
    }
    ADD_FAILURE() << "it is not shown";
    return {};
  }
  /// A vote of it counts in some group, by that group's leader.
  bool votes(std::uint32_t index) const {
    bool some = false;
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      const raft::Configuration members = watch->members_of({shard});
      const raft::Member* member = members.find(world.info(index).node);
      some |= member != nullptr && member->voter;
    }
    return some;
  }
  bool keeps_some(std::uint32_t index) const {
    bool some = false;
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      some |= watch->members_of({shard}).find(world.info(index).node) != nullptr;
    }
    return some;
  }
  std::string shape() const {
    std::string text;
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      text += " " + std::to_string(shard) + ":";
      for (const raft::Member& member : watch->members_of({shard}).members) {
        text += to_string(member.node) + (member.voter ? "" : "?");
      }
      const auto leader = watch->leader_of({shard});
      text += "/" + (leader ? to_string(*leader) : "nobody");
    }
    return text;
  }
  void expect_accepted(std::size_t jobs, base::Duration limit) {
    EXPECT_TRUE(world.run_until([&] { return accepted.size() >= jobs; }, limit)) << shape();
  }
  /// Peace, and what must have come of it all.
  void expect_whole() {
    EXPECT_TRUE(world.run_until([this] { return !loading_ && submits_open_ == 0; }, 90s));
    EXPECT_TRUE(world.run_until([this] { return as_planned(); }, 120s)) << shape();
    EXPECT_TRUE(world.run_until([this] { return all_ended(); }, 120s)) << "jobs wait";
    EXPECT_TRUE(world.run_until([this] { return all_equal(); }, 20s)) << "replicas differ";
    for (const auto& [job, spec] : accepted) {
      watch->watch().check_end(job, spec, false);
    }
    for (const std::string& violation : watch->watch().violations()) {
      ADD_FAILURE() << violation;
    }
  }

 private:
  base::Random random_;

 public:
  std::shared_ptr<GroupWatch> watch{std::make_shared<GroupWatch>()};
  std::shared_ptr<Relay> relay{std::make_shared<Relay>(watch)};
  SimWorld world;
  std::map<base::JobId, protocol::JobSpec> accepted;
  std::uint64_t unanswered{0};

 private:
  void begin_join() {
    const protocol::NodeInfo& info = world.info(joins_.front());
    const std::string token = "of " + info.name;
    const protocol::Join join{next_request(), info.name, info.address, token,
                              world.first_store(joins_.front())};
    ask(protocol::AddToken{next_request(), ledger::hash_of_token(token),
                           base::Duration(std::chrono::hours(1)).count()},
        [this, join] { ask(join, [this] { end_join(); }); });
  }
  void end_join() {
    joins_.pop_front();
    if (!joins_.empty()) {
      begin_join();
    }
  }
  bool as_planned(std::uint32_t shard) const {
    const std::vector<base::NodeId>& plan = watch->members().plan[shard].replicas;
    const raft::Configuration members = watch->members_of({shard});
    if (members.members.size() != plan.size() || watch->leader_of({shard}) != plan[0]) {
      return false;
    }
    return std::all_of(plan.begin(), plan.end(), [&](base::NodeId node) {
      const raft::Member* member = members.find(node);
      return member != nullptr && member->voter == (plan.size() != 2 || node == plan[0]);
    });
  }
  base::RequestId next_request() { return {{0}, 77, ++requests_}; }
  /// Again and again, since it is done once, until it is done, or refused (the last active node is
  /// not drained).
  void ask(const protocol::ClientRequest& request, const std::function<void()>& then = {}) {
    ++asked_;
    ask_again(request, then);
  }
  void ask_again(const protocol::ClientRequest& request, const std::function<void()>& then) {
    client_->call(request, 3s, [this, request, then](const protocol::ClientReply& reply) {
      const auto* error = std::get_if<base::Error>(&reply);
      if (error != nullptr && error->kind != base::ErrorKind::rejected) {
        world.agenda().note_in(100ms, [this, request, then] { ask_again(request, then); });
        return;
      }
      ++recorded_;
      if (then) {
        then();
      }
    });
  }
  void submit_until(base::Time end) {
    loading_ = world.now() < end;
    if (!loading_) {
      return;
    }
    protocol::JobSpec spec = simple_job(1 + static_cast<std::uint32_t>(random_.below(10)));
    spec.crash_limit = 1000;
    ++submits_open_;
    client_->submit(spec, 8s, [this, spec](const protocol::ClientReply& reply) {
      --submits_open_;
      if (const auto* job = std::get_if<protocol::Accepted>(&reply)) {
        accepted.emplace(job->job, spec);
      } else {
        ++unanswered;
      }
    });
    world.agenda().note_in(
        base::Duration{20ms} + base::Duration{static_cast<std::int64_t>(random_.below(80'000'000))},
        [this, end] { submit_until(end); });
  }

  std::unique_ptr<SimClient> client_;
  std::deque<std::uint32_t> joins_;  ///< the first is under way
  bool loading_{false};              ///< there is a submit to come
  std::uint64_t submits_open_{0};
  std::uint64_t requests_{0};
  std::uint64_t asked_{0};
  std::uint64_t recorded_{0};
};

inline SimOptions three_of(std::uint32_t nodes) {
  SimOptions options;
  options.nodes = nodes;
  options.founding_nodes = 3;
  options.replicas = 3;
  options.shards = 4;
  options.ledger_limits.compact_after_entries = 40;
  options.raft_limits.entries_kept_behind_snapshot = 20;
  return options;
}

}  // namespace fastgpu::testing
