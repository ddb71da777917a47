/// What a RaftLog is asked for, each one step of its machine: its answer is in that step's effects.

#include <utility>

#include "actors/replica/log_events.hpp"
#include "actors/replica/raft_log.hpp"
#include "runtime/base/check.hpp"

namespace fastgpu::actors {

base::Admission RaftLog::propose(base::LogToken token, base::Bytes command) {
  FASTGPU_CHECK(!command.empty(), "an empty command is the no-op of a term");
  return admitted(raft::Propose{token, std::move(command)});
}

base::Admission RaftLog::read_index(base::LogToken token) {
  return admitted(raft::Read{token});
}

std::optional<raft::Refusal> RaftLog::change_members(raft::MemberChange change, base::NodeId node,
                                                     raft::StoreId store) {
  return refusal_of(raft::ChangeMembers{own_token(), change, node, store});
}

std::optional<raft::Refusal> RaftLog::transfer(base::NodeId to) {
  return refusal_of(raft::Transfer{own_token(), to});
}

base::LogToken RaftLog::own_token() {
  return {own_tokens + ++last_own_token_};
}

std::optional<raft::Refusal> RaftLog::refusal_of(const raft::Event& event) {
  if (!begun_) {
    return raft::Refusal::not_leading;
  }
  refused_.reset();
  step(event);
  return refused_;
}

base::Admission RaftLog::admitted(const raft::Event& event) {
  const std::optional<raft::Refusal> refusal = refusal_of(event);
  return refusal ? admission_of(*refusal) : base::Admission::accepted;
}

void RaftLog::compact(base::LogIndex index, base::Bytes snapshot) {
  step(raft::Compact{index, std::move(snapshot)});
}

}  // namespace fastgpu::actors
