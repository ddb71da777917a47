#pragma once

/// A group of replicas in virtual time: their machines, disks, clocks and links, one queue of what
/// is to come, one seed. Scripts say what happens; the checker watches each step of it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/raft/raft_machine.hpp"
#include "tests/sim/raft/group_checker.hpp"

namespace fastgpu::raft::testing {

using namespace std::chrono_literals;

/// Short times, so that much happens in a virtual second.
RaftLimits quick_limits();

struct GroupOptions {
  std::uint64_t seed{1};
  Fault fault{Fault::none};
  RaftLimits limits{quick_limits()};
  base::Duration delay_min{500us};
  base::Duration delay_max{2ms};
  std::uint32_t loss_ppm{0};
  std::uint32_t duplicate_ppm{0};
  base::Duration sync_min{100us};
  base::Duration sync_max{1ms};
  std::uint32_t crash_at_sync_ppm{0};  ///< after a write is on disk, before anybody is told
  std::uint32_t fail_sync_ppm{0};      ///< the process ends; the write may be there
  std::uint64_t compact_after{0};      ///< entries; 0: never
  std::size_t snapshot_bytes{64};
  std::size_t command_bytes{16};
  bool sync_singly{false};    ///< one write at a time reaches the disk
  std::int64_t clock_ppm{0};  ///< clocks run at rates that differ by up to this
  bool verbose{false};
};

class Group {
 public:
  enum class Fate : std::uint8_t { pass, drop, hold };
  enum class Outcome : std::uint8_t { pending, done, unknown, refused };
  struct Node {
    base::NodeId id;
    StoreId store;
    SimDisk disk;
    std::unique_ptr<RaftMachine> machine;  ///< none while down
    std::uint64_t life{0};
    std::optional<base::Time> timer_at;
    bool syncing{false};
    std::int64_t clock_ppm{0};
    bool paused{false};
    bool disk_stalled{false};
    bool ticks{true};
    bool damaged{false};       ///< refused to start: its disk is damaged
    std::vector<Event> inbox;  ///< while paused
    base::LogIndex applied;
    std::uint64_t state{0};
    std::size_t alarms{0};
    std::size_t sent_bytes_max{0};  ///< of one message
  };

  explicit Group(GroupOptions options);

  // --- who there is ------------------------------------------------------------------------------
  void found(std::uint32_t nodes);  ///< 1 to `nodes`, with a log of one entry
  Node& add(std::uint32_t id);      ///< with an empty disk
  Node& at(std::uint32_t id) { return nodes_.at({id}); }
  RaftMachine& machine(std::uint32_t id) { return *at(id).machine; }
  std::map<base::NodeId, Node>& nodes() { return nodes_; }

  // --- what befalls them -------------------------------------------------------------------------
  void start(std::uint32_t id);
  /// `kept` writes of those under way are on disk; by default the seed draws.
  void crash(std::uint32_t id, std::optional<std::size_t> kept = std::nullopt);
  void wipe(std::uint32_t id);  ///< down, with another, empty disk
  void pause(std::uint32_t id) { at(id).paused = true; }
  void resume(std::uint32_t id);
  void stall_disk(std::uint32_t id) { at(id).disk_stalled = true; }
  void free_disk(std::uint32_t id);
  void fail_disk(std::uint32_t id) { step({id}, PersistFailed{}); }
  void cut(std::uint32_t a, std::uint32_t b);
  void cut_way(std::uint32_t from, std::uint32_t to) { cuts_.insert({{from}, {to}}); }
  void join(std::uint32_t a, std::uint32_t b);
  void isolate(std::uint32_t id);
  void join_all() { cuts_.clear(); }
  /// What becomes of each message that is sent from now on.
  std::function<Fate(Message&)> fate;
  void deliver_held();

  // --- what is asked of them ---------------------------------------------------------------------
  base::LogToken propose(std::uint32_t id);
  base::LogToken read(std::uint32_t id);
  base::LogToken change(std::uint32_t id, MemberChange what, std::uint32_t node);
  base::LogToken transfer(std::uint32_t id, std::uint32_t to);
  /// Node `id` is told that it lost `peer`, be it so or not.
  void lose_peer(std::uint32_t id, std::uint32_t peer);
  Outcome outcome(base::LogToken token) const { return outcomes_.at(token); }
  std::optional<Refusal> refusal(base::LogToken token) const;
  void step(base::NodeId node, const Event& event);

