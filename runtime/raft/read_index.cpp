/// Reads without log entries: section 6.4 of the dissertation. What was committed when a round
/// began may be read once a majority has answered in that round, for then nobody else led
/// meanwhile. No clock takes part: a leader that slept asks like any other.

#include <utility>

#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft {

void RaftMachine::handle(const Read& event) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || !leader->ready) {
    return refuse(event.token, Refusal::not_leading);
  }
  if (broken(Fault::read_by_role)) {
    effects_.push_back(ReadReady{event.token, given_});
    return;
  }
  const std::size_t asked =
      leader->reads_waiting.size() + (leader->reading ? leader->reading->tokens.size() : 0);
  if (asked >= options_.limits.reads_in_flight_max) {
    return refuse(event.token, Refusal::full);
  }
  leader->reads_waiting.push_back(event.token);
}

// One round at a time serves all that came before it; heartbeats repeat it until it is answered or
// check-quorum ends the leadership.
void RaftMachine::begin_reads() {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || leader->reading || leader->reads_waiting.empty()) {
    return;
  }
  leader->round.value += 1;
  leader->reading = Leader::ReadRound{leader->round, commit_, std::move(leader->reads_waiting)};
  leader->reads_waiting.clear();
  send_heartbeats(false);
}

void RaftMachine::answer_reads() {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || !leader->reading || given_ < leader->reading->index) {
    return;
  }
  std::size_t confirmed = 0;
  for (const Member& member : log_.active().members) {
    const bool here = member.node == options_.self ||
                      leader->peers.at(member.node).round() >= leader->reading->round;
    confirmed += member.voter && here ? 1 : 0;
  }
  if (confirmed < log_.active().majority()) {
    return;
  }
  for (const base::LogToken& token : leader->reading->tokens) {
    effects_.push_back(ReadReady{token, leader->reading->index});
  }
  leader->reading.reset();
}

}  // namespace fastgpu::raft
