#include <utility>

#include "runtime/ledger/shard_machine.hpp"

/// Which owners of pins the ledger names. The holder of the objects drops the pins of those that
/// are gone, so "gone" is said only of what is surely this shard's, by its leader, from a state
/// that is as new as the question.

namespace fastgpu::ledger {

void ShardMachine::handle(const PinCheckEvent& event) {
  if (leading_ && event.message.shard == options_.shard) {
    readers_.checks.insert_or_assign(event.node, event.message);
  }
}

void ShardMachine::answer_check(base::NodeId node, const protocol::PinCheck& check) {
  protocol::PinAnswer answer{options_.shard, epoch_, term_, check.question, {}, {}};
  for (const base::RequestId& request : check.requests) {
    if (request.shard == options_.shard && !names(request)) {
      answer.gone_requests.push_back(request);
    }
  }
  for (const base::JobId job : check.jobs) {
    if (options_.layout.shard_of(job) == options_.shard && !state_.find(job)) {
      answer.gone_jobs.push_back(job);
    }
  }
  send(node, std::move(answer));
}

/// A submit that waits for its commit is as good as recorded.
bool ShardMachine::names(const base::RequestId& request) const {
  return state_.find(request) != nullptr || requests_in_flight_.contains(request);
}

}  // namespace fastgpu::ledger
