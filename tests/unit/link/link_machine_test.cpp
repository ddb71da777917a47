#include "runtime/link/link_machine.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fastgpu::link {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::ClusterId our_cluster{1, 2};
constexpr ChannelId caller{accepted_channel_bit | 7};
constexpr ChannelId second_caller{accepted_channel_bit | 8};

LinkOptions options_of(std::uint32_t node, std::uint64_t incarnation = 1) {
  LinkOptions options;
  options.identity = {our_cluster, {node}, {incarnation}};
  options.frame_bytes_max = 1000;
  options.credit_bytes = 4000;
  options.peer_send_queue_bytes_max = 3000;
  return options;
}

template <class Kind>
std::vector<Kind> all(const LinkMachineEffects& effects) {
  std::vector<Kind> found;
  for (const auto& effect : effects) {
    if (const auto* kind = std::get_if<Kind>(&effect)) {
      found.push_back(*kind);
    }
  }
  return found;
}

template <class Kind>
std::vector<Kind> told(const LinkMachineEffects& effects) {
  std::vector<Kind> found;
  for (const Deliver& deliver : all<Deliver>(effects)) {
    if (const auto* kind = std::get_if<Kind>(&deliver.event)) {
      found.push_back(*kind);
    }
  }
  return found;
}

std::vector<Control> said(const LinkMachineEffects& effects) {
  std::vector<Control> found;
  for (const Transmit& transmit : all<Transmit>(effects)) {
    const auto frame = decode(transmit.frame.span());
    if (frame.ok() && (frame.value().header.kind == FrameKind::control ||
                       frame.value().header.kind == FrameKind::credit)) {
      found.push_back(*decode_control(frame.value().body.span()));
    }
  }
  return found;
}

Frame control_from(const LinkIdentity& identity, const Control& control) {
  return {header_from(identity, FrameKind::control), base::Bytes(encode_control(control))};
}

Frame data_from(const LinkIdentity& identity, std::size_t bytes, FrameKind kind = FrameKind::peer) {
  return {header_from(identity, kind),
          base::Bytes(std::vector<std::uint8_t>(bytes - frame_header_bytes))};
}

/// Node 1, seen from outside; node 2 is the test.
class LinkMachineTest : public ::testing::Test {
 protected:
  LinkMachineEffects step(const LinkMachineEvent& event) { return machine.step(event, now); }
  LinkMachineEffects pass(base::Duration time) {
    now += time;
    return step(TimePassed{});
  }
  SendResult send(std::size_t bytes, LinkMachineEffects* effects = nullptr) {
    const Frame frame = data_from(options.identity, bytes);
    const auto done = step(SendAsked{peer_endpoint({2}), encode(frame.header, frame.body.span())});
    if (effects != nullptr) {
      *effects = done;
    }
    return std::get<SendAnswered>(done.front()).result;
  }
  ChannelId dial() {
    const auto dials = all<Dial>(step(DialAsked{peer_endpoint({2}), "there"}));
    return dials.at(0).channel;
  }
  ChannelId dial_and_open(std::uint64_t limit = 4000) {
    const ChannelId channel = dial();
    step(ChannelConnected{channel});
    step(FrameArrived{channel, welcome(limit)});
    return channel;
  }
  Frame hello(std::uint64_t limit = 4000) const {
    return control_from(other, {ControlType::hello, DownReason::closed, 0, limit});
  }
  Frame welcome(std::uint64_t limit = 4000) const {
    return control_from(other, {ControlType::welcome, DownReason::closed, 0, limit});
  }
  Frame alive(std::uint64_t sent, std::uint64_t limit) const {
    return control_from(other, {ControlType::alive, DownReason::closed, sent, limit});
  }

  base::Time now{seconds(100)};
  LinkOptions options = options_of(1);
  LinkIdentity other{our_cluster, {2}, {1}};
  LinkMachine machine{options};
};

