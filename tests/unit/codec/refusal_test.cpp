// What the decoders refuse: each rule of the schema that hostile or foreign bytes could break.

#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <gtest/gtest.h>

#include <cstring>

#include "runtime/codec/client_codec.hpp"
#include "runtime/codec/image_codec.hpp"
#include "runtime/codec/peer_codec.hpp"
#include "runtime/codec/record_codec.hpp"
#include "schema/ledger_image.capnp.h"
#include "schema/peer.capnp.h"
#include "schema/record.capnp.h"
#include "tests/unit/codec/samples.hpp"

namespace fastgpu::codec {
namespace {

namespace limits = base::limits;

/// The bytes of a message that our own encoder would never make.
class Forged {
 public:
  template <class Root>
  typename Root::Builder root() {
    return message_.initRoot<Root>();
  }
  capnp::AnyStruct::Builder any() { return message_.getRoot<capnp::AnyStruct>(); }
  base::Bytes bytes() {
    const auto words = capnp::messageToFlatArray(message_);
    const auto data = words.asBytes();
    return base::Bytes::copy_of(std::span<const std::uint8_t>(data.begin(), data.size()));
  }

 private:
  capnp::MallocMessageBuilder message_{64u << 10};  // words: all in one segment
};

/// Refused as corrupt, with this word in the reason.
template <class Value>
void expect_refused(const base::Result<Value>& result, const char* word) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, base::ErrorKind::invalid);
  EXPECT_EQ(result.error().code, base::ErrorCode::corrupt);
  EXPECT_NE(result.error().message.find(word), std::string::npos) << result.error().message;
}

base::Result<protocol::PeerMessage> again(const protocol::PeerMessage& message) {
  return decode_peer(encode(message).span());
}

base::Result<ClientAnswer> again(const protocol::ClientReply& reply) {
  return decode_client_answer(encode(base::CallId{1}, reply).span());
}

// --- the message as a whole ----------------------------------------------------------------------

TEST(Refusal, OfEveryBeginningOfAMessage) {
  for (const auto& message : samples::peer_messages()) {
    const auto bytes = encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_peer(bytes.span().first(size)).ok()) << message.index() << ", " << size;
    }
  }
  const auto entry = encode(samples::entry());
  for (std::size_t size = 0; size < entry.size(); ++size) {
    EXPECT_FALSE(decode_entry(entry.span().first(size)).ok()) << size;
  }
  const auto image = encode(samples::ledger_image());
  for (std::size_t size = 0; size < image.size(); ++size) {
    EXPECT_FALSE(decode_ledger_image(image.span().first(size)).ok()) << size;
  }
}

TEST(Refusal, OfEveryBeginningOfAClientsMessage) {
  for (const auto& request : samples::client_requests()) {
    const auto bytes = encode(base::CallId{1}, request);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_client_call(bytes.span().first(size)).ok()) << size;
    }
  }
  for (const auto& reply : samples::client_replies()) {
    const auto bytes = encode(base::CallId{1}, reply);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_client_answer(bytes.span().first(size)).ok()) << size;
    }
  }
}

TEST(Refusal, OfBytesBehindTheEnd) {
  const auto bytes = encode(protocol::PeerMessage{protocol::Adopt{}});
  std::vector<std::uint8_t> longer(bytes.span().begin(), bytes.span().end());
  longer.resize(longer.size() + 8);
  expect_refused(decode_peer(longer), "after its end");
  longer.resize(longer.size() - 3);
  expect_refused(decode_peer(longer), "words");
}

TEST(Refusal, OfAMessageInAbsurdlyManySegments) {
  std::vector<std::uint8_t> bytes(4096);
  bytes[0] = bytes[1] = bytes[2] = bytes[3] = 0xff;
  expect_refused(decode_peer(bytes), "segments");
  bytes = std::vector<std::uint8_t>(4096);
  bytes[0] = 64;
  expect_refused(decode_peer(bytes), "segments");
}

TEST(Refusal, OfAMessageOfZeros) {
  const std::vector<std::uint8_t> zeros(64);
  EXPECT_FALSE(decode_peer(zeros).ok());
  EXPECT_FALSE(decode_client_call(zeros).ok());
  EXPECT_FALSE(decode_client_answer(zeros).ok());
  EXPECT_FALSE(decode_entry(zeros).ok());
  EXPECT_FALSE(decode_ledger_image(zeros).ok());
}

