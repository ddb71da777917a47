#include "runtime/objects/copies/copy_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "runtime/base/bytes.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/object_order.hpp"
#include "runtime/base/random.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::objects {
namespace {

using namespace std::chrono_literals;
namespace limits = base::limits;

const PinOwner owner = owner_of({1}, base::JobId{17});
const PinOwner other_owner = owner_of(base::RequestId{{0}, 3, 4});

base::ObjectHash hash(std::uint32_t number) {
  return base::sha256(base::Bytes::copy_of(std::to_string(number)).span());
}

/// The machine of node 1, and what it did.
class CopyBench : public testing::Test {
 protected:
  CopyBench() { see({{{1}}, {{2}}, {{3}}, {{4}}}); }
  void see(std::vector<CopyMember> members, std::uint32_t copies = 2) {
    members_ = std::move(members);
    step(ClusterSeen{members_, copies});
  }
  CopyMember& member(std::uint32_t node) { return members_.at(node - 1); }
  void see() { see(members_); }

  void step(const CopyEvent& event) {
    for (CopyEffect& effect : machine_->step(event, now_)) {
      if (auto* ask = std::get_if<AskCopies>(&effect)) {
        asks_.push_back(std::move(*ask));
      } else {
        settled_.push_back(std::get<CopiesSettled>(effect));
      }
    }
    machine_->check_invariants();
  }
  void pin(std::vector<base::ObjectHash> hashes, base::NodeId home = {1}, base::NodeId holder = {},
           const PinOwner& whose = owner) {
    step(CopyPinned{whose, std::move(hashes), home, holder});
  }
  void wait_for(std::vector<base::ObjectHash> hashes) {
    step(CopiesAwaited{{++last_waiter_}, owner, std::move(hashes), 1s});
  }
  void answer(const AskCopies& ask, CopiesAnswer said = CopiesAnswer::kept) {
    step(CopiesAnswered{ask.node, ask.call, said});
  }
  /// The oldest that was not taken; what says the same again is gone with it.
  AskCopies take() {
    EXPECT_FALSE(asks_.empty());
    if (asks_.empty()) {
      return {};
    }
    AskCopies first = asks_.front();
    std::erase(asks_, first);
    return first;
  }
  void renew() { machine_ = std::make_unique<CopyMachine>(base::NodeId{1}); }
  /// Timer by timer.
  void pass(base::Duration duration) {
    const base::Time end = now_ + duration;
    int ticks_at_once = 0;
    for (auto next = machine_->next_deadline(); next && *next <= end;
         next = machine_->next_deadline()) {
      ticks_at_once = *next > now_ ? 0 : ticks_at_once + 1;
      ASSERT_LT(ticks_at_once, 3) << "a deadline that has passed is dealt with";
      now_ = std::max(*next, now_);
      step(CopyTick{});
    }
    now_ = end;
  }

