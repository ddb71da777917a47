#include "runtime/codec/raft_parts.hpp"

namespace fastgpu::schema {
namespace limits = base::limits;
using codec::as_data;
using codec::list_size;
using codec::Reading;

static void write(RaftPosition::Builder to, const protocol::RaftPosition& from) {
  to.setIndex(from.index.value);
  to.setTerm(from.term.value);
}

static protocol::RaftPosition read(RaftPosition::Reader from, Reading&) {
  return {{from.getIndex()}, {from.getTerm()}};
}

static void write(RaftMember::Builder to, const protocol::RaftMember& from) {
  to.setNode(from.node.value);
  to.setStore(from.store.value);
  to.setVoter(from.voter);
}

static protocol::RaftMember read(RaftMember::Reader from, Reading&) {
  return {{from.getNode()}, {from.getStore()}, from.getVoter()};
}

static void write(RaftEntry::Builder to, const protocol::RaftEntry& from) {
  to.setTerm(from.term.value);
  to.setKind(codec::write_enum<RaftEntryKind>(from.kind));
  to.setChain(from.chain.value);
  if (!from.data.empty())
    to.setData(as_data(from.data.span()));
  if (!from.members.empty())
    codec::write_list(to.initMembers(list_size(from.members.size())), from.members);
}

static protocol::RaftEntry read(RaftEntry::Reader from, Reading& reading) {
  protocol::RaftEntry entry{
      {from.getTerm()},
      codec::read_enum(from.getKind(), protocol::RaftEntryKind::configuration, "kind of entry"),
      {from.getChain()},
      reading.bytes(from.getData(), 2 * limits::entry_bytes_max, "entry"),
      codec::read_list(from.getMembers(), reading, "members", protocol::raft_members_max),
  };
  if (entry.kind != protocol::RaftEntryKind::command && !entry.data.empty())
    codec::refuse("entry", "with data, but no command");
  if (entry.kind != protocol::RaftEntryKind::configuration && !entry.members.empty())
    codec::refuse("entry", "with members, but no configuration");
  return entry;
}

// --- bodies --------------------------------------------------------------------------------------

using BodyBuilder = RaftMessage::Body::Builder;

static void write_body(BodyBuilder to, const protocol::RaftVoteRequest& from) {
  auto request = to.initVoteRequest();
  request.setPre(from.pre);
  request.setCampaign(from.campaign.value);
  write(request.initLast(), from.last);
  request.setTransfer(from.transfer);
}

static protocol::RaftVoteRequest read(RaftVoteRequest::Reader from, Reading& reading) {
  return {from.getPre(), {from.getCampaign()}, read(from.getLast(), reading), from.getTransfer()};
}

static void write_body(BodyBuilder to, const protocol::RaftVoteReply& from) {
  auto reply = to.initVoteReply();
  reply.setPre(from.pre);
  reply.setCampaign(from.campaign.value);
  reply.setGranted(from.granted);
}

static protocol::RaftVoteReply read(RaftVoteReply::Reader from, Reading&) {
  return {from.getPre(), {from.getCampaign()}, from.getGranted()};
}

static void write_body(BodyBuilder to, const protocol::RaftAppend& from) {
  auto append = to.initAppend();
  write(append.initPrev(), from.prev);
  if (!from.entries.empty())
    codec::write_list(append.initEntries(list_size(from.entries.size())), from.entries);
  append.setCommit(from.commit.value);
  append.setRound(from.round.value);
}

static protocol::RaftAppend read(RaftAppend::Reader from, Reading& reading) {
  return {
      read(from.getPrev(), reading),
      codec::read_list(from.getEntries(), reading, "entries", protocol::raft_entries_max),
      {from.getCommit()},
      {from.getRound()},
  };
}

static void write_body(BodyBuilder to, const protocol::RaftAppendReply& from) {
  auto reply = to.initAppendReply();
  reply.setRound(from.round.value);
  reply.setMatch(from.match.value);
  reply.setRefused(from.refused);
  reply.setRejected(from.rejected.value);
  reply.setHint(from.hint.value);
}

static protocol::RaftAppendReply read(RaftAppendReply::Reader from, Reading&) {
  return {
      {from.getRound()},    {from.getMatch()}, from.getRefused(),
      {from.getRejected()}, {from.getHint()},
  };
}

static void write_body(BodyBuilder to, const protocol::RaftSnapshotChunk& from) {
  auto chunk = to.initSnapshotChunk();
  write(chunk.initLast(), from.last);
  chunk.setChain(from.chain.value);
  codec::write_list(chunk.initMembers(list_size(from.members.size())), from.members);
  chunk.setDataCrc32c(from.data_crc32c);
  chunk.setSizeBytes(from.size_bytes);
  chunk.setOffset(from.offset);
  chunk.setData(as_data(from.data.span()));
  chunk.setRound(from.round.value);
}

static protocol::RaftSnapshotChunk read(RaftSnapshotChunk::Reader from, Reading& reading) {
  protocol::RaftSnapshotChunk chunk{
      read(from.getLast(), reading),
      {from.getChain()},
      codec::read_list(from.getMembers(), reading, "members", protocol::raft_members_max),
      from.getDataCrc32c(),
      from.getSizeBytes(),
      from.getOffset(),
      reading.bytes(from.getData(), limits::object_chunk_bytes, "piece"),
      {from.getRound()},
  };
  codec::check_piece(chunk.offset, chunk.data.size(), chunk.size_bytes);
  return chunk;
}

static void write_body(BodyBuilder to, const protocol::RaftSnapshotReply& from) {
  auto reply = to.initSnapshotReply();
  write(reply.initLast(), from.last);
  reply.setReceived(from.received);
  reply.setRound(from.round.value);
}

static protocol::RaftSnapshotReply read(RaftSnapshotReply::Reader from, Reading& reading) {
  return {read(from.getLast(), reading), from.getReceived(), {from.getRound()}};
}

static void write_body(BodyBuilder to, const protocol::RaftTimeoutNow&) {
  to.setTimeoutNow();
}

static protocol::RaftBody read(RaftMessage::Body::Reader from, Reading& reading) {
  switch (from.which()) {
    case RaftMessage::Body::UNSET:
      break;
    case RaftMessage::Body::VOTE_REQUEST:
      return read(from.getVoteRequest(), reading);
    case RaftMessage::Body::VOTE_REPLY:
      return read(from.getVoteReply(), reading);
    case RaftMessage::Body::APPEND:
      return read(from.getAppend(), reading);
    case RaftMessage::Body::APPEND_REPLY:
      return read(from.getAppendReply(), reading);
    case RaftMessage::Body::SNAPSHOT_CHUNK:
      return read(from.getSnapshotChunk(), reading);
    case RaftMessage::Body::SNAPSHOT_REPLY:
      return read(from.getSnapshotReply(), reading);
    case RaftMessage::Body::TIMEOUT_NOW:
      return protocol::RaftTimeoutNow{};
  }
  codec::refuse("replica's message", "of no known kind");
}

void write(RaftMessage::Builder to, const protocol::RaftMessage& from) {
  to.setShard(from.shard.value);
  to.setEpoch(from.epoch.value);
  to.setTerm(from.term.value);
  to.setFromStore(from.from_store.value);
  to.setToStore(from.to_store.value);
  std::visit([&](const auto& body) { write_body(to.getBody(), body); }, from.body);
}

protocol::RaftMessage read(RaftMessage::Reader from, Reading& reading) {
  return {
      {from.getShard()},     {from.getEpoch()},   {from.getTerm()},
      {from.getFromStore()}, {from.getToStore()}, read(from.getBody(), reading),
  };
}

}  // namespace fastgpu::schema
