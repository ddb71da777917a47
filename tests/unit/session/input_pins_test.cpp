// Inputs are pinned where they are before a submit goes to its shard.

#include "runtime/session/pins/input_pins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include "runtime/base/object_order.hpp"
#include "runtime/session/gateway_machine.hpp"
#include "tests/unit/session/session_samples.hpp"

namespace fastgpu::session::test {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using base::ErrorKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

protocol::ObjectRef object(std::uint8_t number, std::uint32_t home) {
  protocol::ObjectRef ref{{}, 4, {home}};
  ref.hash.bytes[0] = number;
  return ref;
}

protocol::JobSpec spec_with(std::vector<protocol::Data> data) {
  protocol::JobSpec spec = good_spec();
  auto& in = std::get<protocol::BufferArgument>(spec.kernel.arguments[1]);
  spec.tasks = static_cast<std::uint32_t>(data.size());
  in.data = std::move(data);
  return spec;
}

/// Node 1 of three; node n leads shard n - 1.
class InputPins : public testing::Test {
 protected:
  InputPins() { see(protocol::NodeState::up); }

  GatewayEffects step(const GatewayEvent& event) { return machine_.step(event, now_); }
  GatewayEffects see(protocol::NodeState third) {
    return step(
        ViewChanged{view_of(1, {node_view(1, {0}), node_view(2, {1}), node_view(3, {2}, third)})});
  }
  GatewayEffects ask(std::vector<protocol::Data> data) {
    return step(ClientAsked{{5}, {1}, submit_to(0, spec_with(std::move(data)))});
  }
  GatewayEffects pinned(const PinInputs& pin) {
    return step(InputsPinned{pin.node, {pin.pin.call, pin.pin.part, true, {}}});
  }
  GatewayEffects refused(const PinInputs& pin, const base::Error& why) {
    return step(InputsPinned{pin.node, {pin.pin.call, pin.pin.part, false, why}});
  }
  GatewayEffects wait_until_due() {
    now_ = machine_.next_deadline().value();
    return step(GatewayTick{});
  }
  static base::Error refusal(const GatewayEffects& effects) {
    const auto replies = all_of<ReplyToClient>(effects);
    return replies.size() == 1 ? error_in(replies[0].reply) : base::Error{};
  }

  base::Time now_ = at(10s);
  GatewayMachine machine_{{{1}, {1}, 8}};
};

TEST_F(InputPins, GoBeforeTheSubmitToEveryNodeThatHasInputs) {
  const auto effects = ask({object(1, 1), object(2, 3), object(1, 1)});
  const auto pins = all_of<PinInputs>(effects);
  ASSERT_THAT(effects, SizeIs(2)) << "nothing else";
  ASSERT_THAT(pins, SizeIs(2));
  EXPECT_EQ(pins[0].node, base::NodeId{1});
  EXPECT_EQ(pins[0].pin.request, (base::RequestId{{0}, 7, 9}));
  EXPECT_THAT(pins[0].pin.objects, ElementsAre(object(1, 1))) << "named twice, pinned once";
  EXPECT_EQ(pins[1].node, base::NodeId{3});
  EXPECT_THAT(pins[1].pin.objects, ElementsAre(object(2, 3)));
  EXPECT_THAT(pinned(pins[1]), IsEmpty());
  EXPECT_THAT(pinned(pins[1]), IsEmpty()) << "a repeated answer means nothing";
  EXPECT_THAT(all_of<AskShard>(pinned(pins[0])), SizeIs(1));
}

TEST_F(InputPins, CostNothingWhereThereAreNoObjects) {
  const auto effects = ask({base::Bytes::copy_of(std::string_view("abcd"))});
  EXPECT_THAT(effects, SizeIs(1));
  EXPECT_THAT(all_of<AskShard>(effects), SizeIs(1));
}

TEST_F(InputPins, OfACommandAreItsFiles) {
  protocol::JobSpec spec;
  spec.command.argv = {"true"};
  spec.command.inputs = {{"in", false, {object(4, 2)}}};
  EXPECT_THAT(inputs_of(submit_to(0, spec)), ElementsAre(object(4, 2)));
}

TEST_F(InputPins, AreAskedForAgainWhenTheAnswerIsLost) {
  const auto first = all_of<PinInputs>(ask({object(1, 2), object(2, 3), object(1, 2)}));
  pinned(first.at(0));
  const auto again = all_of<PinInputs>(wait_until_due());
  EXPECT_THAT(again, ElementsAre(first.at(1)));
}

TEST_F(InputPins, ThatNobodyAnswersForRefuseTheSubmitAsSurelyNotDone) {
  ask({object(1, 1), object(2, 3), object(1, 1)});
  base::Error error;
  while (machine_.calls_open() > 0) {
    error = refusal(wait_until_due());
  }
  EXPECT_LE(now_, at(10s) + limits::rpc_timeout);
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  EXPECT_THAT(error.message, testing::HasSubstr("n1"));
}

TEST_F(InputPins, ThatAreThereNoMoreRefuseTheSubmitWithTheRemedy) {
  const auto pins = all_of<PinInputs>(ask({object(1, 3), object(1, 3), object(1, 3)}));
  const base::Error gone{ErrorKind::lost, ErrorCode::object_missing, "gone", "upload it again"};
  EXPECT_EQ(refusal(refused(pins.at(0), gone)), gone);
  EXPECT_EQ(machine_.calls_open(), 0u);
}

TEST_F(InputPins, WithoutCopiesOnANodeThatIsDownOrNoMemberRefuseTheSubmit) {
  ask({object(1, 3), object(1, 3), object(1, 3)});
  see(protocol::NodeState::down);
  const base::Error away = refusal(wait_until_due());
  EXPECT_EQ(away.kind, ErrorKind::unavailable);
  EXPECT_EQ(away.code, ErrorCode::object_missing);
  const base::Error nowhere = refusal(ask({object(1, 77), object(1, 77), object(1, 77)}));
  EXPECT_EQ(nowhere.kind, ErrorKind::lost);
  EXPECT_EQ(nowhere.code, ErrorCode::object_missing);
}

TEST_F(InputPins, WereSeenToByTheGatewayThatPassesASubmitOn) {
  const protocol::Forward forward{7, submit_to(0, spec_with({object(1, 3)}))};
  EXPECT_THAT(all_of<AskShard>(step(PeerForwarded{{2}, forward})), SizeIs(1));
}

/// Of four nodes whose shards have replicas, so that objects have copies: the third is the home.
class InputPinsOfReplicas : public InputPins {
 protected:
  using States = std::vector<protocol::NodeState>;
  static constexpr auto up = protocol::NodeState::up;
  static constexpr auto silent = protocol::NodeState::suspect;
  static constexpr auto down = protocol::NodeState::down;

