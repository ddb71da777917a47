#include "runtime/objects/pins/pin_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/random.hpp"

namespace fastgpu::objects {
namespace {

namespace limits = base::limits;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr base::ShardId shard{3};
constexpr base::NodeId leader{7};

PinOwner job(std::uint64_t number) {
  return owner_of(shard, base::JobId{number});
}
base::ObjectHash object(std::uint8_t number) {
  base::ObjectHash hash;
  hash.bytes[0] = number;
  return hash;
}

class PinMachineTest : public testing::Test {
 protected:
  PinMachine::Effects step(const PinEvent& event) {
    auto effects = machine_.step(event, now_);
    machine_.check_invariants();
    return effects;
  }
  PinMachine::Effects tick_after(base::Duration time, bool tight = false) {
    now_ += time;
    return step(PinTick{tight});
  }
  /// The question that is asked once what is pinned is old enough.
  AskPins question() {
    const auto effects = tick_after(limits::pin_settle);
    EXPECT_EQ(effects.size(), 1u);
    return effects.empty() ? AskPins{} : std::get<AskPins>(effects[0]);
  }
  PinMachine::Effects answer(const AskPins& ask, std::vector<PinOwner> gone,
                             base::Term term = {5}) {
    return step(PinsAnswered{ask.node, ask.shard, ask.question, {1}, term, std::move(gone)});
  }
  void led() { step(ShardLedBy{shard, leader}); }

