#include "actors/replica/log_events.hpp"

#include <variant>

namespace fastgpu::actors {
namespace {

using Event = std::optional<base::LogEvent>;

bool is_own(base::LogToken token) {
  return token.value >= own_tokens;
}

Event translate(const raft::Committed& effect) {
  const raft::Entry& entry = effect.entry;
  const bool is_command = entry.kind == raft::EntryKind::command;
  const bool is_asked = effect.token && !is_own(*effect.token);
  return base::LogCommitted{entry.index, entry.term, is_asked ? effect.token : std::nullopt,
                            is_command ? entry.data : base::Bytes()};
}
Event translate(const raft::Restored& effect) {
  return base::LogRestored{effect.snapshot.last.index, effect.snapshot.data};
}
Event translate(const raft::Leading& effect) {
  return base::LogLeading{effect.epoch, effect.term};
}
Event translate(const raft::NotLeading& effect) {
  return base::LogNotLeading{effect.leader};
}
Event translate(const raft::ReadReady& effect) {
  return base::LogReadReady{effect.token, effect.index};
}
Event translate(const raft::OutcomeUnknown& effect) {
  return is_own(effect.token) ? Event() : base::LogOutcomeUnknown{effect.token};
}
template <class Other>
Event translate(const Other&) {
  return std::nullopt;
}

const char* words_of(raft::AlarmKind kind) {
  switch (kind) {
    case raft::AlarmKind::wrong_address:
      return "it is not for this node";
    case raft::AlarmKind::earlier_epoch:
      return "its log is from before the group was founded anew";
    case raft::AlarmKind::later_epoch:
      return "its group was founded anew, without this replica";
    case raft::AlarmKind::wrong_store:
      return "it is of, or for, another disk than the member's";
    case raft::AlarmKind::not_a_member:
      return "it is no member";
    case raft::AlarmKind::term_far_ahead:
      return "its term is beyond belief";
    case raft::AlarmKind::malformed:
      return "it makes no sense";
    case raft::AlarmKind::second_leader:
      return "it leads in a term that another leads";
    case raft::AlarmKind::beyond_our_log:
      return "it has what this leader never had";
    case raft::AlarmKind::not_from_leader:
      return "only the leader orders that";
    case raft::AlarmKind::damaged_snapshot:
      return "its snapshot is damaged";
  }
  return "";
}

}  // namespace

std::string line_of(const raft::Alarm& alarm) {
  return base::to_string(alarm.from) + " said what no sound replica says: " + words_of(alarm.kind) +
         " -> dropped";
}

std::string outdated_line(base::ShardId shard, base::NodeId told_by) {
  return "shard " + std::to_string(shard.value) +
         " was founded anew without this node's replica, " + base::to_string(told_by) +
         " says: it takes no part in the shard any more. Drain this node, remove it (fastgpu node "
         "remove) and let it join again, with an empty folder";
}

std::optional<base::LogEvent> event_of(const raft::Effect& effect) {
  return std::visit([](const auto& known) { return translate(known); }, effect);
}

base::Admission admission_of(raft::Refusal why) {
  return why == raft::Refusal::not_leading ? base::Admission::not_leading : base::Admission::full;
}

}  // namespace fastgpu::actors
