#include "runtime/raft/message_check.hpp"

#include <algorithm>
#include <type_traits>

namespace fastgpu::raft {

bool is_reply(const Body& body) {
  return std::holds_alternative<VoteReply>(body) || std::holds_alternative<AppendReply>(body) ||
         std::holds_alternative<SnapshotReply>(body);
}

bool is_from_leader(const Body& body) {
  return std::holds_alternative<Append>(body) || std::holds_alternative<SnapshotChunk>(body);
}

namespace {

bool in_order(const std::vector<Member>& members) {
  return std::adjacent_find(members.begin(), members.end(), [](const Member& a, const Member& b) {
           return a.node >= b.node;
         }) == members.end();
}

bool sound(const VoteRequest& request, const Message& message, const RaftLimits&) {
  return request.campaign.value == message.term.value + (request.pre ? 1 : 0) &&
         request.last.term < request.campaign;
}
bool sound(const VoteReply& reply, const Message&, const RaftLimits&) {
  return reply.campaign.value > 0;
}
bool sound(const Append& append, const Message& message, const RaftLimits& limits) {
  if (append.entries.size() > limits.append_entries_max ||
      (append.prev.index.value == 0) != (append.prev.term.value == 0) ||
      append.prev.term > message.term) {
    return false;
  }
  LogPosition before = append.prev;
  std::size_t bytes = 0;
  for (const Entry& entry : append.entries) {
    bytes += entry.size_bytes();
    if (entry.index.value != before.index.value + 1 || entry.term < before.term ||
        entry.term > message.term || entry.term.value == 0 ||
        !in_order(entry.configuration.members) || entry.data.size() > limits.entry_bytes_max) {
      return false;
    }
    before = entry.position();
  }
  return append.entries.size() <= 1 || bytes <= limits.append_bytes_max;
}
bool sound(const AppendReply&, const Message&, const RaftLimits&) {
  return true;
}
bool sound(const SnapshotChunk& chunk, const Message& message, const RaftLimits& limits) {
  return chunk.about.last.index.value > 0 && chunk.about.last.term.value > 0 &&
         chunk.about.last.term <= message.term && chunk.size_bytes <= limits.snapshot_bytes_max &&
         chunk.data.size() <= limits.snapshot_chunk_bytes && chunk.offset <= chunk.size_bytes &&
         chunk.data.size() <= chunk.size_bytes - chunk.offset &&
         (chunk.data.size() > 0 || chunk.offset == chunk.size_bytes) &&
         in_order(chunk.about.configuration.members);
}
bool sound(const SnapshotReply&, const Message&, const RaftLimits&) {
  return true;
}
bool sound(const TimeoutNow&, const Message&, const RaftLimits&) {
  return true;
}

bool stores_agree(const Message& message, const Standing& standing) {
  const Fault fault = standing.options.fault;
  if (fault == Fault::accept_any_store ||
      (fault == Fault::ignore_store_of_reply && is_reply(message.body))) {
    return true;
  }
  const Member* member = standing.log.active().find(message.from);
  return message.to_store == standing.options.store &&
         (member == nullptr || member->store == message.from_store);
}

/// Of the same term: what only one node may say in it.
std::optional<AlarmKind> against_the_leader(const Message& message, const Standing& standing) {
  const Fault fault = standing.options.fault;
  const bool other = standing.leads || (standing.leader && *standing.leader != message.from);
  if (is_from_leader(message.body) && other && fault != Fault::accept_second_leader) {
    return AlarmKind::second_leader;
  }
  if (std::holds_alternative<TimeoutNow>(message.body) &&
      (standing.leads || standing.leader != message.from) && fault != Fault::accept_wrong_sender) {
    return AlarmKind::not_from_leader;
  }
  const auto* reply = std::get_if<AppendReply>(&message.body);
  if (reply != nullptr && standing.leads && reply->match > standing.log.last().index &&
      fault != Fault::accept_beyond_log) {
    return AlarmKind::beyond_our_log;
  }
  return std::nullopt;
}

}  // namespace

std::optional<AlarmKind> objection(const Message& message, const Standing& standing) {
  const RaftOptions& options = standing.options;
  if (message.to != options.self || message.from == options.self || !message.from) {
    return AlarmKind::wrong_address;
  }
  if (!stores_agree(message, standing)) {
    return AlarmKind::wrong_store;
  }
  if (message.epoch != standing.epoch && options.fault != Fault::accept_any_epoch) {
    return message.epoch < standing.epoch ? AlarmKind::earlier_epoch : AlarmKind::later_epoch;
  }
  // Candidates and leaders may be members that this replica has yet to hear of: only answers and
  // handovers come from nobody else.
  if (is_reply(message.body) && standing.log.active().find(message.from) == nullptr &&
      options.fault != Fault::accept_non_members) {
    return AlarmKind::not_a_member;
  }
  if (message.term.value > standing.term.value + options.limits.term_jump_max &&
      options.fault != Fault::accept_any_term) {
    return AlarmKind::term_far_ahead;
  }
  const bool whole =
      message.term.value > 0 &&
      std::visit([&](const auto& body) { return sound(body, message, options.limits); },
                 message.body);
  if (!whole && options.fault != Fault::accept_malformed) {
    return AlarmKind::malformed;
  }
  return message.term == standing.term ? against_the_leader(message, standing) : std::nullopt;
}

}  // namespace fastgpu::raft