  PinMachine machine_;
  base::Time now_{std::chrono::hours(1)};
};

TEST_F(PinMachineTest, DropsWhatTheLeaderNamesNoMore) {
  led();
  step(OwnerPinned{job(1), {object(1)}});
  step(OwnerPinned{job(2), {object(1)}});
  const AskPins ask = question();
  EXPECT_EQ(ask.node, leader);
  EXPECT_THAT(ask.owners, ElementsAre(job(1), job(2)));
  EXPECT_THAT(answer(ask, {job(2)}), ElementsAre(PinEffect(DropPins{{job(2)}})));
  EXPECT_EQ(machine_.owners(), 1u);
}

TEST_F(PinMachineTest, DoesNotAskAboutWhoPinnedLately) {
  led();
  step(OwnerPinned{job(1), {}});
  EXPECT_THAT(tick_after(limits::pin_settle - base::Duration(1)), IsEmpty());
  step(OwnerPinned{job(1), {}});
  EXPECT_THAT(tick_after(limits::pin_settle - base::Duration(1)), IsEmpty());
}

TEST_F(PinMachineTest, KeepsWhatWasPinnedAgainWhileTheAnswerWasOnItsWay) {
  led();
  step(OwnerPinned{job(1), {}});
  const AskPins ask = question();
  step(OwnerPinned{job(1), {}});
  EXPECT_THAT(answer(ask, {job(1)}), IsEmpty());
  EXPECT_EQ(machine_.owners(), 1u);
}

TEST_F(PinMachineTest, DropsNothingThatItDidNotAskAbout) {
  led();
  step(OwnerPinned{job(1), {}});
  const AskPins ask = question();
  step(OwnerPinned{job(2), {}});
  EXPECT_THAT(answer(ask, {job(2), job(3)}), IsEmpty());
  EXPECT_THAT(answer(ask, {job(1)}), IsEmpty()) << "a repeated answer means nothing";
}

TEST_F(PinMachineTest, BelievesNoLeaderThatAnotherHasFollowed) {
  led();
  step(OwnerPinned{job(1), {}});
  step(OwnerPinned{job(2), {}});
  answer(question(), {job(2)}, {6});
  const auto old = tick_after(limits::pin_check_interval);
  EXPECT_THAT(answer(std::get<AskPins>(old.at(0)), {job(1)}, {5}), IsEmpty());
  const auto again = tick_after(limits::pin_check_interval);
  step(ShardLedBy{shard, {8}});
  EXPECT_THAT(answer(std::get<AskPins>(again.at(0)), {job(1)}, {6}), IsEmpty());
  EXPECT_EQ(machine_.owners(), 1u);
}

TEST_F(PinMachineTest, AsksAgainWhenTheLeaderIsSilentAndNobodyWhereThereIsNone) {
  step(OwnerPinned{job(1), {}});
  EXPECT_THAT(tick_after(limits::pin_settle), IsEmpty());
  EXPECT_EQ(machine_.next_deadline(), std::nullopt);
  led();
  const auto first = tick_after(base::Duration::zero());
  ASSERT_EQ(first.size(), 1u);
  const auto due = machine_.next_deadline().value();
  EXPECT_GE(due, now_ + limits::rpc_timeout);
  const auto second = tick_after(due - now_);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_THAT(answer(std::get<AskPins>(first[0]), {job(1)}), IsEmpty()) << "too late";
  EXPECT_EQ(answer(std::get<AskPins>(second[0]), {job(1)}).size(), 1u);
}

TEST_F(PinMachineTest, AsksAboutManyOwnersInBoundedTurnsAndForgetsNone) {
  led();
  const std::uint64_t count = 2 * limits::pin_check_owners_max + 10;
  for (std::uint64_t i = 1; i <= count; ++i) {
    machine_.step(OwnerPinned{job(i), {}}, now_);
  }
  std::set<PinOwner> asked;
  AskPins ask = question();
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_LE(ask.owners.size(), limits::pin_check_owners_max);
    asked.insert(ask.owners.begin(), ask.owners.end());
    answer(ask, {});
    ask = std::get<AskPins>(tick_after(limits::pin_check_interval).at(0));
  }
  EXPECT_EQ(asked.size(), count);
}

TEST_F(PinMachineTest, RemovesAnObjectAfterItsGrace) {
  step(ObjectsUnpinned{{object(1)}});
  now_ += base::Duration(1);
  step(ObjectsUnpinned{{object(2)}});
  EXPECT_TRUE(machine_.next_deadline());
  EXPECT_THAT(tick_after(limits::object_grace - base::Duration(1)),
              ElementsAre(PinEffect(RemoveObjects{{object(1)}})));
  EXPECT_THAT(tick_after(limits::object_look_interval),
              ElementsAre(PinEffect(RemoveObjects{{object(2)}})));
  EXPECT_EQ(machine_.next_deadline(), std::nullopt);
}

TEST_F(PinMachineTest, BeginsTheGraceAnewForWhatIsAskedForAgain) {
  step(ObjectsUnpinned{{object(1), object(2)}});
  now_ += limits::object_grace / 2;
  step(ObjectsUnpinned{{object(1)}});
  EXPECT_THAT(tick_after(limits::object_grace / 2),
              ElementsAre(PinEffect(RemoveObjects{{object(2)}})));
  EXPECT_THAT(tick_after(limits::object_grace / 2),
              ElementsAre(PinEffect(RemoveObjects{{object(1)}})));
}

TEST_F(PinMachineTest, KeepsAnObjectThatIsPinnedInTime) {
  step(ObjectsUnpinned{{object(1)}});
  step(OwnerPinned{job(1), {object(1)}});
  EXPECT_THAT(tick_after(2 * limits::object_grace), IsEmpty());
  EXPECT_EQ(machine_.unpinned(), 0u);
}

TEST_F(PinMachineTest, RemovesSoonerOnATightDiskTheOldestFirst) {
  for (std::uint8_t i = 1; i <= 3; ++i) {
    step(ObjectsUnpinned{{object(i)}});
    now_ += std::chrono::minutes(1);
  }
  EXPECT_THAT(tick_after(limits::object_grace_tight - std::chrono::minutes(2)), IsEmpty());
  EXPECT_THAT(tick_after(limits::object_look_interval, true),
              ElementsAre(PinEffect(RemoveObjects{{object(1), object(2)}})));
}

TEST_F(PinMachineTest, RemovesManyObjectsInBoundedTurns) {
  std::vector<base::ObjectHash> many(limits::object_removals_max + 5);
  for (std::size_t i = 0; i < many.size(); ++i) {
    many[i].bytes[1] = static_cast<std::uint8_t>(i / 256);
    many[i].bytes[2] = static_cast<std::uint8_t>(i);
    many[i].bytes[3] = 1;
  }
  step(ObjectsUnpinned{many});
  const auto first = tick_after(limits::object_grace);
  EXPECT_EQ(std::get<RemoveObjects>(first.at(0)).hashes.size(), limits::object_removals_max);
  const auto second = tick_after(limits::object_look_interval);
  EXPECT_EQ(std::get<RemoveObjects>(second.at(0)).hashes.size(), 5u);
}

/// A model beside the machine: whatever is lost, late or repeated, nothing that the ledger still
/// names is dropped, and in the end nothing else is kept.
TEST_F(PinMachineTest, DropsNothingThatIsNamedWhateverTheNetworkDoes) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    base::Random random(seed);
    machine_ = {};
    led();
    std::set<PinOwner> named;
    std::set<PinOwner> held;
    std::vector<PinsAnswered> on_the_way;
    const auto run = [&](const PinEvent& event) {
      for (const PinEffect& effect : step(event)) {
        if (const auto* ask = std::get_if<AskPins>(&effect)) {
          PinsAnswered reply{ask->node, ask->shard, ask->question, {1}, {1}, {}};
          for (const PinOwner& owner : ask->owners) {
            if (!named.contains(owner)) {
              reply.gone.push_back(owner);
            }
          }
          on_the_way.push_back(reply);
        } else if (const auto* drop = std::get_if<DropPins>(&effect)) {
          for (const PinOwner& owner : drop->owners) {
            ASSERT_FALSE(named.contains(owner)) << "seed " << seed;
            held.erase(owner);
          }
        }
      }
    };
    for (int i = 0; i < 300; ++i) {
      const auto draw = random.below(6);
      const PinOwner owner = job(1 + random.below(20));
      if (draw == 0) {  // a job is forgotten for good; the same number never comes again
        named.erase(owner);
      } else if (draw == 1 && !held.contains(owner)) {
        run(OwnerPinned{owner, {}});
        held.insert(owner);
        named.insert(owner);
      } else if (draw == 2 && !on_the_way.empty()) {
        const auto reply = on_the_way[random.below(on_the_way.size())];
        run(reply);
      } else {
        now_ += limits::pin_check_interval * static_cast<std::int64_t>(1 + random.below(20));
        run(PinTick{});
      }
    }
    for (int i = 0; i < 200; ++i) {
      now_ += limits::pin_check_interval;
      run(PinTick{});
      if (!on_the_way.empty()) {
        run(PinEvent(on_the_way.back()));
      }
    }
    EXPECT_EQ(held, named) << "seed " << seed;
    EXPECT_EQ(machine_.owners(), named.size());
  }
}

}  // namespace
}  // namespace fastgpu::objects
