// Whatever the protocol can say comes back from its bytes as it was.

#include <gtest/gtest.h>

#include "runtime/codec/client_codec.hpp"
#include "runtime/codec/image_codec.hpp"
#include "runtime/codec/peer_codec.hpp"
#include "runtime/codec/record_codec.hpp"
#include "tests/unit/codec/samples.hpp"

namespace fastgpu::codec {
namespace {

/// One sample of each alternative, in their order: a new alternative without one fails here.
template <class Variant>
void expect_each_alternative_once(const std::vector<Variant>& samples) {
  ASSERT_EQ(samples.size(), std::variant_size_v<Variant>);
  for (std::size_t i = 0; i < samples.size(); ++i)
    EXPECT_EQ(samples[i].index(), i);
}

TEST(PeerCodec, GivesBackEveryMessageAsItWas) {
  const auto messages = samples::peer_messages();
  expect_each_alternative_once(messages);
  for (const auto& message : messages) {
    const auto back = decode_peer(encode(message).span());
    ASSERT_TRUE(back.ok()) << message.index() << ": " << back.error().message;
    EXPECT_EQ(back.value(), message) << message.index();
  }
}

TEST(PeerCodec, CarriesEveryClientRequestAndReplyBetweenGateways) {
  for (const auto& request : samples::client_requests()) {
    const protocol::PeerMessage message = protocol::Forward{1, request};
    const auto back = decode_peer(encode(message).span());
    ASSERT_TRUE(back.ok()) << request.index() << ": " << back.error().message;
    EXPECT_EQ(back.value(), message) << request.index();
  }
  for (const auto& reply : samples::client_replies()) {
    const protocol::PeerMessage message = protocol::ForwardReply{2, reply};
    const auto back = decode_peer(encode(message).span());
    ASSERT_TRUE(back.ok()) << reply.index() << ": " << back.error().message;
    EXPECT_EQ(back.value(), message) << reply.index();
  }
}

TEST(PeerCodec, GivesBackMessagesThatSayNothing) {
  const std::vector<protocol::PeerMessage> messages{
      protocol::Heartbeat{},   protocol::Members{},       protocol::Stop{},
      protocol::Renewed{},     protocol::Finish{},        protocol::AssignReply{},
      protocol::Renew{},       protocol::ObjectPart{},    protocol::ObjectPinned{},
      protocol::PinAnswer{},   protocol::DependencyAsk{}, protocol::DependencyAnswer{},
      protocol::RaftMessage{}, protocol::KeepCopies{},    protocol::CopiesKept{},
  };
  for (const auto& message : messages) {
    const auto back = decode_peer(encode(message).span());
    ASSERT_TRUE(back.ok()) << message.index() << ": " << back.error().message;
    EXPECT_EQ(back.value(), message) << message.index();
  }
}

TEST(PeerCodec, GivesBackWhateverReplicasSay) {
  const auto messages = samples::raft_messages();
  ASSERT_EQ(messages.size(), std::variant_size_v<protocol::RaftBody>);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(messages[i].body.index(), i);
    const protocol::PeerMessage message = messages[i];
    const auto back = decode_peer(encode(message).span());
    ASSERT_TRUE(back.ok()) << i << ": " << back.error().message;
    EXPECT_EQ(back.value(), message) << i;
  }
}

TEST(ClientCodec, GivesBackEveryRequestWithItsCall) {
  const auto requests = samples::client_requests();
  expect_each_alternative_once(requests);
  base::CallId call{0xfedc'ba98'7654'3210ull};
  for (const auto& request : requests) {
    const auto bytes = encode(call, request);
    const auto back = decode_client_call(bytes.span());
    ASSERT_TRUE(back.ok()) << request.index() << ": " << back.error().message;
    EXPECT_EQ(back.value(), (ClientCall{call, request})) << request.index();
    EXPECT_EQ(peek_call(bytes.span()), call);
    ++call.value;
  }
}

TEST(ClientCodec, GivesBackEveryReplyWithItsCall) {
  const auto replies = samples::client_replies();
  expect_each_alternative_once(replies);
  base::CallId call{0xfedc'ba98'7654'3210ull};
  for (const auto& reply : replies) {
    const auto back = decode_client_answer(encode(call, reply).span());
    ASSERT_TRUE(back.ok()) << reply.index() << ": " << back.error().message;
    EXPECT_EQ(back.value(), (ClientAnswer{call, reply})) << reply.index();
    ++call.value;
  }
}

TEST(ClientCodec, GivesBackAJobDetailWhoseSpecIsKeptNoLonger) {
  const protocol::ClientReply reply = protocol::JobDetail{};
  const auto back = decode_client_answer(encode(base::CallId{1}, reply).span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back.value().reply, reply);
}

TEST(RecordCodec, GivesBackAnEntryWithARecordOfEachKind) {
  const auto entry = samples::entry();
  expect_each_alternative_once(entry.records);
  const auto back = decode_entry(encode(entry).span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  ASSERT_EQ(back.value().records.size(), entry.records.size());
  for (std::size_t i = 0; i < entry.records.size(); ++i) {
    EXPECT_EQ(back.value().records[i], entry.records[i]) << i;
  }
}

TEST(RecordCodec, GivesBackTheEmptyEntryOfANewLeader) {
  const auto back = decode_entry(encode(protocol::Entry{}).span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back.value(), protocol::Entry{});
}

TEST(RecordCodec, GivesBackAJobSpecAlone) {
  const auto spec = samples::job_spec();
  const auto back = decode_job_spec(encode(spec).span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back.value(), spec);
}

TEST(RecordCodec, WritesTheSameEntryAsTheSameBytes) {
  const auto entry = samples::entry();
  EXPECT_EQ(encode(entry), encode(entry));
}

TEST(ImageCodec, GivesBackALedgerAsItWas) {
  const auto image = samples::ledger_image();
  const auto back = decode_ledger_image(encode(image).span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back.value(), image);
}

TEST(ImageCodec, KeepsAnOutcomeThatTasksShareOnce) {
  const auto back = decode_ledger_image(encode(samples::ledger_image()).span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  const auto& tasks = back.value().jobs[0].tasks;
  EXPECT_EQ(tasks[0].record.outcome.value, tasks[3].record.outcome.value);
  EXPECT_NE(tasks[0].record.outcome.value, tasks[5].record.outcome.value);
}

TEST(ImageCodec, GivesBackAnEmptyLedger) {
  const auto back = decode_ledger_image(encode(protocol::LedgerImage{}).span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back.value(), protocol::LedgerImage{});
}

TEST(ImageCodec, RefusesALedgerWhoseTasksDoNotCoverTheirJob) {
  const auto whole = samples::ledger_image();
  auto gap = whole;
  gap.jobs[0].tasks.erase(gap.jobs[0].tasks.begin() + 1);
  EXPECT_FALSE(decode_ledger_image(encode(gap).span()).ok());
  auto end_missing = whole;
  end_missing.jobs[1].tasks.pop_back();
  EXPECT_FALSE(decode_ledger_image(encode(end_missing).span()).ok());
  auto without_outcome = whole;
  without_outcome.jobs[0].tasks[0].record.outcome = {};
  EXPECT_FALSE(decode_ledger_image(encode(without_outcome).span()).ok());
  auto outcome_of_a_live_task = whole;
  outcome_of_a_live_task.jobs[0].tasks[0].record.phase = protocol::TaskPhase::ready;
  EXPECT_FALSE(decode_ledger_image(encode(outcome_of_a_live_task).span()).ok());
}

TEST(Codec, CarriesMessagesLargerThanItsFirstSegment) {
  protocol::ObjectPart part;
  part.size_bytes = base::limits::object_chunk_bytes;
  part.data = base::Bytes(std::vector<std::uint8_t>(part.size_bytes, 0x5a));
  protocol::Members members;
  for (std::uint32_t i = 1; i <= 5000; ++i) {
    members.members.push_back({{i}, "node" + std::to_string(i), "host:" + std::to_string(i)});
  }
  // Twice each: the memory that one message used must not show in the next.
  for (int round = 0; round < 2; ++round) {
    for (const protocol::PeerMessage& message :
         {protocol::PeerMessage{part}, protocol::PeerMessage{members},
          protocol::PeerMessage{protocol::Heartbeat{}}}) {
      const auto back = decode_peer(encode(message).span());
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_EQ(back.value(), message);
    }
  }
}

TEST(Codec, ReadsBytesThatAreNotAligned) {
  const auto messages = samples::peer_messages();
  for (const auto& message : messages) {
    const auto bytes = encode(message);
    std::vector<std::uint8_t> shifted(bytes.size() + 1);
    std::copy(bytes.span().begin(), bytes.span().end(), shifted.begin() + 1);
    const auto back = decode_peer(std::span(shifted).subspan(1));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back.value(), message);
  }
}

TEST(Codec, CutsSentencesForPeopleAtTheEndOfACharacter) {
  const std::size_t limit = base::limits::message_text_bytes_max;
  base::Error error;
  error.message =
      std::string(limit - 1, 'x') + "\xc3\xa4\xc3\xa4";  // two characters, two bytes each
  const auto back = decode_client_answer(encode(base::CallId{1}, error).span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(std::get<base::Error>(back.value().reply).message, std::string(limit - 1, 'x'));
}

TEST(Codec, ReadsALongerWaitThanTenYearsAsTenYears) {
  const protocol::ClientRequest request = protocol::WaitJob{{7}, INT64_MAX};
  const auto back = decode_client_call(encode(base::CallId{1}, request).span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(std::get<protocol::WaitJob>(back.value().request).wait_ns,
            base::limits::duration_max.count());
}

TEST(Codec, NeedsLittleMoreThanTheRangesForAnArrayOfTasks) {
  protocol::Finish finish{{{1}, {1}, {1}, 1}, {1}, {{1}, 0}, {}, 1};
  finish.reports.push_back({{0, 256}, {}});
  EXPECT_LE(encode(protocol::PeerMessage{finish}).size(), 256u);
}

}  // namespace
}  // namespace fastgpu::codec