TEST(Refusal, LeavesTheNumberOfACallReadable) {
  Forged forged;
  auto call = forged.root<schema::ClientCall>();
  call.setCall(42);
  call.initRequest().initSubmit();
  const auto bytes = forged.bytes();
  expect_refused(decode_client_call(bytes.span()), "job spec");
  EXPECT_EQ(peek_call(bytes.span()), base::CallId{42});
  EXPECT_EQ(peek_call(bytes.span().first(bytes.size() - 8)), std::nullopt);
}

// --- unions and enums ----------------------------------------------------------------------------

TEST(Refusal, OfAMessageOfAKindThatWeDoNotKnow) {
  for (const std::uint16_t kind :
       {0, static_cast<int>(std::variant_size_v<protocol::PeerMessage>) + 1, 0xffff}) {
    Forged forged;
    forged.root<schema::PeerMessage>();
    auto data = forged.any().getDataSection();
    data[0] = static_cast<std::uint8_t>(kind & 0xff);
    data[1] = static_cast<std::uint8_t>(kind >> 8);
    expect_refused(decode_peer(forged.bytes().span()), "no known kind");
  }
}

TEST(Refusal, OfRequestsRepliesAndRecordsThatAreUnset) {
  Forged call;
  call.root<schema::ClientCall>().initRequest();
  expect_refused(decode_client_call(call.bytes().span()), "no known kind");
  Forged answer;
  answer.root<schema::ClientAnswer>().initReply();
  expect_refused(decode_client_answer(answer.bytes().span()), "no known kind");
  Forged entry;
  auto root = entry.root<schema::Entry>();
  root.setFormatVersion(1);
  root.initRecords(1);
  expect_refused(decode_entry(entry.bytes().span()), "no known kind");
}

TEST(Refusal, OfEnumValuesThatWeDoNotKnow) {
  Forged error;
  auto reply = error.root<schema::ClientAnswer>().initReply().initError();
  reply.setKind(static_cast<schema::ErrorKind>(7));
  expect_refused(decode_client_answer(error.bytes().span()), "error kind");
  reply.setKind(static_cast<schema::ErrorKind>(0xffff));
  expect_refused(decode_client_answer(error.bytes().span()), "error kind");

  Forged assign;
  assign.root<schema::PeerMessage>().initAssignReply().setRefused(
      static_cast<schema::RefusalReason>(8));
  expect_refused(decode_peer(assign.bytes().span()), "refusal reason");

  Forged spec;
  auto request = spec.root<schema::JobSpec>().initRequest();
  request.setKind(static_cast<schema::DeviceKind>(4));
  expect_refused(decode_job_spec(spec.bytes().span()), "device kind");
  request.setKind(schema::DeviceKind::ANY);
  auto scalar = spec.root<schema::JobSpec>().initKernel().initArguments(1)[0].initScalar();
  scalar.setType(static_cast<schema::ScalarType>(6));
  expect_refused(decode_job_spec(spec.bytes().span()), "scalar");
  auto buffer = spec.root<schema::JobSpec>().initKernel().initArguments(1)[0].initBuffer();
  buffer.setUse(static_cast<schema::BufferUse>(4));
  expect_refused(decode_job_spec(spec.bytes().span()), "buffer");
}

TEST(Refusal, SparesAnErrorOfACodeThatWeDoNotKnow) {
  Forged forged;
  auto error = forged.root<schema::ClientAnswer>().initReply().initError();
  error.setKind(schema::ErrorKind::OVERLOADED);
  error.setCode(2999);
  error.setMessage("a newer node says so");
  const auto answer = decode_client_answer(forged.bytes().span());
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().reply,
            protocol::ClientReply(base::Error{base::ErrorKind::overloaded, base::ErrorCode::none,
                                              "a newer node says so", ""}));
}

// --- values --------------------------------------------------------------------------------------

TEST(Refusal, OfRangesThatAreEmptyOrRunPastTheLargestArray) {
  const auto stop = [](base::TaskRange range) {
    return protocol::Stop{{{1}, {1}, {1}, 1}, {1}, {{1}, 0}, {range}};
  };
  expect_refused(again(stop({5, 0})), "empty");
  expect_refused(again(stop({limits::array_tasks_max, 1})), "largest array");
  expect_refused(again(stop({0, limits::array_tasks_max + 1})), "largest array");
  expect_refused(again(stop({0xffff'ffff, 0xffff'ffff})), "largest array");
  EXPECT_TRUE(again(stop({0, limits::array_tasks_max})).ok());
}

TEST(Refusal, OfAHashThatIsNot32Bytes) {
  for (const unsigned size : {0u, 31u, 33u}) {
    Forged forged;
    forged.root<schema::PeerMessage>().initObjectFetch().initHash(size);
    expect_refused(decode_peer(forged.bytes().span()), "32 bytes");
  }
}

