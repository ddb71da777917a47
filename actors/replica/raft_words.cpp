#include "actors/replica/raft_words.hpp"

#include <utility>

namespace fastgpu::actors {
namespace {

protocol::RaftPosition to_wire(const raft::LogPosition& from) {
  return {from.index, from.term};
}
raft::LogPosition from_wire(const protocol::RaftPosition& from) {
  return {from.index, from.term};
}

std::vector<protocol::RaftMember> to_wire(const raft::Configuration& from) {
  std::vector<protocol::RaftMember> members;
  for (const raft::Member& member : from.members) {
    members.push_back({member.node, {member.store.value}, member.voter});
  }
  return members;
}
raft::Configuration from_wire(const std::vector<protocol::RaftMember>& from) {
  raft::Configuration configuration;
  for (const protocol::RaftMember& member : from) {
    configuration.members.push_back({member.node, {member.store.value}, member.voter});
  }
  return configuration;
}

protocol::RaftEntry to_wire(const raft::Entry& from) {
  return {from.term,
          static_cast<protocol::RaftEntryKind>(from.kind),
          {from.chain.value},
          from.data,
          to_wire(from.configuration)};
}
raft::Entry from_wire(const protocol::RaftEntry& from, base::LogIndex index) {
  return {index,
          from.term,
          static_cast<raft::EntryKind>(from.kind),
          from.data,
          from_wire(from.members),
          {from.chain.value}};
}
static_assert(static_cast<int>(protocol::RaftEntryKind::command) ==
                  static_cast<int>(raft::EntryKind::command) &&
              static_cast<int>(protocol::RaftEntryKind::configuration) ==
                  static_cast<int>(raft::EntryKind::configuration));

// --- bodies --------------------------------------------------------------------------------------

protocol::RaftBody to_wire(const raft::VoteRequest& from) {
  return protocol::RaftVoteRequest{from.pre, from.campaign, to_wire(from.last), from.transfer};
}
raft::Body from_wire(const protocol::RaftVoteRequest& from) {
  return raft::VoteRequest{from.pre, from.campaign, from_wire(from.last), from.transfer};
}

protocol::RaftBody to_wire(const raft::VoteReply& from) {
  return protocol::RaftVoteReply{from.pre, from.campaign, from.granted};
}
raft::Body from_wire(const protocol::RaftVoteReply& from) {
  return raft::VoteReply{from.pre, from.campaign, from.granted};
}

protocol::RaftBody to_wire(const raft::Append& from) {
  protocol::RaftAppend append{to_wire(from.prev), {}, from.commit, {from.round.value}};
  append.entries.reserve(from.entries.size());
  for (const raft::Entry& entry : from.entries) {
    append.entries.push_back(to_wire(entry));
  }
  return append;
}
raft::Body from_wire(const protocol::RaftAppend& from) {
  raft::Append append{from_wire(from.prev), {}, from.commit, {from.round.value}};
  append.entries.reserve(from.entries.size());
  base::LogIndex index = from.prev.index;
  for (const protocol::RaftEntry& entry : from.entries) {
    index.value += 1;
    append.entries.push_back(from_wire(entry, index));
  }
  return append;
}

protocol::RaftBody to_wire(const raft::AppendReply& from) {
  return protocol::RaftAppendReply{{from.round.value},
                                   from.match,
                                   from.rejected.has_value(),
                                   from.rejected.value_or(base::LogIndex{}),
                                   from.hint};
}
raft::Body from_wire(const protocol::RaftAppendReply& from) {
  return raft::AppendReply{{from.round.value},
                           from.match,
                           from.refused ? std::optional(from.rejected) : std::nullopt,
                           from.hint};
}

protocol::RaftBody to_wire(const raft::SnapshotChunk& from) {
  return protocol::RaftSnapshotChunk{to_wire(from.about.last),
                                     {from.about.chain.value},
                                     to_wire(from.about.configuration),
                                     from.about.data_crc32c,
                                     from.size_bytes,
                                     from.offset,
                                     from.data,
                                     {from.round.value}};
}
raft::Body from_wire(const protocol::RaftSnapshotChunk& from) {
  const raft::Snapshot about{
      from_wire(from.last), {from.chain.value}, from_wire(from.members), {}, from.data_crc32c};
  return raft::SnapshotChunk{about, from.size_bytes, from.offset, from.data, {from.round.value}};
}

protocol::RaftBody to_wire(const raft::SnapshotReply& from) {
  return protocol::RaftSnapshotReply{to_wire(from.last), from.received, {from.round.value}};
}
raft::Body from_wire(const protocol::RaftSnapshotReply& from) {
  return raft::SnapshotReply{from_wire(from.last), from.received, {from.round.value}};
}

protocol::RaftBody to_wire(const raft::TimeoutNow&) {
  return protocol::RaftTimeoutNow{};
}
raft::Body from_wire(const protocol::RaftTimeoutNow&) {
  return raft::TimeoutNow{};
}

}  // namespace

protocol::RaftMessage to_wire(base::ShardId shard, const raft::Message& message) {
  return {shard,
          message.epoch,
          message.term,
          {message.from_store.value},
          {message.to_store.value},
          std::visit([](const auto& body) { return to_wire(body); }, message.body)};
}

raft::Message from_wire(const protocol::RaftMessage& message, base::NodeId from, base::NodeId to) {
  return {from,
          {message.from_store.value},
          to,
          {message.to_store.value},
          message.epoch,
          message.term,
          std::visit([](const auto& body) { return from_wire(body); }, message.body)};
}

}  // namespace fastgpu::actors
