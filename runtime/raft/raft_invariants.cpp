#include "runtime/raft/raft_invariants.hpp"

#include <algorithm>

namespace fastgpu::raft {
namespace {

class Findings {
 public:
  void expect(bool holds, const char* promise) {
    if (!holds) {
      broken_.emplace_back(promise);
    }
  }
  std::vector<std::string> take() { return std::move(broken_); }

 private:
  std::vector<std::string> broken_;
};

void check_leader(const Leader& leader, const RaftMachine& machine, Findings& findings) {
  const RaftLimits& limits = machine.options().limits;
  const base::LogIndex last = machine.log().last().index;
  for (const auto& [node, peer] : leader.peers) {
    const Member* member = machine.log().active().find(node);
    findings.expect(member != nullptr && member->store == peer.store(),
                    "a leader follows the progress of members only");
    findings.expect(peer.match() <= last, "nobody matches beyond the leader's log");
    findings.expect(peer.next() > peer.match() && peer.next().value <= last.value + 1,
                    "what is sent next follows what matches");
    findings.expect(peer.messages_in_flight() <= limits.window_messages_max &&
                        peer.bytes_in_flight() <=
                            limits.window_bytes_max +
                                std::max(limits.append_bytes_max, limits.entry_bytes_max) + 4096,
                    "what is unanswered stays within the window");
  }
  for (const Member& member : machine.log().active().members) {
    findings.expect(member.node == machine.options().self || leader.peers.contains(member.node),
                    "a leader knows of every member");
  }
  findings.expect(leader.proposals.size() <= limits.proposals_in_flight_max,
                  "proposals are bounded");
  findings.expect(leader.reads_waiting.size() <= limits.reads_in_flight_max, "reads are bounded");
  findings.expect(!leader.ready || machine.given_out() >= leader.first_own,
                  "a leader is ready once its first entry was given out");
}

}  // namespace

RaftFacts facts_of(const RaftMachine& machine) {
  return {machine.term(),      machine.vote(),        machine.commit_index(),
          machine.given_out(), machine.durable_tag(), machine.role() == RoleKind::leader,
          machine.log().last()};
}

std::vector<std::string> check(const RaftMachine& machine) {
  Findings findings;
  const LogView& log = machine.log();
  const RaftLimits& limits = machine.options().limits;
  findings.expect(machine.given_out() <= machine.commit_index(), "only committed entries go out");
  findings.expect(machine.commit_index() <= log.last().index, "what is committed is in the log");
  findings.expect(machine.given_out() <= log.persisted().index,
                  "only what is on the own disk goes out");
  findings.expect(log.before_first().index <= machine.snapshot().last.index,
                  "what the log no longer has is in the snapshot");
  findings.expect(machine.snapshot().last.index <= machine.given_out(),
                  "a snapshot holds what was given out");
  findings.expect(log.last().term <= machine.term(), "no entry is of a later term");
  findings.expect(log.active_index() <= log.last().index, "members are of an entry in the log");
  findings.expect(machine.durable_tag() <= machine.last_tag(), "reports follow writes");
  findings.expect(machine.messages_held() <= limits.held_messages_max, "held messages are bounded");
  if (const auto* leader = std::get_if<Leader>(&machine.role_state())) {
    check_leader(*leader, machine, findings);
    findings.expect(log.last().term == machine.term(), "a leader's log ends in its own term");
  }
  if (const auto* follower = std::get_if<Follower>(&machine.role_state())) {
    findings.expect(follower->checked <= log.last().index || machine.installing(),
                    "what was compared is in the log");
  } else {
    findings.expect(!machine.installing(), "only a follower puts a snapshot in place");
  }
  return findings.take();
}

std::vector<std::string> check_step(const RaftFacts& before, const RaftMachine& after) {
  Findings findings;
  findings.expect(after.term() >= before.term, "terms only grow");
  findings.expect(after.term() != before.term || !before.vote || after.vote() == before.vote,
                  "a vote stands for its term");
  findings.expect(after.commit_index() >= before.commit, "commits only grow");
  findings.expect(after.given_out() >= before.given, "nothing is given out twice");
  findings.expect(after.durable_tag() >= before.durable, "reports only grow");
  const bool same_leader =
      before.leads && after.role() == RoleKind::leader && after.term() == before.term;
  findings.expect(!same_leader || after.log().term_at(before.last.index) == before.last.term ||
                      before.last.index < after.log().before_first().index,
                  "a leader only adds to its log");
  return findings.take();
}

std::vector<std::string> check_effects(const Effects& effects, const RaftMachine& after) {
  Findings findings;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    findings.expect(i == 0 || !std::holds_alternative<Persist>(effects[i]),
                    "the one Persist of a step comes first");
    if (const auto* persist = std::get_if<Persist>(&effects[i])) {
      findings.expect(persist->urgent || !persist->hard, "a term or a vote is written at once");
    }
    const auto* send = std::get_if<Send>(&effects[i]);
    if (send != nullptr && std::holds_alternative<AppendReply>(send->message.body)) {
      const auto& reply = std::get<AppendReply>(send->message.body);
      findings.expect(after.role() == RoleKind::follower || !reply.match,
                      "only a follower acknowledges entries");
    }
  }
  return findings.take();
}

}  // namespace fastgpu::raft
