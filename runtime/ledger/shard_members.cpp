/// Requests about members, join tokens and keys of clients: the root shard's.

#include <algorithm>
#include <utility>

#include "runtime/ledger/shard_machine.hpp"

namespace fastgpu::ledger {

bool ShardMachine::is_root(base::CallId call) {
  if (options_.shard.value != 0) {
    reply(call, base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                            "only shard 0 keeps the members", ""});
  }
  return options_.shard.value == 0;
}

void ShardMachine::request(base::CallId call, const protocol::Join& join) {
  if (!is_root(call)) {
    return;
  }
  protocol::MemberRecord record;
  record.request = join.request;
  record.info = {{}, join.name, join.address, join.store, join.key};
  record.joined_at_ms = wall_now_;
  record.token = hash_of_token(join.token);
  const MemberBook& book = state_.members();
  if (!book.has_token(record.token, wall_now_) && !book.find(join.request)) {
    return reply(call, base::Error{base::ErrorKind::rejected, base::ErrorCode::denied,
                                   "the join token is not this cluster's, was used or has expired",
                                   "make another: fastgpu node token"});
  }
  propose_request(join.request, call, false, std::move(record));
}

void ShardMachine::request(base::CallId call, const protocol::ChangeMember& change) {
  if (!is_root(call)) {
    return;
  }
  if (const base::Status may = state_.members().may_change(change.node, change.state); !may.ok()) {
    return reply(call, may.error());
  }
  const protocol::NodeInfo& info = state_.members().members().at(change.node).info;
  if (change.state == protocol::MemberState::removed && !change.force &&
      info.state == protocol::MemberState::active && is_up(change.node)) {
    return reply(call, base::Error{base::ErrorKind::rejected, base::ErrorCode::conflict,
                                   info.name + " is up and takes tasks",
                                   "drain it first: fastgpu node drain " + info.name});
  }
  propose_request(change.request, call, false,
                  protocol::MemberStateRecord{change.request, change.node, change.state});
}

void ShardMachine::request(base::CallId call, const protocol::AddToken& token) {
  if (!is_root(call)) {
    return;
  }
  const std::int64_t valid_ms = token.valid_ns / 1'000'000;
  propose_request(
      token.request, call, false,
      protocol::TokenRecord{token.request, {token.hash, wall_now_ + valid_ms}, wall_now_});
}

void ShardMachine::request(base::CallId call, const protocol::SetClientKey& set) {
  if (is_root(call)) {
    propose_request(set.request, call, false, protocol::ClientKeyRecord{set.request, set.client});
  }
}

bool ShardMachine::is_up(base::NodeId node) const {
  return view_ && std::any_of(view_->nodes.begin(), view_->nodes.end(), [&](const auto& seen) {
           return seen.info.node == node && seen.state == protocol::NodeState::up;
         });
}

protocol::Joined ShardMachine::joined(const protocol::NodeInfo& info) const {
  return {options_.cluster, info, options_.layout.shard_count, state_.members().as_told().members};
}

}  // namespace fastgpu::ledger
