#include "runtime/logs/log_desk.hpp"

#include <string>

#include "runtime/base/limits.hpp"

namespace fastgpu::logs {

namespace limits = base::limits;

std::optional<base::Time> LogDesk::next_deadline() const {
  return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first);
}

DeskEffects LogDesk::step(const DeskEvent& event, base::Time now) {
  now_ = now;
  effects_.clear();
  std::visit([this](const auto& what) { handle(what); }, event);
  return std::exchange(effects_, {});
}

void LogDesk::handle(const ReaderCame& event) {
  if (readers_.contains(event.reader)) {
    return;
  }
  if (readers_.size() >= limits::log_readers_max) {
    effects_.push_back(
        RefuseReader{event.reader,
                     {base::ErrorKind::overloaded, base::ErrorCode::overloaded,
                      std::to_string(readers_.size()) + " readers wait for logs here already",
                      "ask again once some are answered"}});
    return;
  }
  const base::Time deadline = now_ + event.wait;
  readers_[event.reader] = {event.query, deadline, {}};
  by_job_.insert({event.query.job, event.reader});
  timers_.insert({deadline, event.reader});
  effects_.push_back(ReadFor{event.reader, event.query});
}

void LogDesk::handle(const ReadDone& event) {
  const auto found = readers_.find(event.reader);
  if (found == readers_.end()) {
    return;
  }
  Reader& reader = found->second;
  if (!event.piece.records.empty() || !event.piece.at_end || reader.deadline <= now_) {
    return answer(event.reader, event.piece);
  }
  reader.query.cursor = event.piece.next_cursor;
  reader.last = event.piece;
}

void LogDesk::handle(const LogGrew& event) {
  for (auto at = by_job_.lower_bound({event.job, {}});
       at != by_job_.end() && at->first == event.job; ++at) {
    effects_.push_back(ReadFor{at->second, readers_.at(at->second).query});
  }
}

void LogDesk::handle(const DeskTick&) {
  while (!timers_.empty() && timers_.begin()->first <= now_) {
    const base::CallId reader = timers_.begin()->second;
    answer(reader, readers_.at(reader).last);
  }
}

void LogDesk::answer(base::CallId id, LogPiece piece) {
  const auto found = readers_.find(id);
  by_job_.erase({found->second.query.job, id});
  timers_.erase({found->second.deadline, id});
  readers_.erase(found);
  effects_.push_back(AnswerReader{id, std::move(piece)});
}

}  // namespace fastgpu::logs
