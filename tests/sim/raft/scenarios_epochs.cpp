/// Groups that are founded anew from one log. Replicas of several epochs have no log in common, so
/// these scripts have a small bench of their own: machines, disks, and messages that arrive at
/// once.

#include <map>
#include <utility>

#include "runtime/raft/recovery/refounding.hpp"
#include "tests/sim/raft/scenarios.hpp"

namespace fastgpu::raft::testing {
namespace {

class Epochs {
 public:
  explicit Epochs(Fault fault) : fault_(fault) {
    Configuration members;
    for (std::uint32_t id = 1; id <= 3; ++id) {
      members.members.push_back({{id}, {id + 100}, true});
    }
    for (std::uint32_t id = 1; id <= 4; ++id) {
      Node& node = nodes_[{id}];
      node.disk.store = {id + 100};
      if (id <= 3) {
        node.disk = founded(node.disk, {id}, members).value();
      }
    }
  }

  void start(std::uint32_t id) {
    Node& node = nodes_.at({id});
    RaftOptions options;
    options.self = {id};
    options.store = node.disk.store;
    options.epoch = node.epoch;
    options.seed = id;
    options.fault = fault_;
    node.machine = RaftMachine::open(options, node.disk).value();
    step(id, Started{});
  }
  void stop(std::uint32_t id) { nodes_.at({id}).machine.reset(); }
  void found_anew(std::uint32_t id) {
    Node& node = nodes_.at({id});
    write(node, refounding(node.disk, node.epoch, {id}, {}).value());
  }
  RaftMachine& machine(std::uint32_t id) { return *nodes_.at({id}).machine; }
  base::Epoch epoch_on_disk(std::uint32_t id) { return nodes_.at({id}).epoch; }

  void step(std::uint32_t id, const Event& event) {
    Node& node = nodes_.at({id});
    for (const Effect& effect : node.machine->step(event, now_)) {
      if (const auto* persist = std::get_if<Persist>(&effect)) {
        write(node, *persist);
      } else if (const auto* send = std::get_if<Send>(&effect)) {
        messages_.push_back(send->message);
      }
    }
    if (node.machine->durable_tag() < node.machine->last_tag()) {
      step(id, Persisted{node.machine->last_tag()});
    }
  }
  /// All timers and messages for some virtual seconds.
  void run() {
    for (int i = 0; i < 400; ++i) {
      now_ += 10ms;
      for (auto& [id, node] : nodes_) {
        if (node.machine && node.machine->next_deadline().value_or(base::Time::max()) <= now_) {
          step(id.value, Tick{});
        }
      }
      for (int hops = 0; hops < 20 && !messages_.empty(); ++hops) {
        for (const Message& message : std::exchange(messages_, {})) {
          if (nodes_.at(message.to).machine) {
            step(message.to.value, Received{message});
          }
        }
      }
    }
  }
  void expect(bool holds, const std::string& promise) {
    if (!holds) {
      violations_.push_back(promise);
    }
  }
  const Violations& violations() const { return violations_; }

 private:
  struct Node {
    StoredState disk;
    base::Epoch epoch{1};
    std::unique_ptr<RaftMachine> machine;  ///< none while down
  };
  static void write(Node& node, const Persist& persist) {
    apply(node.disk, persist);
    node.epoch = persist.epoch.value_or(node.epoch);
  }

  const Fault fault_;
  base::Time now_{1s};
  std::map<base::NodeId, Node> nodes_;
  std::vector<Message> messages_;
  Violations violations_;
};

}  // namespace

Violations a_group_founded_anew_does_not_listen_to_its_past(Fault fault) {
  Epochs group(fault);
  group.found_anew(1);
  group.start(1);
  group.run();
  const base::Term term = group.machine(1).term();
  group.expect(group.machine(1).ready(), "1 leads alone");
  group.start(2);
  group.run();
  // As a leader of the old group would say it.
  const LogPosition last = group.machine(1).log().last();
  group.step(1,
             Received{{{2}, {102}, {1}, {101}, {1}, {term.value + 5}, Append{last, {}, {}, {}}}});
  group.expect(group.machine(1).ready() && group.machine(1).term() == term, "1 leads on");
  return group.violations();
}

Violations two_old_replicas_are_no_group_once_they_know(Fault fault) {
  Epochs group(fault);
  group.found_anew(1);
  group.start(1);
  group.run();
  for (const std::uint32_t id : {2u, 3u}) {
    group.start(id);
    group.run();
    group.expect(group.machine(id).outdated(), "it hears of the later epoch");
  }
  group.expect(
      group.machine(2).role() != RoleKind::leader && group.machine(3).role() != RoleKind::leader,
      "no leader beside the one of the group founded anew");
  group.expect(!group.machine(2).next_deadline() && !group.machine(3).next_deadline(),
               "nobody campaigns in vain for ever");
  return group.violations();
}

Violations an_empty_replica_keeps_the_epoch_in_which_it_was_called(Fault fault) {
  Epochs group(fault);
  group.found_anew(1);
  group.start(1);
  group.run();
  group.start(4);
  group.step(1, ChangeMembers{{9}, MemberChange::add_learner, {4}, {104}});
  group.run();
  group.expect(group.machine(4).given_out() == group.machine(1).given_out(), "4 has all of it");
  group.stop(4);
  group.start(4);
  group.run();
  group.expect(!group.machine(4).outdated() && group.machine(1).is_near({4}),
               "and is a replica still after its restart");
  return group.violations();
}

}  // namespace fastgpu::raft::testing