TEST_F(LinkMachineTest, GreetsWhomItHasDialledAndIsUpWhenWelcomed) {
  const ChannelId channel = dial();
  EXPECT_EQ(send(100), SendResult::unreachable);
  const auto greeting = said(step(ChannelConnected{channel}));
  ASSERT_EQ(greeting.size(), 1u);
  EXPECT_EQ(greeting[0].type, ControlType::hello);
  EXPECT_EQ(greeting[0].limit_bytes, options.credit_bytes);
  const auto effects = step(FrameArrived{channel, welcome()});
  EXPECT_EQ(told<PeerUp>(effects).size(), 1u);
  EXPECT_EQ(send(100), SendResult::queued);
}

TEST_F(LinkMachineTest, RepeatsALostHello) {
  const ChannelId channel = dial();
  step(ChannelConnected{channel});
  const auto again = said(pass(options.alive_interval));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].type, ControlType::hello);
}

TEST_F(LinkMachineTest, RepeatsALostWelcomeOnTheSameChannel) {
  EXPECT_EQ(said(step(FrameArrived{caller, hello()})).at(0).type, ControlType::welcome);
  EXPECT_EQ(said(step(FrameArrived{caller, hello()})).at(0).type, ControlType::welcome);
  EXPECT_EQ(machine.counters().control_received, 2u);
}

TEST_F(LinkMachineTest, DialsAgainAfterGrowingPauses) {
  ChannelId channel = dial();
  base::Duration pause = options.redial_min;
  for (int round = 0; round < 10; ++round) {
    const auto effects = step(ChannelBroken{channel, DownReason::refused});
    EXPECT_EQ(told<PeerDown>(effects).size(), round == 0 ? 1u : 0u) << "told once per change";
    ASSERT_EQ(machine.next_deadline(), now + pause);
    EXPECT_TRUE(all<Dial>(pass(pause - milliseconds(1))).empty());
    const auto dials = all<Dial>(pass(milliseconds(1)));
    ASSERT_EQ(dials.size(), 1u);
    EXPECT_EQ(dials[0].address, "there");
    channel = dials[0].channel;
    pause = std::min(2 * pause, options.redial_max);
  }
  EXPECT_EQ(pause, options.redial_max);
}

TEST_F(LinkMachineTest, DialsAtOnceWhenTheOtherSideShowsUp) {
  const ChannelId channel = dial();
  step(ChannelBroken{channel, DownReason::refused});
  EXPECT_EQ(all<Dial>(step(FrameArrived{caller, hello()})).size(), 1u);
}

TEST_F(LinkMachineTest, DropsTheOldLifeWhenTheNewOneCalls) {
  dial_and_open();
  other.incarnation = {2};
  const auto effects = step(FrameArrived{caller, hello()});
  EXPECT_EQ(told<PeerDown>(effects),
            (std::vector<PeerDown>{{peer_endpoint({2}), DownReason::reset}}));
  EXPECT_EQ(all<Dial>(effects).size(), 1u);
  EXPECT_EQ(send(100), SendResult::unreachable);
}

TEST_F(LinkMachineTest, RefusesAWelcomeOfAnOlderLife) {
  other.incarnation = {5};
  step(FrameArrived{caller, hello()});
  other.incarnation = {4};
  const ChannelId channel = dial();
  step(ChannelConnected{channel});
  const auto effects = step(FrameArrived{channel, welcome()});
  EXPECT_TRUE(told<PeerUp>(effects).empty());
  EXPECT_EQ(told<PeerDown>(effects).size(), 1u);
  EXPECT_EQ(machine.counters().dropped_old_incarnation, 1u);
}

TEST_F(LinkMachineTest, KeepsOnlyTheNewestChannelOfACaller) {
  step(FrameArrived{caller, hello()});
  step(FrameArrived{second_caller, hello()});
  EXPECT_TRUE(told<FrameReceived>(step(FrameArrived{caller, data_from(other, 100)})).empty());
  EXPECT_EQ(told<FrameReceived>(step(FrameArrived{second_caller, data_from(other, 100)})).size(),
            1u);
  EXPECT_EQ(machine.counters().dropped_no_hello, 1u);
}

