/// What a replica makes of messages of another founding of its group (refounding.hpp). A later
/// founding knows nothing of what an earlier one may still accept, so the two never mix: whoever
/// has a log of the earlier one is out for good, and says so.

#include "runtime/raft/message_check.hpp"
#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft {

bool RaftMachine::is_empty() const {
  return !log_.last().index && !snapshot_.last.index && !installing_;
}

// With no entry on its disk it has promised nothing to the earlier founding: a vote that it gave
// there stays a vote of its term.
bool RaftMachine::calls_anew(const Message& message) const {
  return message.epoch > epoch_ && is_empty() && is_from_leader(message.body);
}

// On disk before anything is said in it.
void RaftMachine::take_epoch(base::Epoch epoch) {
  epoch_ = epoch;
  set_hard_state(term_, vote_);
  if (!broken(Fault::epoch_in_memory)) {
    write().epoch = epoch;
  }
}

void RaftMachine::on_refused(const Message& message, AlarmKind why) {
  if (why == AlarmKind::later_epoch && is_empty()) {
    return;  // its leader will call
  }
  effects_.push_back(Alarm{why, message.from});
  if (why == AlarmKind::later_epoch && !outdated_ && !broken(Fault::outlive_epoch)) {
    outdated_ = true;
    become_follower(term_);
  } else if (why == AlarmKind::earlier_epoch && !outdated_ && !is_empty() &&
             !is_reply(message.body)) {
    answer_lower_term(message);  // carries the epoch: that is how the sender learns of it
  }
}

}  // namespace fastgpu::raft
