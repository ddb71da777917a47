#include "tests/sim/commands/sim_log.hpp"

#include <utility>

namespace fastgpu::testing {

using namespace std::chrono_literals;

base::Duration SimLog::short_while() {
  return 500us + base::Duration(static_cast<std::int64_t>(random_.below(8'000'000)));
}

bool SimLog::has_majority() const {
  std::size_t healthy = 0;
  for (std::size_t replica = 0; replica < replicas_; ++replica)
    healthy += host_.healthy(replica) ? 1 : 0;
  return 2 * healthy > replicas_;
}

void SimLog::propose(std::size_t replica, base::LogToken token, protocol::Entry entry) {
  in_flight_.push_back({replica, host_.life(replica), term_, token, std::move(entry)});
  if (leader_ != replica)
    in_flight_.back().term = 0;  // of a leader that is none any more: never commits
  agenda_.note_in(short_while(), [this] { commit_some(); });
}

/// What the present leader proposed, while a majority has it.
void SimLog::commit_some() {
  while (!in_flight_.empty() && has_majority()) {
    if (in_flight_.front().term == term_) {
      commit_front();
    } else {
      const InFlight lost = in_flight_.front();
      in_flight_.pop_front();
      host_.tell(lost.replica, lost.life, ledger::OutcomeUnknown{lost.token});
    }
  }
  if (!in_flight_.empty())
    agenda_.note_in(50ms, [this] { commit_some(); });
}

void SimLog::commit_front() {
  InFlight entry = std::move(in_flight_.front());
  in_flight_.pop_front();
  committed_.push_back({std::move(entry.entry), entry.replica, entry.life, entry.token});
  for (std::size_t replica = 0; replica < replicas_; ++replica)
    if (replica == leader_)
      host_.pump(replica);
    else
      agenda_.note_in(short_while(), [this, replica] { host_.pump(replica); });
}

void SimLog::read(std::size_t replica, base::LogToken token,
                  std::function<base::LogIndex()> applied) {
  agenda_.note_in(short_while(), [this, replica, token, applied, life = host_.life(replica),
                                  term = term_, leads = leader_ == replica] {
    if (!leads || term != term_ || life != host_.life(replica))
      return;  // its leadership ends: it will hear
    if (has_majority())
      host_.tell(replica, life, ledger::ReadReady{token, applied()});
    else
      read(replica, token, applied);
  });
}

bool SimLog::elect() {
  std::vector<std::size_t> healthy;
  for (std::size_t replica = 0; replica < replicas_; ++replica)
    if (host_.healthy(replica) && (leader_ != replica || replicas_ == 1))
      healthy.push_back(replica);
  if (healthy.empty() || !has_majority())
    return false;
  // What was in flight was on a majority, or was not.
  while (!in_flight_.empty() && in_flight_.front().term == term_ && random_.chance(500'000))
    commit_front();
  if (leader_) {
    const base::Duration late(static_cast<std::int64_t>(random_.below(3'000'000'000)));
    agenda_.note_in(late, [this, old = *leader_, life = host_.life(*leader_), term = term_] {
      if (!(leader_ == old && term_ > term))
        host_.tell(old, life, ledger::NotLeading{});
    });
  }
  ++term_;
  leader_ = healthy[random_.below(healthy.size())];
  commit_some();
  host_.pump(*leader_);
  host_.tell(*leader_, host_.life(*leader_), ledger::Leading{{1}, {term_}});
  return true;
}

}  // namespace fastgpu::testing
