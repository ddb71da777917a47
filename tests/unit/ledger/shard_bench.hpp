#pragma once

/// A shard machine on the bench: a log that commits when told, a recorder of effects, and short
/// forms of what workers, clients and the scheduler say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/ledger/ledger_invariants.hpp"
#include "runtime/ledger/shard_machine.hpp"
#include "tests/unit/ledger/ledger_values.hpp"

namespace fastgpu::ledger::testing {

using namespace std::chrono_literals;

inline protocol::DeviceBooks books() {
  protocol::DeviceBooks value;
  value.device = device(2);
  value.queue_room = 9;
  return value;
}

class ShardBench : public ::testing::Test {
 protected:
  static constexpr base::NodeId self{1};
  static constexpr base::NodeId worker{2};

  explicit ShardBench(ShardLimits limits = {}, base::ShardId of = shard, LedgerFaults faults = {},
                      bool replicated = false)
      : machine({.cluster = {1, 2},
                 .shard = of,
                 .layout = layout,
                 .self = self,
                 .incarnation = {1},
                 .founders = {},
                 .founding_token = of == root ? "t1" : "",
                 .limits = limits,
                 .faults = faults,
                 .replicated = replicated}) {}

  /// Steps the machine, checks the ledger, and records the effects.
  void step(const Event& event) {
    const LedgerState before = machine.state();
    for (Effect& effect : machine.step(event, now, 5000)) {
      if (auto* proposal = std::get_if<Propose>(&effect)) {
        log.push_back(*proposal);
      }
      effects.push_back(std::move(effect));
    }
    EXPECT_THAT(check(machine), ::testing::IsEmpty());
    EXPECT_THAT(check_step(before, machine.state()), ::testing::IsEmpty());
  }
  void lead(std::uint64_t term = 1) { step(Leading{{1}, {term}}); }
  void advance(base::Duration by) {
    now += by;
    step(Tick{});
  }
  /// Commits the oldest proposal.
  void commit() {
    ASSERT_FALSE(log.empty());
    const Propose proposal = log.front();
    log.pop_front();
    step(Committed{{machine.state().applied().value + 1}, proposal.token, proposal.entry});
  }
  void commit_all() {
    while (!log.empty()) {
      commit();
    }
  }

  /// Removes and returns all recorded effects of a kind.
  template <class Kind>
  std::vector<Kind> take() {
    std::vector<Kind> found;
    std::vector<Effect> others;
    for (Effect& effect : effects) {
      if (auto* one = std::get_if<Kind>(&effect)) {
        found.push_back(std::move(*one));
      } else {
        others.push_back(std::move(effect));
      }
    }
    effects = std::move(others);
    return found;
  }
  /// All messages of a kind sent to nodes; other messages are dropped.
  template <class Message>
  std::vector<std::pair<base::NodeId, Message>> sent() {
    std::vector<std::pair<base::NodeId, Message>> found;
    for (SendToNode& send : take<SendToNode>()) {
      if (auto* one = std::get_if<Message>(&send.message)) {
        found.emplace_back(send.node, std::move(*one));
      }
    }
    return found;
  }
  template <class Message>
  std::vector<Message> told_scheduler() {
    std::vector<Message> found;
    std::vector<Effect> others;
    for (Effect& effect : effects) {
      auto* told = std::get_if<ToScheduler>(&effect);
      if (auto* one = told ? std::get_if<Message>(&told->message) : nullptr) {
        found.push_back(std::move(*one));
      } else {
        others.push_back(std::move(effect));
      }
    }
    effects = std::move(others);
    return found;
  }
  /// The answers to calls, as (call, answer), of one kind.
  template <class Answer>
  std::vector<std::pair<std::uint64_t, Answer>> answers() {
    std::vector<std::pair<std::uint64_t, Answer>> found;
    for (Reply& reply : take<Reply>()) {
      auto* one = std::get_if<Answer>(&reply.reply.reply);
      EXPECT_NE(one, nullptr) << "an answer of another kind, index " << reply.reply.reply.index();
      if (one) {
        found.emplace_back(reply.reply.call.value, std::move(*one));
      }
    }
    return found;
  }
  /// The records of all entries proposed since the last call, in order.
  std::vector<protocol::Record> proposed() {
    std::vector<protocol::Record> records;
    for (Propose& proposal : take<Propose>()) {
      for (protocol::Record& record : proposal.entry.records) {
        records.push_back(std::move(record));
      }
    }
    return records;
  }

