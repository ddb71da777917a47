#pragma once

/// The replicas of a group in virtual time: a RaftLog each over its own MemoryStore, and what they
/// say to each other, with delays and losses that a seed draws. Keeps what each of them has applied
/// and what was acknowledged to whoever proposed it.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "actors/replica/raft_log.hpp"
#include "runtime/store/memory_store.hpp"
#include "runtime/store/solo_log.hpp"

namespace fastgpu::actors::testing {

using namespace std::chrono_literals;

struct GroupOptions {
  std::uint64_t seed{1};
  std::uint32_t nodes{3};
  std::uint32_t founders{0};  ///< the first so many; 0: all
  std::uint32_t loss_ppm{0};
  std::size_t compact_after{0};  ///< commands; 0: never
  store::MemoryStoreOptions store{};
  raft::RaftLimits limits{};
};

class ReplicaGroup {
 public:
  explicit ReplicaGroup(GroupOptions options) : options_(options), random_(options.seed) {
    for (std::uint32_t id = 1; id <= options_.nodes; ++id) {
      if (options_.founders == 0 || id <= options_.founders) {
        founders_.members.push_back({{id}, {id + 100}, true});
      }
      nodes_.emplace(base::NodeId{id}, std::make_unique<Node>(*this, base::NodeId{id}));
    }
    for (std::uint32_t id = 1; id <= options_.nodes; ++id) {
      start(id);
    }
  }

  // --- what befalls them -------------------------------------------------------------------------
  void start(std::uint32_t id) { at(id).start(); }
  void crash(std::uint32_t id) { at(id).crash(); }
  /// How many there were.
  int crash_all() {
    int crashed = 0;
    for (const auto& [id, node] : nodes_) {
      if (node->log) {
        node->crash();
        ++crashed;
      }
    }
    return crashed;
  }
  bool is_up(std::uint32_t id) { return at(id).log != nullptr; }
  /// What is on the disk of one that is down, to be changed while nobody looks.
  store::MemoryDisk& disk(std::uint32_t id) { return at(id).disk; }
  /// What was acknowledged until now may be lost.
  void forget_acknowledged() { acknowledged_.clear(); }
  void isolate(std::uint32_t id) { isolated_.insert({id}); }
  void join_all() { isolated_.clear(); }
  /// It does nothing and hears nothing, as if its process were stopped, until it thaws.
  void freeze(std::uint32_t id) { asleep_.insert({id}); }
  void thaw(std::uint32_t id) {
    asleep_.erase({id});
    for (const raft::Message& message : std::exchange(unheard_, {})) {
      messages_.emplace(now_ + 1ms, message);
    }
  }
  RaftLog& log(std::uint32_t id) { return *at(id).log; }
  void set_loss_ppm(std::uint32_t loss) { options_.loss_ppm = loss; }

  // --- what is asked of them, and what they say --------------------------------------------------
  base::Admission propose(std::uint32_t id, const std::string& command) {
    proposed_[{++last_token_}] = command;
    return at(id).log->propose({last_token_}, base::Bytes::copy_of(command));
  }
  /// Ready, of the greatest term.
  std::optional<std::uint32_t> leader() const {
    std::optional<std::uint32_t> found;
    base::Term term;
    for (const auto& [id, node] : nodes_) {
      if (node->log && node->leading && *node->leading > term) {
        term = *node->leading;
        found = id.value;
      }
    }
    return found;
  }
  const std::vector<std::string>& applied(std::uint32_t id) { return at(id).applied; }
  const std::vector<std::string>& acknowledged() const { return acknowledged_; }
  const std::vector<base::LogEvent>& events(std::uint32_t id) { return at(id).events; }
  std::uint64_t alarms() const { return alarms_; }
  const std::set<raft::AlarmKind>& alarms(std::uint32_t id) { return at(id).alarms; }
  std::uint64_t installs() const { return installs_; }
  /// What should never be; empty where all is well.
  const std::vector<std::string>& violations() const { return violations_; }

  // --- time --------------------------------------------------------------------------------------
  base::Time now() const { return now_; }
  bool run_until(const std::function<bool()>& done, base::Duration at_most = 30s) {
    const base::Time end = now_ + at_most;
    while (!done()) {
      if (!run_one(end)) {
        return false;
      }
    }
    return true;
  }
  void run_for(base::Duration duration) {
    const base::Time end = now_ + duration;
    while (run_one(end)) {
    }
    now_ = end;
  }
  bool settle() {
    return run_until([this] {
      for (const auto& [id, node] : nodes_) {
        if (!node->log || node->applied != nodes_.begin()->second->applied) {
          return false;
        }
      }
      return leader().has_value();
    });
  }

 private:
  struct Node final : store::StoreWriter, RaftHost {
    Node(ReplicaGroup& of, base::NodeId node) : group(of), id(node) {}