  base::Time now_{1h};
  std::unique_ptr<CopyMachine> machine_ = std::make_unique<CopyMachine>(base::NodeId{1});
  std::vector<CopyMember> members_;
  std::vector<AskCopies> asks_;
  std::vector<CopiesSettled> settled_;
  std::uint64_t last_waiter_{0};
};

TEST_F(CopyBench, AsksTheFirstNodeInTheOrderAndTellsWhoWaitsWhenItHasTheCopy) {
  pin({hash(1)});
  wait_for({hash(1)});
  ASSERT_EQ(asks_.size(), 1u);
  const AskCopies ask = take();
  EXPECT_EQ(ask.node, base::in_order_for(hash(1), {{2}, {3}, {4}})[0]);
  EXPECT_EQ(ask.owner, owner);
  EXPECT_EQ(ask.objects, (std::vector{std::pair(hash(1), base::NodeId{1})}));
  EXPECT_TRUE(settled_.empty());
  EXPECT_EQ(machine_->under_copied(), 0u) << "nobody has been told that it is safe";
  answer(ask);
  ASSERT_EQ(settled_, (std::vector<CopiesSettled>{{{1}, 0}}));
  EXPECT_EQ(machine_->under_copied(), 0u);
  pass(1h);
  EXPECT_TRUE(asks_.empty());
  EXPECT_EQ(machine_->next_deadline(), std::nullopt);
}

TEST_F(CopyBench, AsksAgainUntilItIsAnsweredAndGoesOnWithFewerCopiesAtTheDeadline) {
  pin({hash(1)});
  wait_for({hash(1)});
  const AskCopies ask = take();
  pass(999ms);
  EXPECT_TRUE(settled_.empty());
  EXPECT_EQ(asks_, std::vector{ask}) << "the same ask";
  pass(1ms);
  EXPECT_EQ(settled_, (std::vector<CopiesSettled>{{{1}, 1}}));
  EXPECT_EQ(machine_->under_copied(), 1u);
  answer(ask);
  EXPECT_EQ(machine_->under_copied(), 0u) << "the copy came later";
}

TEST_F(CopyBench, AsksTheNextNodeWhereOneRefusesOrFalls) {
  pin({hash(1)});
  wait_for({hash(1)});
  const AskCopies first = take();
  answer(first, CopiesAnswer::failed);
  const AskCopies second = take();
  EXPECT_NE(second.node, first.node);
  member(second.node.value).up = false;
  see();
  const AskCopies third = take();
  EXPECT_NE(third.node, first.node);
  EXPECT_NE(third.node, second.node);
  answer(second);
  EXPECT_TRUE(settled_.empty()) << "an answer to what was given up";
  answer(third);
  EXPECT_EQ(settled_, (std::vector<CopiesSettled>{{{1}, 0}}));
}

TEST_F(CopyBench, AnObjectThatComesNowhereHindersNoOtherAndIsTriedAgainLater) {
  pin({hash(1)});
  wait_for({hash(1)});
  for (int i = 0; i < 3; ++i) {
    answer(take(), CopiesAnswer::failed);
  }
  EXPECT_EQ(settled_, (std::vector<CopiesSettled>{{{1}, 1}})) << "nobody is left to be asked";
  pin({hash(2)}, {1}, {}, other_owner);
  EXPECT_EQ(take().objects.front().first, hash(2));
  EXPECT_TRUE(asks_.empty());
  pass(limits::copy_retry_delay + limits::copy_look_interval);
  EXPECT_EQ(std::count_if(asks_.begin(), asks_.end(),
                          [](const AskCopies& ask) { return ask.owner == owner; }),
            limits::copy_look_interval / limits::copy_repeat_interval + 1);
}

TEST_F(CopyBench, ANodeThatIsBusyIsAskedAgainAndOneThatIsFullLeftInPeace) {
  pin({hash(1)});
  wait_for({hash(1)});
  const AskCopies first = take();
  answer(first, CopiesAnswer::busy);
  EXPECT_TRUE(settled_.empty());
  pass(limits::copy_repeat_interval);
  EXPECT_EQ(take(), first);
  answer(first, CopiesAnswer::full);
  EXPECT_NE(take().node, first.node);
  for (std::uint32_t number = 10; number < 20; ++number) {
    pin({hash(number)}, {1}, {}, other_owner);
    EXPECT_NE(take().node, first.node);
  }
}

TEST_F(CopyBench, WhatIsPinnedAgainMuchLaterIsPinnedAgainByTheOthersToo) {
  pin({hash(1)});
  const AskCopies first = take();
  answer(first);
  pass(limits::pin_settle / 2 - 1s);
  pin({hash(1)});
  EXPECT_TRUE(asks_.empty());
  pass(2s);
  pin({hash(1)});
  wait_for({hash(1)});
  EXPECT_TRUE(settled_.empty()) << "theirs may be about to go";
  EXPECT_EQ(take().node, first.node);
}

TEST_F(CopyBench, WhatNobodyWaitsForAnyMoreIsAskedForAFewAtATime) {
  const std::size_t many = limits::copy_asks_in_flight_max * 2;
  for (std::uint32_t number = 0; number < many; ++number) {
    const PinOwner whose = owner_of({1}, base::JobId{100 + number});
    pin({hash(number)}, {1}, {}, whose);
    step(CopiesAwaited{{++last_waiter_}, whose, {hash(number)}, 1s});
  }
  EXPECT_GE(machine_->asks_in_flight(), many - limits::copy_asks_in_flight_max);
  pass(1s);
  EXPECT_EQ(settled_.size(), many);
  EXPECT_EQ(machine_->asks_in_flight(), limits::copy_asks_in_flight_max);
}

TEST_F(CopyBench, GoesOnAtOnceWhereNobodyCouldTakeACopyAndMakesItWhenSomebodyCan) {
  for (const std::uint32_t node : {2u, 3u, 4u}) {
    member(node).up = false;
    member(node).down = true;
  }
  see();
  pin({hash(1)});
  wait_for({hash(1)});
  EXPECT_EQ(settled_, (std::vector<CopiesSettled>{{{1}, 1}}));
  EXPECT_EQ(machine_->under_copied(), 1u);
  pass(10min);
  EXPECT_TRUE(asks_.empty());
  member(4) = {{4}};
  see();
  pass(1s);
  ASSERT_FALSE(asks_.empty());
  EXPECT_EQ(take().node, base::NodeId{4});
}

TEST_F(CopyBench, NeedsNoCopiesWhereItIsAlone) {
  see({{{1}}});
  pin({hash(1)});
  wait_for({hash(1)});
  EXPECT_EQ(settled_, (std::vector<CopiesSettled>{{{1}, 0}}));
  EXPECT_EQ(machine_->under_copied(), 0u);
}

TEST_F(CopyBench, WaitsForANodeThatIsOnlySuspected) {
  for (const std::uint32_t node : {2u, 3u, 4u}) {
    member(node).up = false;
  }
  see();
  pin({hash(1)});
  wait_for({hash(1)});
  EXPECT_TRUE(settled_.empty());
  pass(500ms);
  member(3).up = true;
  see();
  answer(take());
  EXPECT_EQ(settled_, (std::vector<CopiesSettled>{{{1}, 0}}));
}

TEST_F(CopyBench, MakesAnotherCopyWhenAHolderHasBeenDownForTheGrace) {
  pin({hash(1)});
  const AskCopies ask = take();
  answer(ask);
  member(ask.node.value) = {ask.node, true, false, true};
  see();
  pass(limits::copy_grace - 1ms);
  EXPECT_TRUE(asks_.empty()) << "it may come back";
  pass(1s);
  const AskCopies next = take();
  EXPECT_NE(next.node, ask.node);
  answer(next);
  member(ask.node.value) = {ask.node};
  see();
  pass(1h);
  EXPECT_TRUE(asks_.empty());
  EXPECT_EQ(machine_->under_copied(), 0u);
}

TEST_F(CopyBench, MakesAnotherCopyAtOnceWhenAHolderIsDrainedOrRemoved) {
  pin({hash(1)});
  const AskCopies first = take();
  answer(first);
  member(first.node.value).active = false;
  see();
  pass(1s);
  const AskCopies second = take();
  EXPECT_NE(second.node, first.node);
  answer(second);
  std::erase_if(members_, [&](const CopyMember& one) { return one.node == second.node; });
  see();
  pass(1s);
  const AskCopies third = take();
  EXPECT_NE(third.node, first.node);
  EXPECT_NE(third.node, second.node);
}

TEST_F(CopyBench, ADrainedHomeHasAllCopiesMadeElsewhere) {
  pin({hash(1)});
  answer(take());
  member(1).active = false;
  see();
  pass(1s);
  answer(take());
  EXPECT_TRUE(asks_.empty());
  EXPECT_EQ(machine_->under_copied(), 0u);
}

TEST_F(CopyBench, LeavesCopiesToTheirHomeUntilThatIsGone) {
  pin({hash(1)}, {2}, {2});
  EXPECT_TRUE(asks_.empty());
  member(2) = {{2}, true, false, true};
  see();
  pass(limits::copy_grace + 1s);
  const AskCopies ask = take();
  EXPECT_NE(ask.node, base::NodeId{2});
  EXPECT_EQ(ask.objects, (std::vector{std::pair(hash(1), base::NodeId{2})}));
  answer(ask);
  pass(1h);
  EXPECT_TRUE(asks_.empty());
}

TEST_F(CopyBench, TakesTheHomeThatAskedForACopyAsAHolderOfWhatIsMadeHereAsWell) {
  pin({hash(1)}, {2}, {2});
  pin({hash(1)});  // a task of the same job has the same output here
  EXPECT_TRUE(asks_.empty());
  EXPECT_EQ(machine_->under_copied(), 0u);
}

TEST_F(CopyBench, CountsWhatIsDueAndSaysWhenItHasLookedAtAll) {
  pin({hash(1), hash(2)});
  pin({hash(3)}, {1}, {}, other_owner);
  pin({hash(4)}, {2}, {2});
  EXPECT_EQ(machine_->under_copied(), 3u) << "the fourth is the business of its home";
  while (!asks_.empty()) {
    answer(take());
  }
  EXPECT_EQ(machine_->under_copied(), 0u);
  EXPECT_TRUE(machine_->all_counted());
  member(1).active = false;
  see();
  EXPECT_FALSE(machine_->all_counted()) << "all may lack one now";
  pass(limits::copy_look_interval);
  EXPECT_TRUE(machine_->all_counted());
  EXPECT_EQ(machine_->under_copied(), 3u);
  step(OwnersUnpinned{{other_owner}});
  EXPECT_EQ(machine_->under_copied(), 2u);
  while (!asks_.empty()) {
    answer(take());
  }
  EXPECT_EQ(machine_->under_copied(), 0u);
}

TEST_F(CopyBench, WhatIsWaitedForIsDueOnlyWhenNobodyWaitsAnyMore) {
  pin({hash(1)});
  wait_for({hash(1), hash(1), hash(2)});
  pass(500ms);
  wait_for({hash(1)});
  pass(500ms);
  EXPECT_EQ(settled_.size(), 1u);
  EXPECT_EQ(machine_->under_copied(), 0u) << "the second waits still";
  pass(500ms);
  EXPECT_EQ(settled_.size(), 2u);
  EXPECT_EQ(machine_->under_copied(), 1u);
}

TEST_F(CopyBench, OffersAllPinsOfAnEarlierLifeInBoundedAsks) {
  CopyMachine later({1}, 100);
  std::vector<base::ObjectHash> many;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    many.push_back(hash(i));
  }
  std::vector<AskCopies> asks;
  const auto take = [&](CopyMachine::Effects effects) {
    for (CopyEffect& effect : effects) {
      asks.push_back(std::get<AskCopies>(std::move(effect)));
    }
    later.check_invariants();
  };
  take(later.step(CopyPinned{owner, many, {1}, {}}, now_));
  EXPECT_TRUE(asks.empty()) << "nobody is known yet";
  take(later.step(ClusterSeen{members_, 2}, now_));
  std::size_t copied = 0;
  for (int turn = 0; turn < 1000 && copied < many.size(); ++turn) {
    EXPECT_LE(asks.size(), limits::copy_asks_in_flight_max + members_.size());
    for (const AskCopies& ask : std::exchange(asks, {})) {
      EXPECT_GE(ask.call, 100u);
      EXPECT_LE(ask.objects.size(), limits::copy_objects_max);
      copied += ask.objects.size();
      take(later.step(CopiesAnswered{ask.node, ask.call, CopiesAnswer::kept}, now_));
    }
    if (const auto next = later.next_deadline(); next && asks.empty()) {
      now_ = std::max(now_, *next);
      take(later.step(CopyTick{}, now_));
    }
  }
  EXPECT_EQ(copied, many.size());
  EXPECT_EQ(later.under_copied(), 0u);
}