  void ask(std::uint64_t call, protocol::ClientRequest what) {
    step(protocol::ShardRequest{{call}, machine.state().shard(), std::move(what)});
  }
  void submit(std::uint64_t call, std::uint64_t number, protocol::SharedSpec what) {
    ask(call, protocol::Submit{request(number, machine.state().shard()), std::move(what)});
  }
  /// Leads and has job 1 with these tasks; nothing recorded remains.
  void lead_with_job(protocol::SharedSpec what) {
    lead();
    submit(1, 1, std::move(what));
    commit_all();
    effects.clear();
  }
  void place(std::vector<base::TaskRange> ranges, base::DeviceId on = device(2),
             std::uint64_t incarnation = 1, std::uint64_t job = 1) {
    step(protocol::Place{
        machine.state().shard(), job_id(job), std::move(ranges), on, {incarnation}});
  }
  void answer_assign(const base::AttemptId& of,
                     protocol::RefusalReason refused = protocol::RefusalReason::none,
                     base::DeviceId on = device(2), std::uint64_t incarnation = 1) {
    step(AssignReplyEvent{
        on.node,
        {incarnation},
        protocol::AssignReply{of, job_id(1), on, refused, books(), worker_clock_ns}});
  }
  void finish(const base::AttemptId& of, base::TaskRange range,
              protocol::TaskOutcome with = outcome(), std::int64_t device_ns = 10,
              base::DeviceId on = device(2), std::uint64_t incarnation = 1) {
    with.device = on;
    step(FinishEvent{on.node,
                     {incarnation},
                     protocol::Finish{of, job_id(1), on, {{range, std::move(with)}}, device_ns}});
  }
  void renew(std::vector<protocol::HeldAttempt> held, std::uint64_t term = 1,
             base::DeviceId on = device(2), std::uint64_t incarnation = 1) {
    step(RenewEvent{on.node,
                    {incarnation},
                    protocol::Renew{machine.state().shard(),
                                    {1},
                                    {term},
                                    on,
                                    {incarnation},
                                    ++worker_clock_ns,
                                    std::move(held)}});
  }
  /// Answers the newest Read.
  void confirm_read() {
    const auto reads = take<Read>();
    ASSERT_FALSE(reads.empty());
    step(ReadReady{reads.back().token, machine.state().applied()});
  }
  void view(std::vector<std::pair<std::uint32_t, std::uint64_t>> nodes_and_incarnations) {
    auto value = std::make_shared<protocol::ClusterView>();
    for (const auto& [node, incarnation] : nodes_and_incarnations) {
      protocol::NodeView one;
      one.info.node = {node};
      one.incarnation = {incarnation};
      one.devices.push_back(books());
      one.devices.back().device = device(node);
      one.devices.back().slots_total = slots;
      value->nodes.push_back(one);
    }
    step(ViewChanged{value});
  }
  /// The cluster as seen when that node leads another shard, in this term of epoch 1.
  void view_leader(base::NodeId node, base::ShardId of, std::uint64_t term) {
    auto value = std::make_shared<protocol::ClusterView>();
    protocol::NodeView one;
    one.info.node = node;
    one.incarnation = {1};
    one.leads = {{of, {1}, {term}}};
    value->nodes.push_back(one);
    step(ViewChanged{value});
  }
  const Job& job(std::uint64_t number = 1) { return *machine.state().find(job_id(number)); }

  ShardMachine machine;
  std::uint32_t slots{1};  ///< of the devices in a view
  base::Time now{1000s};
  std::int64_t worker_clock_ns{776};  ///< goes on with each renewal
  std::deque<Propose> log;            ///< proposed and not committed
  std::vector<Effect> effects;
};

}  // namespace fastgpu::ledger::testing