  // --- time --------------------------------------------------------------------------------------
  base::Time now() const { return now_; }
  void run_for(base::Duration duration);
  bool run_until(const std::function<bool()>& done, base::Duration at_most = 10s);
  /// Only this one's clock runs until it leads, and has committed an entry of its term.
  bool elect(std::uint32_t id, base::Duration at_most = 10s);
  /// The same, until it leads at all.
  bool lead(std::uint32_t id, base::Duration at_most = 10s);
  std::optional<std::uint32_t> leader() const;  ///< ready, of the greatest term

  // --- what came of it ---------------------------------------------------------------------------
  GroupChecker& checker() { return checker_; }
  /// A promise of a scenario.
  void expect(bool holds, const std::string& promise);
  std::uint64_t trace_hash() const { return trace_; }
  std::uint64_t steps() const { return steps_; }
  std::uint64_t done() const { return done_; }
  std::uint64_t reads() const { return reads_; }
  std::uint64_t installs() const { return installs_; }
  std::uint64_t crashes() const { return crashes_; }
  GroupOptions& options() { return options_; }
  base::Random& random() { return random_; }
  bool peace{false};  ///< the network and the disks do nothing wrong any more

 private:
  enum class Kind : std::uint8_t { deliver, timer, synced };
  struct Action {
    base::Time at;
    std::uint64_t order{};
    Kind kind{};
    base::NodeId node;
    std::uint64_t life{};
    std::size_t slot{};  ///< of the message
    bool operator>(const Action& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  bool run_alone(std::uint32_t id, const std::function<bool()>& done, base::Duration at_most);
  base::Time local(const Node& node) const;
  base::Time global(const Node& node, base::Time at) const;
  base::LogToken next_token() { return {++last_token_}; }
  void schedule(base::Time at, Kind kind, const Node& node, std::size_t slot = 0);
  void arm(Node& node);
  void run_one();
  void on_timer(Node& node);
  void on_synced(Node& node);
  void compact_if_due(Node& node);
  void bury();
  void perform(Node& node, Effects effects);
  void perform(Node& node, const Persist& effect);
  void perform(Node& node, const Send& effect);
  void perform(Node& node, const Committed& effect);
  void perform(Node& node, const Restored& effect);
  void perform(Node& node, const ReadReady& effect);
  void perform(Node& node, const OutcomeUnknown& effect);
  void perform(Node& node, const Refused& effect);
  void perform(Node& node, const Alarm& effect);
  void perform(Node& node, const Halt& effect);
  void perform(Node&, const Leading&) {}
  void perform(Node&, const NotLeading&) {}
  void post(const Message& message, base::Duration delay);
  void schedule_sync(Node& node);
  base::Duration drawn(base::Duration min, base::Duration max);
  void trace(const Node& node, std::size_t event, std::size_t effects);
  void say(const Node& node, const std::string& what) const;

  GroupOptions options_;
  base::Random random_;
  std::uint64_t trace_{0};
  base::Time now_{};
  std::uint64_t order_{0};
  std::priority_queue<Action, std::vector<Action>, std::greater<>> actions_;
  std::vector<Message> messages_;
  std::vector<std::size_t> free_slots_;
  std::vector<Message> held_;
  std::map<base::NodeId, Node> nodes_;
  GroupChecker::Disks disks_;
  std::set<std::pair<base::NodeId, base::NodeId>> cuts_;
  GroupChecker checker_;
  std::uint64_t last_token_{0};
  std::map<base::LogToken, Outcome> outcomes_;
  std::map<base::LogToken, Refusal> refusals_;
  std::vector<base::NodeId> dead_;  ///< ended in the step that is under way
  std::uint64_t steps_{0};
  std::uint64_t done_{0};
  std::uint64_t reads_{0};
  std::uint64_t installs_{0};
  std::uint64_t crashes_{0};
};

}  // namespace fastgpu::raft::testing
