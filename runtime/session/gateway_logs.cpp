/// Logs lie on the node that ran the task: a question about one is answered by the logs of this
/// node, or passed on to that node's gateway, and never further.

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/session/gateway_machine.hpp"

namespace fastgpu::session {

namespace limits = base::limits;

void GatewayMachine::handle(const protocol::LogAnswer& event) {
  const GatewayCall* call = table_.find(event.call);
  if (call != nullptr && call->node == map_.self()) {
    finish(event.call, event.reply);
  }
}

void GatewayMachine::start_log_read(const Asker& asker, protocol::ReadLog request) {
  if (asker.node && request.node != map_.self()) {
    return reply(asker, base::Error{base::ErrorKind::invalid, base::ErrorCode::internal,
                                    "a question about the logs of " + map_.name_of(request.node) +
                                        " was passed on to " + map_.name_of(map_.self()),
                                    ""});
  }
  // Short waits, repeated by the asker, keep every call bounded.
  request.wait_ns = std::clamp<std::int64_t>(request.wait_ns, 0, limits::client_wait_max.count());
  const base::CallId id = table_.fresh();
  GatewayCall call;
  call.asker = asker;
  call.deadline = now_ + base::Duration(request.wait_ns) + limits::rpc_timeout;
  call.node = request.node;
  call.request = request;
  send_log_read(id, table_.add(id, std::move(call)));
}

void GatewayMachine::send_log_read(base::CallId id, GatewayCall& call) {
  call.target = call.node;
  call.target_life = map_.life_of(*call.node);
  if (*call.node == map_.self()) {
    effects_.push_back(AskLogs{{id, std::get<protocol::ReadLog>(call.request)}});
    return;
  }
  const protocol::NodeView* node = map_.find(*call.node);
  if (node == nullptr || node->state == protocol::NodeState::down) {
    return finish(id, base::Error{base::ErrorKind::unavailable, base::ErrorCode::node_down,
                                  map_.why_away(*call.node),
                                  "its logs are on its disk and can be read when it is back"});
  }
  effects_.push_back(ForwardToPeer{*call.node, {id.value, call.request}});
}

/// A node that went down answers no more; its next life has the same logs.
void GatewayMachine::look_after_log_reads() {
  std::vector<base::CallId> changed;
  for (const auto& [id, call] : table_.calls()) {
    if (!call.node || *call.node == map_.self()) {
      continue;
    }
    const protocol::NodeView* node = map_.find(*call.node);
    if (node == nullptr || node->state == protocol::NodeState::down ||
        node->incarnation != call.target_life) {
      changed.push_back(id);
    }
  }
  for (const base::CallId id : changed) {
    send_log_read(id, *table_.find(id));
  }
}

}  // namespace fastgpu::session