TEST(Refusal, OfAPieceOutsideItsObject) {
  const auto part = [](std::uint64_t offset, std::uint64_t size, std::size_t bytes) {
    return protocol::ObjectPart{
        {}, offset, size, false, base::Bytes(std::vector<std::uint8_t>(bytes))};
  };
  EXPECT_TRUE(again(part(2, 4, 2)).ok());
  expect_refused(again(part(3, 4, 2)), "outside");
  expect_refused(again(part(5, 4, 1)), "outside");
  expect_refused(again(part(0xffff'ffff'ffff'ffff, 4, 8)), "outside");
  expect_refused(again(part(0, 8u << 20, limits::object_chunk_bytes + 1)), "too long");
  auto missing = part(0, 1, 1);
  missing.missing = true;
  expect_refused(again(missing), "missing");
  const protocol::ClientRequest put =
      protocol::PutChunk{{}, 4, 4, base::Bytes(std::vector<std::uint8_t>(1))};
  expect_refused(decode_client_call(encode(base::CallId{1}, put).span()), "outside");
}

TEST(Refusal, OfBooksWithMoreFreeThanThereIs) {
  protocol::DeviceBooks books;
  const auto heartbeat = [&] { return protocol::Heartbeat{{}, {}, {books}, 0}; };
  EXPECT_TRUE(again(heartbeat()).ok());
  books.memory_bytes_free = 1;
  expect_refused(again(heartbeat()), "memory");
  books = {};
  books.slots_free = 2;
  expect_refused(again(heartbeat()), "slots");
  books = {};
  books.kind = protocol::DeviceKind::any;
  expect_refused(again(heartbeat()), "kind");
}

TEST(Refusal, OfAClusterWithoutShards) {
  expect_refused(again(protocol::Welcome{}), "shard count");
  expect_refused(again(protocol::Joined{}), "shard count");
}

TEST(Refusal, OfAnOutcomeThatIsNotTerminal) {
  protocol::Finish finish;
  finish.reports = {{{0, 1}, {}}};
  EXPECT_TRUE(again(finish).ok());
  finish.reports[0].outcome.state = protocol::TaskState::running;
  expect_refused(again(finish), "terminal");
}

TEST(Refusal, OfNegativeDurations) {
  protocol::Renewed renewed;
  renewed.lease_ns = -1;
  expect_refused(again(renewed), "negative");
  protocol::Finish finish;
  finish.device_ns = INT64_MIN;
  expect_refused(again(finish), "negative");
}

TEST(Refusal, OfLogsThatNoNodeKeeps) {
  protocol::LogPart part;
  part.records.resize(1);
  part.records[0].bytes = base::Bytes(std::vector<std::uint8_t>(limits::log_record_bytes_max));
  EXPECT_TRUE(again(part).ok());
  part.records[0].bytes = base::Bytes(std::vector<std::uint8_t>(limits::log_record_bytes_max + 1));
  expect_refused(again(part), "too long");
  Forged forged;
  auto record = forged.root<schema::ClientAnswer>().initReply().initLogPart().initRecords(1)[0];
  record.setStream(static_cast<schema::LogStream>(5));
  expect_refused(decode_client_answer(forged.bytes().span()), "log stream");
  protocol::ReadLog read;
  read.wait_ns = -1;
  expect_refused(decode_client_call(encode(base::CallId{1}, protocol::ClientRequest(read)).span()),
                 "negative");
}

TEST(Refusal, OfWorkWithoutItsSpec) {
  expect_refused(again(protocol::Assign{}), "job spec");
  expect_refused(decode_entry(encode(protocol::Entry{{protocol::SubmitRecord{}}}).span()),
                 "job spec");
}

TEST(Refusal, OfARequestThatIsTooLargeTellsTheAskerWhatToDo) {
  protocol::JobSpec spec;
  spec.command.argv = {"true", std::string(limits::task_spec_bytes_max + 1, 'x')};
  const protocol::ClientRequest submit =
      protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(spec)}};
  const auto refused = decode_client_call(encode(base::CallId{1}, submit).span());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, base::ErrorKind::invalid);
  EXPECT_EQ(refused.error().code, base::ErrorCode::too_large);
  EXPECT_NE(refused.error().message.find("argv: too long"), std::string::npos);
  EXPECT_NE(refused.error().hint, "");
}