  InputPinsOfReplicas() {
    machine_ = GatewayMachine({{1}, {1}, 8, true});
    see_all({up, up, up, up});
  }
  GatewayEffects see_all(const States& states, base::NodeId draining = {}) {
    std::vector<protocol::NodeView> nodes;
    for (std::uint32_t i = 0; i < states.size(); ++i) {
      nodes.push_back(node_view(i + 1, {i}, states[i]));
      if (base::NodeId{i + 1} == draining) {
        nodes.back().info.state = protocol::MemberState::draining;
      }
    }
    return step(ViewChanged{view_of(1, std::move(nodes))});
  }
  std::vector<PinInputs> pins_of(std::uint8_t number, std::uint32_t home) {
    return all_of<PinInputs>(
        step(ClientAsked{{5}, {++calls_}, submit_to(0, spec_with({object(number, home)}))}));
  }
  static std::vector<base::NodeId> order_of(std::uint8_t number, std::vector<base::NodeId> nodes) {
    return base::in_order_for(object(number, 0).hash, std::move(nodes));
  }

  const base::Error gone_{ErrorKind::lost, ErrorCode::object_missing, "not on n2", "again"};
  const base::Error full_{ErrorKind::overloaded, ErrorCode::disk_full, "no room", "make some"};
  std::uint64_t calls_{100};
};

TEST_F(InputPinsOfReplicas, WhoseHomeIsDownOrNoMemberAreAskedOfTheFirstInTheirOrder) {
  see_all({up, up, down, silent});
  std::set<base::NodeId> keepers;
  for (std::uint8_t number = 1; number <= 16; ++number) {
    for (const std::uint32_t home : {3u, 77u}) {
      const auto pins = pins_of(number, home);
      ASSERT_THAT(pins, SizeIs(1));
      EXPECT_EQ(pins[0].node, order_of(number, {{1}, {2}})[0]) << "of those that are up";
      EXPECT_THAT(pins[0].pin.objects, ElementsAre(object(number, home)));
      EXPECT_THAT(all_of<AskShard>(pinned(pins[0])), SizeIs(1));
      keepers.insert(pins[0].node);
    }
  }
  EXPECT_THAT(keepers, SizeIs(2)) << "each object has an order of its own";
}

TEST_F(InputPinsOfReplicas, AreNotAskedOfANodeThatDrains) {
  see_all({up, up, down, down}, {2});
  for (std::uint8_t number = 1; number <= 16; ++number) {
    EXPECT_EQ(pins_of(number, 3).at(0).node, base::NodeId{1});
  }
}

TEST_F(InputPinsOfReplicas, AreAskedOfAnotherWhenTheirHomeGoesSilentMeanwhile) {
  const auto first = all_of<PinInputs>(ask({object(1, 2), object(1, 3), object(2, 3)}));
  pinned(first.at(0));
  see_all({up, up, silent, up});
  const auto again = all_of<PinInputs>(wait_until_due());
  std::vector<protocol::ObjectRef> asked;
  for (const PinInputs& pin : again) {
    EXPECT_NE(pin.node, base::NodeId{3});
    asked.insert(asked.end(), pin.pin.objects.begin(), pin.pin.objects.end());
  }
  EXPECT_THAT(asked, testing::UnorderedElementsAre(object(1, 3), object(2, 3)))
      << "what the other home has pinned is not asked for again";
  EXPECT_THAT(pinned(first.at(1)), IsEmpty()) << "whom nobody asks any more";
  GatewayEffects last;
  for (const PinInputs& pin : again) {
    last = pinned(pin);
  }
  EXPECT_THAT(all_of<AskShard>(last), SizeIs(1));
}

TEST_F(InputPinsOfReplicas, GoOnToTheNextWhenWhoStandsInGoesDownOrHasNoRoom) {
  see_all({up, up, down, up});
  const auto order = order_of(1, {{1}, {2}, {4}});
  const auto first = pins_of(1, 3);
  ASSERT_EQ(first.at(0).node, order[0]);
  const auto second = all_of<PinInputs>(refused(first[0], full_));
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].node, order[1]);
  EXPECT_EQ(second[0].pin.call, first[0].pin.call);
  EXPECT_NE(second[0].pin.part, first[0].pin.part);
  States states{up, up, down, up};
  states[order[1].value - 1] = down;
  see_all(states);
  const auto third = all_of<PinInputs>(wait_until_due());
  ASSERT_THAT(third, SizeIs(1));
  EXPECT_EQ(third[0].node, order[2]);
  EXPECT_THAT(pinned(second[0]), IsEmpty());
  EXPECT_THAT(all_of<AskShard>(pinned(third[0])), SizeIs(1));
}