TEST_F(LinkMachineTest, TellsAStrangerWhoThinksHeIsConnectedThatHeIsNot) {
  const auto effects = step(FrameArrived{caller, data_from(other, 100)});
  ASSERT_EQ(said(effects).size(), 1u);
  EXPECT_EQ(said(effects)[0].type, ControlType::bye);
  EXPECT_TRUE(told<FrameReceived>(effects).empty());
  const auto bye = control_from(other, {ControlType::bye, DownReason::closed, 0, 0});
  EXPECT_TRUE(step(FrameArrived{caller, bye}).empty()) << "two links must not say bye for ever";
}

TEST_F(LinkMachineTest, SendsNoMoreThanItHasCreditFor) {
  const ChannelId channel = dial_and_open(1000);
  LinkMachineEffects effects;
  EXPECT_EQ(send(600, &effects), SendResult::queued);
  EXPECT_EQ(all<Transmit>(effects).size(), 1u);
  EXPECT_EQ(send(600, &effects), SendResult::queued);
  EXPECT_TRUE(all<Transmit>(effects).empty());
  EXPECT_EQ(machine.queued_bytes(peer_endpoint({2})), 600u);
  effects = step(FrameArrived{channel, alive(0, 1200)});
  EXPECT_EQ(all<Transmit>(effects).size(), 1u);
  EXPECT_EQ(machine.queued_bytes(peer_endpoint({2})), 0u);
}

TEST_F(LinkMachineTest, RefusesWhatTheQueueCannotHold) {
  dial_and_open(0);
  EXPECT_EQ(send(1000), SendResult::queued);
  EXPECT_EQ(send(1000), SendResult::queued);
  EXPECT_EQ(send(1000), SendResult::queued);
  EXPECT_EQ(send(56), SendResult::full);
  EXPECT_EQ(send(1001), SendResult::too_large);
  EXPECT_EQ(machine.counters().sends_full, 1u);
  EXPECT_EQ(machine.queued_bytes(peer_endpoint({2})), 3000u);
}

TEST_F(LinkMachineTest, DropsTheQueueWithTheConnectionAndCountsIt) {
  const ChannelId channel = dial_and_open(0);
  send(500);
  send(500);
  step(ChannelBroken{channel, DownReason::reset});
  EXPECT_EQ(machine.counters().frames_abandoned, 2u);
  EXPECT_EQ(machine.queued_bytes(peer_endpoint({2})), 0u);
}

TEST_F(LinkMachineTest, GrantsAgainOnceAQuarterIsConsumed) {
  step(FrameArrived{caller, hello()});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(told<FrameReceived>(step(FrameArrived{caller, data_from(other, 1000)})).size(), 1u);
  }
  EXPECT_TRUE(said(step(FrameConsumed{peer_endpoint({2}), 999})).empty());
  const auto grants = said(step(FrameConsumed{peer_endpoint({2}), 1}));
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].limit_bytes, 5000u);
}

TEST_F(LinkMachineTest, DropsWhatIsSentBeyondTheCredit) {
  step(FrameArrived{caller, hello()});
  for (int i = 0; i < 10; ++i) {
    step(FrameArrived{caller, data_from(other, 1000)});
  }
  EXPECT_EQ(machine.counters().frames_delivered, 4u);
  EXPECT_EQ(machine.counters().dropped_over_credit, 6u);
  EXPECT_EQ(machine.held_bytes(peer_endpoint({2})), 4000u);
}

TEST_F(LinkMachineTest, RemembersWhatIsHeldWhenAPeerReconnects) {
  step(FrameArrived{caller, hello()});
  for (int i = 0; i < 3; ++i) {
    step(FrameArrived{caller, data_from(other, 1000)});
  }
  const auto welcome_again = said(step(FrameArrived{second_caller, hello()}));
  ASSERT_EQ(welcome_again.size(), 1u);
  EXPECT_EQ(welcome_again[0].limit_bytes, 1000u) << "3000 of 4000 bytes are still held";
}

TEST_F(LinkMachineTest, GivesBackTheCreditOfLostFrames) {
  step(FrameArrived{caller, hello()});
  // 3000 bytes were sent, 1000 of them arrive and are consumed.
  step(FrameArrived{caller, data_from(other, 1000)});
  step(FrameConsumed{peer_endpoint({2}), 1000});
  const auto grants = said(step(FrameArrived{caller, alive(3000, 4000)}));
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].limit_bytes, 7000u);
}

