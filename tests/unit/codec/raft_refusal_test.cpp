// What a replica's messages may not say, whoever sends them.

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <gtest/gtest.h>

#include "runtime/codec/peer_codec.hpp"
#include "schema/peer.capnp.h"

namespace fastgpu::codec {
namespace {

namespace limits = base::limits;
using protocol::RaftEntryKind;

base::Result<protocol::PeerMessage> again(protocol::RaftBody body) {
  protocol::RaftMessage message;
  message.body = std::move(body);
  return decode_peer(encode(protocol::PeerMessage{message}).span());
}

void expect_refused(const base::Result<protocol::PeerMessage>& result, const char* word) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, base::ErrorKind::invalid);
  EXPECT_NE(result.error().message.find(word), std::string::npos) << result.error().message;
}

base::Bytes zeros(std::size_t size) {
  return base::Bytes(std::vector<std::uint8_t>(size));
}

protocol::RaftAppend append_of(protocol::RaftEntry entry) {
  protocol::RaftAppend append;
  append.entries.push_back(std::move(entry));
  return append;
}

TEST(RaftRefusal, OfDataInAnEntryThatIsNoCommand) {
  EXPECT_TRUE(again(append_of({{1}, RaftEntryKind::command, {}, zeros(9), {}})).ok());
  expect_refused(again(append_of({{1}, RaftEntryKind::no_op, {}, zeros(9), {}})), "no command");
  expect_refused(again(append_of({{1}, RaftEntryKind::configuration, {}, zeros(9), {}})),
                 "no command");
}

TEST(RaftRefusal, OfMembersInAnEntryThatIsNoConfiguration) {
  const std::vector<protocol::RaftMember> members(3);
  EXPECT_TRUE(again(append_of({{1}, RaftEntryKind::configuration, {}, {}, members})).ok());
  expect_refused(again(append_of({{1}, RaftEntryKind::command, {}, {}, members})),
                 "no configuration");
}

TEST(RaftRefusal, OfMoreThanAMessageMayHold) {
  const std::size_t entry_max = 2 * limits::entry_bytes_max;
  EXPECT_TRUE(again(append_of({{1}, RaftEntryKind::command, {}, zeros(entry_max), {}})).ok());
  expect_refused(again(append_of({{1}, RaftEntryKind::command, {}, zeros(entry_max + 1), {}})),
                 "too long");
  const std::vector<protocol::RaftMember> crowd(protocol::raft_members_max + 1);
  expect_refused(again(append_of({{1}, RaftEntryKind::configuration, {}, {}, crowd})), "too many");
  protocol::RaftSnapshotChunk chunk;
  chunk.members = crowd;
  expect_refused(again(chunk), "too many");
  protocol::RaftAppend append;
  append.entries.resize(protocol::raft_entries_max);
  EXPECT_TRUE(again(append).ok());
  append.entries.resize(protocol::raft_entries_max + 1);
  expect_refused(again(append), "too many");
}

TEST(RaftRefusal, OfAPieceOutsideItsSnapshot) {
  protocol::RaftSnapshotChunk chunk;
  chunk.size_bytes = 4;
  chunk.offset = 2;
  chunk.data = zeros(2);
  EXPECT_TRUE(again(chunk).ok());
  chunk.offset = 3;
  expect_refused(again(chunk), "outside");
  chunk.offset = ~std::uint64_t{0};
  expect_refused(again(chunk), "outside");
  chunk = {};
  chunk.size_bytes = 8 * limits::object_chunk_bytes;
  chunk.data = zeros(limits::object_chunk_bytes + 1);
  expect_refused(again(chunk), "too long");
}

TEST(RaftRefusal, OfKindsThatNobodyKnows) {
  capnp::MallocMessageBuilder forged;
  const auto verdict = [&] {
    const auto words = capnp::messageToFlatArray(forged);
    const auto bytes = words.asBytes();
    return decode_peer({bytes.begin(), bytes.size()});
  };
  auto raft = forged.initRoot<schema::PeerMessage>().initRaft();
  expect_refused(verdict(), "no known kind");
  auto entries = raft.getBody().initAppend().initEntries(1);
  EXPECT_TRUE(verdict().ok());
  entries[0].setKind(static_cast<schema::RaftEntryKind>(3));
  expect_refused(verdict(), "kind of entry");
}

TEST(RaftRefusal, OfALongListInFewBytes) {
  // A list of structs without a body costs its writer one word, whatever its length.
  capnp::MallocMessageBuilder forged;
  auto append = forged.initRoot<schema::PeerMessage>().initRaft().getBody().initAppend();
  append.initEntries(protocol::raft_entries_max + 1);
  const auto words = capnp::messageToFlatArray(forged);
  const auto bytes = words.asBytes();
  expect_refused(decode_peer({bytes.begin(), bytes.size()}), "too many");
}

TEST(RaftCodec, AHeartbeatIsSmall) {
  protocol::RaftMessage message;
  message.body = protocol::RaftAppend{{{~0ull}, {~0ull}}, {}, {~0ull}, {~0ull}};
  EXPECT_LE(encode(protocol::PeerMessage{message}).size(), 160u);
}

}  // namespace
}  // namespace fastgpu::codec
