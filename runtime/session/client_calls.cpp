/// The calls of a client: from try to try until an answer or the deadline.

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/session/client_machine.hpp"

namespace fastgpu::session {
namespace {

/// After so many servers that lead nothing, a submit does not look for one that does.
constexpr std::size_t leaderless_looks = 2;

namespace limits = base::limits;
using base::ErrorKind;

/// Longer than the gateway takes to say that nobody answers.
constexpr base::Duration try_timeout = limits::rpc_timeout + limits::rpc_timeout / 2;

bool changes_something(const ClientCall& call) {
  const auto* request = std::get_if<protocol::ClientRequest>(&call.work);
  return request != nullptr && protocol::request_id_of(*request) != nullptr;
}

/// Another try may fare better.
constexpr bool is_passing(const base::Error& error) {
  return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::overloaded ||
         error.kind == ErrorKind::unknown;
}

bool is_submit(const ClientCall& call) {
  const auto* request = std::get_if<protocol::ClientRequest>(&call.work);
  return request != nullptr && std::holds_alternative<protocol::Submit>(*request);
}

/// A node says that the one with the log is down, or that inputs are nowhere, which the asker may
/// have. Another may still hear who has it; a third hardly would.
bool is_settled(const ClientCall& call, const base::Error& error) {
  return call.tries > 1 && (error.code == base::ErrorCode::node_down ||
                            (error.code == base::ErrorCode::object_missing && is_submit(call)));
}

protocol::WaitJob* wait_of(ClientCall& call) {
  auto* request = std::get_if<protocol::ClientRequest>(&call.work);
  return request ? std::get_if<protocol::WaitJob>(request) : nullptr;
}

}  // namespace

void ClientMachine::handle(const StartCall& event) {
  ClientCall call(event.request, event.deadline);
  if (const protocol::WaitJob* wait = wait_of(call)) {
    call.wait_until = wait->wait_ns >= (event.deadline - now_).count()
                          ? event.deadline
                          : now_ + base::Duration(wait->wait_ns);
  }
  open(event.call, std::move(call));
}

void ClientMachine::handle(const StartUpload& event) {
  open(event.call, ClientCall(Upload(event.hash, event.data), event.deadline));
}

void ClientMachine::handle(const StartDownload& event) {
  if (event.object.size_bytes > limits::object_bytes_max) {
    effects_.push_back(CallDone{
        event.call,
        base::Error{ErrorKind::invalid, base::ErrorCode::too_large,
                    "no object has " + std::to_string(event.object.size_bytes) + " bytes", ""}});
    return;
  }
  open(event.call, ClientCall(Download(event.object), event.deadline));
}

void ClientMachine::handle(const AbandonCall& event) {
  drop(event.call);
}

void ClientMachine::open(base::CallId id, ClientCall call) {
  if (calls_.contains(id)) {
    return;
  }
  if (calls_.size() >= limits::client_calls_in_flight_max) {
    effects_.push_back(
        CallDone{id, base::Error{ErrorKind::overloaded, base::ErrorCode::overloaded,
                                 std::to_string(calls_.size()) + " calls are open on this client",
                                 "wait for some of them to end"}});
    return;
  }
  call.server = preferred_;
  const base::Time deadline = call.deadline;
  calls_.emplace(id, std::move(call));
  arm(id, deadline);
  attempt(id);
}

void ClientMachine::wake(base::CallId id) {
  ClientCall& call = calls_.at(id);
  if (now_ >= call.deadline) {
    return finish(id, at_deadline(call));
  }
  if (call.phase == CallPhase::sent) {
    call.last_error = base::Error{
        ErrorKind::unavailable, base::ErrorCode::timeout,
        "the node at " + server(call.server).address + " did not answer in time", "try again"};
    return retry(id, true, base::Duration::zero());
  }
  attempt(id);
}

/// Sends the call now, or as soon as its server is ready.
void ClientMachine::attempt(base::CallId id) {
  ClientCall& call = calls_.at(id);
  ClientServer& it = server(call.server);
  if (it.phase != ServerPhase::ready) {
    if (it.phase == ServerPhase::idle && now_ < it.not_before) {
      call.phase = CallPhase::waiting;
      return arm(id, it.not_before);
    }
    call.phase = CallPhase::parked;
    arm(id, call.deadline);
    return use(call.server);
  }
  auto* request = std::get_if<protocol::ClientRequest>(&call.work);
  if (request == nullptr) {
    return send_chunks(id);
  }
  if (!give_request_id(*request, call.server, call.looks >= leaderless_looks)) {
    ++call.looks;
    // The node leads nothing yet: ask again what it leads, and elsewhere meanwhile.
    call.last_error = base::Error{ErrorKind::unavailable, base::ErrorCode::shard_unavailable,
                                  "the node at " + it.address + " leads no shard",
                                  "give other nodes with --server"};
    greet(call.server);
    return retry(id, true, call.backoff);
  }
  if (protocol::WaitJob* wait = wait_of(call)) {
    const base::Duration left = std::max(call.wait_until - now_, base::Duration::zero());
    wait->wait_ns = std::min<base::Duration>(left, limits::client_wait_max).count();
  }
  ++call.tries;
  send(id, *request);
  arm(id, now_ + try_timeout);
}

void ClientMachine::send_chunks(base::CallId id) {
  ClientCall& call = calls_.at(id);
  if (auto* upload = std::get_if<Upload>(&call.work)) {
    while (auto chunk = upload->next()) {
      send(id, std::move(*chunk));
    }
  } else {
    auto& download = std::get<Download>(call.work);
    while (auto chunk = download.next()) {
      send(id, std::move(*chunk));
    }
    if (download.complete()) {
      base::Result<protocol::Chunk> whole = download.result();
      return finish(id, whole.ok() ? protocol::ClientReply(std::move(whole).value())
                                   : protocol::ClientReply(whole.error()));
    }
  }
  arm(id, now_ + try_timeout);
}

void ClientMachine::send(base::CallId id, protocol::ClientRequest request) {
  ClientCall& call = calls_.at(id);
  call.phase = CallPhase::sent;
  call.newest = {++last_wire_call_};
  wire_calls_[call.newest] = id;
  effects_.push_back(SendRequest{call.server, call.newest, std::move(request)});
}

/// Chosen once, before the first try, and never changed: it makes every repeat the same request.
bool ClientMachine::give_request_id(protocol::ClientRequest& request, ServerId id,
                                    bool looked_elsewhere) {
  base::RequestId* request_id = protocol::request_id_of(request);
  if (request_id == nullptr || request_id->high != 0 || request_id->low != 0) {
    return true;
  }
  if (std::holds_alternative<protocol::Submit>(request)) {
    const std::vector<base::ShardId>& leads = server(id).leads;
    if (!leads.empty()) {
      request_id->shard = leads[random_.below(leads.size())];
    } else if (looked_elsewhere && welcome_) {
      // Nobody seems to lead any. A shard's gateway knows why, and waits for its leader.
      request_id->shard = {
          static_cast<std::uint32_t>(random_.below(std::max(welcome_->shard_count, 1u)))};
    } else {
      return false;
    }
  } else if (const auto* cancel = std::get_if<protocol::CancelJob>(&request)) {
    request_id->shard =
        base::ShardLayout{std::max(welcome_->shard_count, 1u)}.shard_of(cancel->job);
  }
  request_id->high = random_.next();
  request_id->low = random_.next() | 1;  // never zero, which means "none yet"
  return true;
}

void ClientMachine::answered(base::CallId id, base::CallId wire_call,
                             const protocol::ClientReply& reply) {
  wire_calls_.erase(wire_call);
  ClientCall& call = calls_.at(id);
  if (const auto* error = std::get_if<base::Error>(&reply)) {
    return failed(id, wire_call, *error);
  }
  if (!std::holds_alternative<protocol::ClientRequest>(call.work)) {
    return chunk_answered(id, reply);
  }
  if (!still_waiting(id, wire_call, reply)) {
    finish(id, reply);
  }
}

void ClientMachine::failed(base::CallId id, base::CallId wire_call, const base::Error& error) {
  ClientCall& call = calls_.at(id);
  const bool transfer = !std::holds_alternative<protocol::ClientRequest>(call.work);
  call.maybe_done |= error.kind == ErrorKind::unknown;
  if (!is_passing(error) || is_settled(call, error)) {
    base::Error last = error;
    if (call.maybe_done && (error.code == base::ErrorCode::infeasible ||
                            error.code == base::ErrorCode::object_missing)) {
      // Refused today, but a try that was lost may have been accepted while what it needs was
      // there.
      last.kind = ErrorKind::unknown;
      last.hint = "an earlier try may have been accepted: look with fastgpu ps. " + error.hint;
    }
    return finish(id, last);
  }
  if (!transfer && wire_call != call.newest) {
    return;  // an old try; the newest one is still out
  }
  call.last_error = error;
  // Answered, so the try is not lost: what is unknown was noted above.
  call.phase = CallPhase::waiting;
  retry(id, error.kind != ErrorKind::overloaded, call.backoff);
}

/// WaitJob is asked in short waits until the job is terminal or the caller's time is over.
bool ClientMachine::still_waiting(base::CallId id, base::CallId wire_call,
                                  const protocol::ClientReply& reply) {
  ClientCall& call = calls_.at(id);
  const auto* list = std::get_if<protocol::JobList>(&reply);
  if (wait_of(call) == nullptr || list == nullptr || list->jobs.empty() ||
      protocol::is_terminal(list->jobs.front().state) || now_ >= call.wait_until) {
    return false;
  }
  call.last_reply = reply;
  if (wire_call == call.newest) {  // an older try does not begin a second chain of waits
    call.backoff = limits::client_backoff_min;
    attempt(id);
  }
  return true;
}

void ClientMachine::chunk_answered(base::CallId id, const protocol::ClientReply& reply) {
  ClientCall& call = calls_.at(id);
  const auto* put = std::get_if<protocol::PutReply>(&reply);
  const auto* chunk = std::get_if<protocol::Chunk>(&reply);
  if (auto* upload = std::get_if<Upload>(&call.work); upload && put) {
    const bool more = upload->take(*put);
    if (put->complete) {
      return finish(id, reply);
    }
    if (!more && upload->unanswered() == 0) {
      return retry(id, false, call.backoff);  // the node takes nothing more for now
    }
  } else if (auto* download = std::get_if<Download>(&call.work); download && chunk) {
    if (const base::Status status = download->take(*chunk); !status.ok()) {
      return finish(id, status.error());
    }
  } else {
    return finish(id, base::Error{ErrorKind::internal, base::ErrorCode::internal,
                                  "a node answered a transfer with something else", ""});
  }
  call.backoff = limits::client_backoff_min;
  send_chunks(id);
}

void ClientMachine::retry(base::CallId id, bool elsewhere, base::Duration after) {
  ClientCall& call = calls_.at(id);
  call.maybe_done |= call.phase == CallPhase::sent && changes_something(call);
  if (auto* upload = std::get_if<Upload>(&call.work)) {
    upload->restart();
    forget_tries(id);
  } else if (auto* download = std::get_if<Download>(&call.work)) {
    download->restart();
    forget_tries(id);
  }
  if (elsewhere) {
    const ServerId left = std::exchange(call.server, other_than(call.server));
    // Later calls do not begin there either: it may be cut off from the rest for long.
    preferred_ = preferred_ == left ? call.server : preferred_;
  }
  if (after > base::Duration::zero()) {
    call.backoff = std::min<base::Duration>(call.backoff * 2, limits::client_backoff_max);
  }
  call.phase = CallPhase::waiting;
  arm(id, now_ + after);
  if (after == base::Duration::zero()) {
    attempt(id);
  }
}

void ClientMachine::finish(base::CallId id, protocol::ClientReply reply) {
  drop(id);
  effects_.push_back(CallDone{id, std::move(reply)});
}

void ClientMachine::drop(base::CallId id) {
  if (!calls_.contains(id)) {
    return;
  }
  forget_tries(id);
  timers_.erase({armed_.at(id), id});
  armed_.erase(id);
  calls_.erase(id);
}

void ClientMachine::forget_tries(base::CallId id) {
  std::erase_if(wire_calls_, [&](const auto& entry) { return entry.second == id; });
}

protocol::ClientReply ClientMachine::at_deadline(const ClientCall& call) const {
  if (call.last_reply) {
    return *call.last_reply;
  }
  const bool lost = call.maybe_done || (call.phase == CallPhase::sent && changes_something(call));
  if (lost) {
    return base::Error{ErrorKind::unknown, base::ErrorCode::timeout,
                       "no node said in time whether it was done: it may have been, or not",
                       "look with fastgpu ps before doing it again"};
  }
  if (call.last_error) {
    return *call.last_error;
  }
  return base::Error{ErrorKind::unavailable, base::ErrorCode::no_node_reachable,
                     "no node answered in time",
                     "is fastgpu-node running? Give its address with --server"};
}

void ClientMachine::arm(base::CallId id, base::Time at) {
  const base::Time wake_at = std::min(at, calls_.at(id).deadline);
  if (const auto armed = armed_.find(id); armed != armed_.end()) {
    timers_.erase({armed->second, id});
  }
  calls_.at(id).wake_at = wake_at;
  armed_[id] = wake_at;
  timers_.insert({wake_at, id});
}

}  // namespace fastgpu::session
