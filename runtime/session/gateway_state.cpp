#include "runtime/session/gateway_state.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/session/request_size.hpp"

namespace fastgpu::session {

bool CallTable::has_room(const Asker& asker, std::uint64_t bytes) const {
  namespace limits = base::limits;
  if (size() >= limits::gateway_calls_in_flight_max ||
      held_bytes_ + bytes > limits::gateway_bytes_in_flight_max) {
    return false;
  }
  const auto open = open_of_session_.find(asker.session);
  return !asker.session || open == open_of_session_.end() ||
         (open->second.calls < limits::client_calls_in_flight_max &&
          open->second.bytes + bytes <= limits::client_bytes_in_flight_max);
}

void CallTable::remember(const Asker& asker) {
  if (askers_.insert(asker).second && asker.session) {
    ++open_of_session_[asker.session].calls;
  }
}

void CallTable::forget(const Asker& asker) {
  if (askers_.erase(asker) != 0 && asker.session) {
    --open_of_session_.at(asker.session).calls;
    tidy(asker.session);
  }
}

void CallTable::hold(GatewayCall& call) {
  call.held_bytes = session::held_bytes(call.request);
  held_bytes_ += call.held_bytes;
  if (call.asker.session) {
    open_of_session_[call.asker.session].bytes += call.held_bytes;
  }
}

void CallTable::release(const GatewayCall& call) {
  held_bytes_ -= call.held_bytes;
  if (call.asker.session) {
    open_of_session_.at(call.asker.session).bytes -= call.held_bytes;
    tidy(call.asker.session);
  }
}

void CallTable::tidy(base::SessionId session) {
  const auto open = open_of_session_.find(session);
  if (open->second.calls == 0 && open->second.bytes == 0) {
    open_of_session_.erase(open);
  }
}

GatewayCall& CallTable::add(base::CallId id, GatewayCall call) {
  hold(call);
  if (!call.gather) {
    remember(call.asker);
  }
  GatewayCall& added = calls_.insert_or_assign(id, std::move(call)).first->second;
  rearm(id);
  return added;
}

GatewayCall* CallTable::find(base::CallId id) {
  const auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : &found->second;
}

void CallTable::rearm(base::CallId id) {
  const GatewayCall& call = calls_.at(id);
  if (const auto armed = armed_.find(id); armed != armed_.end()) {
    timers_.erase({armed->second, id});
  }
  const base::Time at = std::min(call.deadline, call.retry_at.value_or(call.deadline));
  armed_[id] = at;
  timers_.insert({at, id});
}

void CallTable::remove(base::CallId id) {
  const auto call = calls_.find(id);
  if (call == calls_.end()) {
    return;
  }
  release(call->second);
  if (!call->second.gather) {
    forget(call->second.asker);
  }
  timers_.erase({armed_.at(id), id});
  armed_.erase(id);
  calls_.erase(call);
}

Gather& CallTable::add_gather(base::CallId id, Gather gather) {
  remember(gather.asker);
  return gathers_.insert_or_assign(id, std::move(gather)).first->second;
}

Gather* CallTable::find_gather(base::CallId id) {
  const auto found = gathers_.find(id);
  return found == gathers_.end() ? nullptr : &found->second;
}

void CallTable::remove_gather(base::CallId id) {
  const auto found = gathers_.find(id);
  if (found != gathers_.end()) {
    forget(found->second.asker);
    gathers_.erase(found);
  }
}

void CallTable::remove_session(base::SessionId session) {
  std::vector<base::CallId> calls;
  for (const auto& [id, call] : calls_) {
    if (call.asker.session == session) {
      calls.push_back(id);
    }
  }
  for (const base::CallId id : calls) {
    remove(id);
  }
  std::vector<base::CallId> gathers;
  for (const auto& [id, gather] : gathers_) {
    if (gather.asker.session == session) {
      gathers.push_back(id);
    }
  }
  for (const base::CallId id : gathers) {
    remove_gather(id);
  }
}

std::optional<base::Time> CallTable::next_timer() const {
  return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first);
}

std::optional<base::CallId> CallTable::due(base::Time now) const {
  if (timers_.empty() || timers_.begin()->first > now) {
    return std::nullopt;
  }
  return timers_.begin()->second;
}

}  // namespace fastgpu::session
