#include "actors/replica/log_events.hpp"

#include <variant>

namespace fastgpu::actors {
namespace {

using Event = std::optional<base::LogEvent>;

Event translate(const raft::Committed& effect) {
  const raft::Entry& entry = effect.entry;
  const bool is_command = entry.kind == raft::EntryKind::command;
  return base::LogCommitted{entry.index, entry.term, effect.token,
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
  return base::LogOutcomeUnknown{effect.token};
}
template <class Other>
Event translate(const Other&) {
  return std::nullopt;
}

}  // namespace

std::optional<base::LogEvent> event_of(const raft::Effect& effect) {
  return std::visit([](const auto& known) { return translate(known); }, effect);
}

base::Admission admission_of(const raft::Refused& refused) {
  return refused.why == raft::Refusal::not_leading ? base::Admission::not_leading
                                                   : base::Admission::full;
}

}  // namespace fastgpu::actors