TEST_F(CopyBench, LetsThoseWhoWaitGoBeforeRepairs) {
  std::vector<AskCopies> repairs;
  for (std::uint32_t i = 0; i < 100; ++i) {
    pin({hash(i)}, {1}, {}, owner_of({1}, base::JobId{100 + i}));
  }
  EXPECT_EQ(asks_.size(), limits::copy_asks_in_flight_max);
  asks_.clear();
  pin({hash(1000)});
  wait_for({hash(1000)});
  ASSERT_EQ(asks_.size(), 1u);
  EXPECT_EQ(take().owner, owner);
}

TEST_F(CopyBench, ForgetsOwnersThatHaveNoPinsAnyMore) {
  pin({hash(1)});
  wait_for({hash(1)});
  const AskCopies ask = take();
  step(OwnersUnpinned{{owner}});
  EXPECT_EQ(settled_, (std::vector<CopiesSettled>{{{1}, 0}}));
  answer(ask);
  EXPECT_EQ(machine_->under_copied(), 0u);
  EXPECT_EQ(machine_->asks_in_flight(), 0u);
  EXPECT_EQ(machine_->next_deadline(), std::nullopt);
}

TEST_F(CopyBench, AnswersAtOnceWhereTooManyWait) {
  for (std::size_t i = 0; i < limits::copy_waits_max; ++i) {
    pin({hash(1)});
    wait_for({hash(1)});
  }
  EXPECT_TRUE(settled_.empty());
  wait_for({hash(1)});
  EXPECT_EQ(settled_, (std::vector<CopiesSettled>{{{last_waiter_}, 1}}));
}