TEST(Refusal, OfNamesTextsAndListsThatAreTooLong) {
  protocol::Heartbeat heartbeat;
  heartbeat.self.name = std::string(limits::name_bytes_max + 1, 'n');
  expect_refused(again(heartbeat), "too long");

  protocol::JobSpec spec;
  spec.kernel.source = base::Bytes(std::vector<std::uint8_t>(limits::task_spec_bytes_max + 1));
  expect_refused(decode_job_spec(encode(spec).span()), "too long");

  spec = {};
  spec.kernel.arguments.resize(limits::kernel_arguments_max + 1);
  expect_refused(decode_job_spec(encode(spec).span()), "too many");

  spec = {};
  spec.kernel.arguments = {protocol::BufferArgument{
      protocol::BufferUse::in,
      "",
      0,
      {base::Bytes(std::vector<std::uint8_t>(limits::inline_data_bytes_max + 1))}}};
  expect_refused(decode_job_spec(encode(spec).span()), "too long");

  protocol::JobList list;
  list.jobs.resize(1);
  list.jobs[0].nodes.resize(limits::message_list_items_max + 1);
  expect_refused(again(list), "too many");
}

TEST(Refusal, OfEntriesAndSnapshotsOfANewerFormat) {
  Forged entry;
  auto root = entry.root<schema::Entry>();
  expect_refused(decode_entry(entry.bytes().span()), "without a format");
  root.setFormatVersion(record_format_version + 1);
  const auto newer = decode_entry(entry.bytes().span());
  ASSERT_FALSE(newer.ok());
  EXPECT_EQ(newer.error().code, base::ErrorCode::version_skew);

  Forged image;
  image.root<schema::LedgerImage>().setFormatVersion(image_format_version + 1);
  const auto newer_image = decode_ledger_image(image.bytes().span());
  ASSERT_FALSE(newer_image.ok());
  EXPECT_EQ(newer_image.error().code, base::ErrorCode::version_skew);
}

// --- small bytes that describe a lot -------------------------------------------------------------

TEST(Refusal, OfAListWhoseItemsAreNarrowerThanTheirStruct) {
  // A list of bytes may stand where a list of structs is expected: 100,000 books in 100 KB.
  Forged forged;
  forged.root<schema::PeerMessage>().initHeartbeat();
  auto heartbeat = forged.any().getPointerSection()[0].getAs<capnp::AnyStruct>();
  auto devices = heartbeat.getPointerSection()[2].initAs<capnp::List<std::uint8_t>>(100'000);
  for (unsigned i = 0; i < devices.size(); ++i)
    devices.set(i, 1);
  expect_refused(decode_peer(forged.bytes().span()), "far more than it holds");
}

TEST(Refusal, OfAListOfNothingThatIsVeryLong) {
  // A list of void takes one word whatever its length.
  Forged forged;
  forged.root<schema::PeerMessage>().initMembers();
  auto members = forged.any().getPointerSection()[0].getAs<capnp::AnyStruct>();
  members.getPointerSection()[0].initAs<capnp::List<capnp::Void>>(0x1fff'ffff);
  const auto bytes = forged.bytes();
  EXPECT_LT(bytes.size(), 100u);
  EXPECT_FALSE(decode_peer(bytes.span()).ok());
}

TEST(Refusal, OfOneStructThatManyPointersShare) {
  // Every item of the list points to the same long text; each reading of it counts.
  Forged forged;
  forged.root<schema::PeerMessage>().initMembers();
  auto section = forged.any().getPointerSection()[0].getAs<capnp::AnyStruct>();
  auto members = section.getPointerSection()[0].initAs<capnp::List<schema::NodeInfo>>(1200);
  members[1199].setName(std::string(250, 'x'));
  auto bytes = forged.bytes();
  // The last item's name, 250 bytes, is the last object; its pointer is copied to every item with
  // the distance mended. An item is three pointers behind two words of data.
  std::vector<std::uint64_t> words(bytes.size() / 8);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  const std::size_t text = words.size() - 32;
  const std::size_t last_pointer = text - 3;
  const std::uint64_t pointer = words[last_pointer];
  for (std::size_t i = 1; i < 1200; ++i) {
    const std::size_t at = last_pointer - 5 * i;
    const std::uint64_t distance = text - at - 1;
    words[at] = (pointer & 0xffff'ffff'0000'0003ull) | (distance << 2);
  }
  const std::span forged_bytes(reinterpret_cast<const std::uint8_t*>(words.data()), bytes.size());
  expect_refused(decode_peer(forged_bytes), "raversal");
}

}  // namespace
}  // namespace fastgpu::codec