    void start() {
      ASSERT_FALSE(log);
      store = std::make_unique<store::MemoryStore>(disk, group.options_.store,
                                                   base::Random(group.random_.next()));
      RaftLogOptions options;
      options.shard = {3};
      options.self = id;
      options.store = {id.value + 100};
      options.seed = group.random_.next();
      if (group.founders_.find(id) != nullptr) {
        options.founders = group.founders_;
      }
      options.limits = group.options_.limits;
      auto opened =
          RaftLog::open(options, *this, *this, store->scan(RaftDisk::key_prefix({3})).value());
      ASSERT_TRUE(opened.ok()) << opened.error().message;
      log = std::move(opened).value();
      store->start([this](store::StoreDurable durable) { log->on_durable(durable.up_to); });
      log->start([this](const base::LogEvent& event) { take(event); });
    }
    void crash() {
      store->crash();
      log.reset();
      store.reset();
      applied.clear();
      events.clear();
      leading.reset();
    }
    void take(const base::LogEvent& event) {
      events.push_back(event);
      if (const auto* committed = std::get_if<base::LogCommitted>(&event)) {
        apply(*committed);
      } else if (const auto* restored = std::get_if<base::LogRestored>(&event)) {
        ++group.installs_;
        applied.clear();
        std::istringstream words{std::string(restored->snapshot.text())};
        for (std::string word; words >> word;) {
          applied.push_back(word);
        }
      } else if (const auto* led = std::get_if<base::LogLeading>(&event)) {
        leading = led->term;
        group.check_leader(*this);
      } else if (std::holds_alternative<base::LogNotLeading>(event)) {
        leading.reset();
      }
    }
    void apply(const base::LogCommitted& committed) {
      if (committed.command.empty()) {
        return;
      }
      applied.emplace_back(committed.command.text());
      if (committed.token) {
        group.acknowledge(*this, *committed.token);
      }
      if (group.options_.compact_after > 0 && applied.size() % group.options_.compact_after == 0) {
        std::string state;
        for (const std::string& command : applied) {
          state += command + ' ';
        }
        log->compact(committed.index, base::Bytes::copy_of(state));
      }
    }

    base::Admission write(store::StoreToken token, std::vector<store::Write> writes) override {
      return store->write(token, std::move(writes));
    }
    void send(const raft::Send& said) override { group.post(said.message); }
    void alarm(const raft::Alarm& alarm) override {
      ++group.alarms_;
      alarms.insert(alarm.kind);
    }
    base::Time now() const override { return group.now_; }

    ReplicaGroup& group;
    const base::NodeId id;
    store::MemoryDisk disk;
    std::unique_ptr<store::MemoryStore> store;
    std::unique_ptr<RaftLog> log;  ///< none while down
    std::vector<std::string> applied;
    std::vector<base::LogEvent> events;  ///< of this life
    std::optional<base::Term> leading;
    std::set<raft::AlarmKind> alarms;
  };

  Node& at(std::uint32_t id) { return *nodes_.at({id}); }
  void post(const raft::Message& message) {
    if (isolated_.contains(message.from) || isolated_.contains(message.to) ||
        random_.chance(options_.loss_ppm)) {
      return;
    }
    const base::Duration delay{static_cast<std::int64_t>(random_.below(2'000'000))};
    messages_.emplace(now_ + delay, message);
  }
  bool run_one(base::Time limit) {
    std::optional<base::Time> next;
    const auto consider = [&next](std::optional<base::Time> at) {
      next = at && (!next || *at < *next) ? at : next;
    };
    for (const auto& [id, node] : nodes_) {
      if (node->log && !asleep_.contains(id)) {
        consider(node->store->next_event());
        consider(node->log->next_deadline());
      }
    }
    if (!messages_.empty()) {
      consider(messages_.begin()->first);
    }
    if (!next || *next > limit) {
      return false;
    }
    now_ = std::max(now_, *next);
    if (!messages_.empty() && messages_.begin()->first <= now_) {
      const raft::Message message = messages_.begin()->second;
      messages_.erase(messages_.begin());
      if (asleep_.contains(message.to)) {
        unheard_.push_back(message);
      } else if (RaftLog* log = at(message.to.value).log.get()) {
        log->receive(message);
      }
      return true;
    }
    for (const auto& [id, node] : nodes_) {
      if (node->log && !asleep_.contains(id)) {
        node->store->run_until(now_);
        if (node->log->next_deadline() && *node->log->next_deadline() <= now_) {
          node->log->tick();
        }
        if (node->log->has_events()) {
          node->log->pump();
        }
      }
    }
    return true;
  }

  void acknowledge(const Node& node, base::LogToken token) {
    const std::string& command = proposed_.at(token);
    if (node.applied.back() != command) {
      violations_.push_back("a token came back with another command");
    }
    acknowledged_.push_back(command);
  }
  /// Who leads has applied all that was ever acknowledged, each once.
  void check_leader(const Node& node) {
    for (const std::string& command : acknowledged_) {
      if (std::count(node.applied.begin(), node.applied.end(), command) != 1) {
        violations_.push_back("n" + std::to_string(node.id.value) + " leads without " + command);
      }
    }
  }

  GroupOptions options_;
  base::Random random_;
  base::Time now_{1s};
  raft::Configuration founders_;
  std::map<base::NodeId, std::unique_ptr<Node>> nodes_;
  std::multimap<base::Time, raft::Message> messages_;
  std::set<base::NodeId> isolated_;
  std::set<base::NodeId> asleep_;
  std::vector<raft::Message> unheard_;  ///< by those asleep
  std::uint64_t last_token_{0};
  std::map<base::LogToken, std::string> proposed_;
  std::vector<std::string> acknowledged_;
  std::vector<std::string> violations_;
  std::uint64_t alarms_{0};
  std::uint64_t installs_{0};
};

}  // namespace fastgpu::actors::testing