TEST_F(InputPinsOfReplicas, ThatNobodyHasRefuseTheSubmitAsLostOnlyWhereNobodyIsAway) {
  const auto refusal_of = [&](std::uint32_t home, const base::Error& why) {
    GatewayEffects effects;
    std::vector<PinInputs> pins = pins_of(1, home);
    for (int i = 0; !pins.empty(); ++i) {
      EXPECT_LT(i, 3) << "stand-ins have a bound";
      effects = refused(pins.at(0), why);
      pins = all_of<PinInputs>(effects);
    }
    return refusal(effects);
  };
  const base::Error surely = refusal_of(77, gone_);
  EXPECT_EQ(surely.kind, ErrorKind::lost);
  EXPECT_THAT(surely.message, testing::HasSubstr("n77"));
  see_all({up, up, down, up});
  EXPECT_EQ(refusal_of(77, gone_).kind, ErrorKind::unavailable) << "n3 may have it";
  const base::Error away = refusal_of(3, gone_);
  EXPECT_EQ(away.kind, ErrorKind::unavailable);
  EXPECT_EQ(away.code, ErrorCode::object_missing);
  EXPECT_THAT(away.message, testing::HasSubstr("n3 is down"));
  EXPECT_THAT(refusal_of(3, full_).message, testing::HasSubstr("no room"));
}

TEST_F(InputPinsOfReplicas, OfOneHomeAreRefusedByThatHomeAlone) {
  see_all({up, up, down, up});
  const auto order = order_of(1, {{1}, {2}, {4}});
  const auto pins =
      all_of<PinInputs>(ask({object(1, 3), object(9, order[0].value), object(9, order[0].value)}));
  ASSERT_THAT(pins, SizeIs(2)) << "one node, two parts: it stands in for one home and is another";
  EXPECT_EQ(pins[0].node, pins[1].node);
  const PinInputs& own = pins[0].pin.objects[0] == object(1, 3) ? pins[1] : pins[0];
  EXPECT_EQ(refusal(refused(own, gone_)), gone_) << "it knows";
}

TEST_F(InputPinsOfReplicas, AreAskedOfWhoStandsInAFewAtATime) {
  see_all({up, down, down, down});
  std::vector<protocol::Data> data;
  const std::size_t count = 2 * limits::copy_objects_max + 1;
  for (std::size_t i = 0; i < count; ++i) {
    protocol::ObjectRef one = object(static_cast<std::uint8_t>(i), 3);
    one.hash.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    data.emplace_back(one);
  }
  const auto pins = all_of<PinInputs>(ask(std::move(data)));
  EXPECT_THAT(pins, SizeIs(3));
  std::size_t asked = 0;
  for (const PinInputs& pin : pins) {
    EXPECT_LE(pin.pin.objects.size(), limits::copy_objects_max);
    asked += pin.pin.objects.size();
  }
  EXPECT_EQ(asked, count);
}

}  // namespace
}  // namespace fastgpu::session::test
