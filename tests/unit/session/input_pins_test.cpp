// Inputs are pinned where they are before a submit goes to its shard.

#include "runtime/session/pins/input_pins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    return step(InputsPinned{pin.node, {pin.pin.call, true, {}}});
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
  EXPECT_THAT(pins[0].pin.hashes, ElementsAre(object(1, 1).hash)) << "named twice, pinned once";
  EXPECT_THAT(pins[1].pin.hashes, ElementsAre(object(2, 3).hash));
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
  EXPECT_THAT(inputs_at({2}, spec), ElementsAre(object(4, 2).hash));
  EXPECT_THAT(inputs_at({1}, spec), IsEmpty());
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
  EXPECT_EQ(refusal(step(InputsPinned{{3}, {pins.at(0).pin.call, false, gone}})), gone);
  EXPECT_EQ(machine_.calls_open(), 0u);
}

TEST_F(InputPins, OnANodeThatIsDownOrNoMemberRefuseTheSubmit) {
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

}  // namespace
}  // namespace fastgpu::session::test