/// Whatever happens, who waits is answered by its deadline, and in peace all is copied.
TEST_F(CopyBench, ComesToEnoughCopiesAfterAnyTrouble) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    base::Random random(seed);
    renew();
    asks_.clear();
    settled_.clear();
    last_waiter_ = 0;
    const auto copies = static_cast<std::uint32_t>(2 + seed % 2);
    see({{{1}}, {{2}}, {{3}}, {{4}}, {{5}}}, copies);
    for (std::uint32_t i = 0; i < 300; ++i) {
      const auto node = static_cast<std::uint32_t>(2 + random.below(4));
      switch (random.below(7)) {
        case 0:
          pin({hash(i), hash(i + 1)}, {1}, {}, random.chance(500'000) ? owner : other_owner);
          break;
        case 1:
          pin({hash(i)});
          wait_for({hash(i)});
          break;
        case 2:
          member(node).up = random.chance(500'000);
          member(node).down = !member(node).up && random.chance(500'000);
          see(members_, copies);
          break;
        case 3:
          member(node).active = random.chance(700'000);
          see(members_, copies);
          break;
        case 4:
          if (random.chance(200'000)) {
            step(OwnersUnpinned{{random.chance(500'000) ? owner : other_owner}});
          }
          break;
        case 5:
          pass(base::Duration{static_cast<std::int64_t>(random.below(2'000'000'000))});
          break;
        default:
          if (!asks_.empty()) {
            answer(take(), random.chance(800'000) ? CopiesAnswer::kept : CopiesAnswer::failed);
          }
      }
    }
    for (CopyMember& one : members_) {
      one = {one.node};
    }
    see(members_, copies);
    for (int turn = 0; turn < 60; ++turn) {
      for (const AskCopies& ask : std::exchange(asks_, {})) {
        answer(ask);
      }
      pass(1s);
    }
    EXPECT_EQ(machine_->under_copied(), 0u) << "seed " << seed;
    EXPECT_EQ(settled_.size(), last_waiter_) << "seed " << seed;
  }
}

}  // namespace
}  // namespace fastgpu::objects
