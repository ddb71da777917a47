#pragma once

/// A replica on the bench: node 1 of a group whose other members are the test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "runtime/raft/raft_invariants.hpp"
#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft::testing {

using namespace std::chrono_literals;

class RaftBench : public ::testing::Test {
 protected:
  static StoreId store_of(std::uint32_t node) { return {node + 100}; }

  void open(std::uint32_t voters, RaftLimits limits = {}) {
    Configuration members;
    for (std::uint32_t node = 1; node <= voters; ++node) {
      members.members.push_back({{node}, store_of(node), true});
    }
    StoredState empty;
    empty.store = store_of(1);
    RaftOptions options;
    options.self = {1};
    options.store = store_of(1);
    options.limits = limits;
    machine = RaftMachine::open(options, founded(empty, {1}, members).value()).value();
    step(Started{});
  }
  void step(const Event& event) {
    const RaftFacts before = facts_of(*machine);
    for (Effect& effect : machine->step(event, now)) {
      effects.push_back(std::move(effect));
    }
    EXPECT_THAT(check(*machine), ::testing::IsEmpty());
    EXPECT_THAT(check_step(before, *machine), ::testing::IsEmpty());
  }
  void sync() { step(Persisted{machine->last_tag()}); }
  void receive(std::uint32_t from, std::uint64_t term, Body body) {
    step(Received{{{from}, store_of(from), {1}, store_of(1), {1}, {term}, std::move(body)}});
  }
  /// Leads a group of three, with its no-op committed.
  void lead() {
    now = *machine->next_deadline();
    step(Tick{});
    const std::uint64_t term = machine->term().value + 1;
    receive(2, term - 1, VoteReply{true, {term}, true});
    sync();
    receive(2, term, VoteReply{false, {term}, true});
    sync();
    receive(2, term, AppendReply{{1}, machine->log().last().index, std::nullopt, {}});
    ASSERT_TRUE(machine->ready());
    effects.clear();
  }
  template <class Kind>
  std::vector<Kind> take() {
    std::vector<Kind> found;
    std::erase_if(effects, [&](const Effect& effect) {
      const auto* one = std::get_if<Kind>(&effect);
      if (one != nullptr) {
        found.push_back(*one);
      }
      return one != nullptr;
    });
    return found;
  }
  /// The bodies of a kind that were sent.
  template <class Kind>
  std::vector<Kind> sent() {
    std::vector<Kind> found;
    for (const Send& send : take<Send>()) {
      if (const auto* body = std::get_if<Kind>(&send.message.body)) {
        found.push_back(*body);
      }
    }
    return found;
  }

  std::unique_ptr<RaftMachine> machine;
  base::Time now{1s};
  Effects effects;
};

}  // namespace fastgpu::raft::testing