TEST_F(LinkMachineTest, ForgivesNoSilence) {
  dial_and_open();
  base::Duration silence{0};
  while (silence + milliseconds(100) < options.silent_after) {
    silence += milliseconds(100);
    EXPECT_TRUE(told<PeerDown>(pass(milliseconds(100))).empty());
  }
  EXPECT_EQ(told<PeerDown>(pass(milliseconds(100))),
            (std::vector<PeerDown>{{peer_endpoint({2}), DownReason::silent}}));
}

TEST_F(LinkMachineTest, DoesNotTakeItsOwnSleepForSilence) {
  const ChannelId channel = dial_and_open();
  EXPECT_TRUE(told<PeerDown>(pass(seconds(60))).empty());
  EXPECT_TRUE(step(FrameArrived{channel, alive(0, 4000)}).empty());
  EXPECT_EQ(send(100), SendResult::queued);
}

TEST_F(LinkMachineTest, GivesASignEachInterval) {
  dial_and_open();
  step(FrameArrived{caller, hello()});
  const auto signs = said(pass(options.alive_interval));
  EXPECT_EQ(signs.size(), 2u) << "on the channel dialled and on the one accepted";
}

TEST_F(LinkMachineTest, GivesTheSignsOfAllChannelsAtTheSameMoments) {
  dial_and_open();
  now += options.alive_interval / 3;
  step(FrameArrived{caller, hello()});
  const auto signs = said(pass(options.alive_interval - options.alive_interval / 3));
  EXPECT_EQ(signs.size(), 2u) << "one wake serves both";
}

TEST_F(LinkMachineTest, CutsOffWhoSendsTooManyBadFrames) {
  step(FrameArrived{caller, hello()});
  for (int i = 1; i < LinkMachine::bad_frames_max; ++i) {
    EXPECT_TRUE(step(BadFrameArrived{caller, FrameFault::crc}).empty());
  }
  EXPECT_EQ(step(BadFrameArrived{caller, FrameFault::crc}).size(), 1u);
  EXPECT_EQ(machine.counters().channels_cut_off, 1u);
  EXPECT_EQ(machine.counters().dropped_crc, std::uint64_t{LinkMachine::bad_frames_max});
}

TEST_F(LinkMachineTest, CountsEachFaultApart) {
  for (const FrameFault fault :
       {FrameFault::too_large, FrameFault::truncated, FrameFault::magic, FrameFault::version,
        FrameFault::length, FrameFault::crc, FrameFault::kind}) {
    step(BadFrameArrived{caller, fault});
  }
  const LinkCounters& counters = machine.counters();
  EXPECT_EQ(counters.dropped_too_large, 1u);
  EXPECT_EQ(counters.dropped_truncated, 1u);
  EXPECT_EQ(counters.dropped_magic, 1u);
  EXPECT_EQ(counters.dropped_version, 1u);
  EXPECT_EQ(counters.dropped_length, 1u);
  EXPECT_EQ(counters.dropped_crc, 1u);
  EXPECT_EQ(counters.dropped_kind, 1u);
}

TEST_F(LinkMachineTest, DropsControlThatMakesNoSense) {
  step(FrameArrived{caller, hello()});
  Frame frame = alive(0, 0);
  frame.body = base::Bytes::copy_of("nonsense");
  EXPECT_TRUE(step(FrameArrived{caller, frame}).empty());
  EXPECT_EQ(machine.counters().dropped_control, 1u);
}

TEST_F(LinkMachineTest, IsDeafAfterStop) {
  dial_and_open();
  const auto effects = step(StopAsked{});
  ASSERT_EQ(said(effects).size(), 1u);
  EXPECT_EQ(said(effects)[0].type, ControlType::bye);
  EXPECT_FALSE(machine.next_deadline().has_value());
  EXPECT_TRUE(step(FrameArrived{caller, hello()}).empty());
  EXPECT_EQ(send(100), SendResult::unreachable);
}

}  // namespace
}  // namespace fastgpu::link
