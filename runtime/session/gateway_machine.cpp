#include "runtime/session/gateway_machine.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/session/pins/input_pins.hpp"
#include "runtime/session/request_check.hpp"
#include "runtime/session/request_size.hpp"

namespace fastgpu::session {
namespace {

namespace limits = base::limits;

bool changes_something(const protocol::ClientRequest& request) {
  return protocol::request_id_of(request) != nullptr;
}

/// The job that is asked about.
std::optional<base::JobId> job_of(const protocol::ClientRequest& request) {
  if (const auto* show = std::get_if<protocol::ShowJob>(&request)) {
    return show->job;
  }
  if (const auto* wait = std::get_if<protocol::WaitJob>(&request)) {
    return wait->job;
  }
  const auto* cancel = std::get_if<protocol::CancelJob>(&request);
  return cancel ? std::optional(cancel->job) : std::nullopt;
}

/// Surely not done, and another leader may do it.
bool is_not_leading(const protocol::ClientReply& reply) {
  const auto* error = std::get_if<base::Error>(&reply);
  return error != nullptr && error->kind == base::ErrorKind::unavailable &&
         error->code == base::ErrorCode::shard_unavailable;
}

base::Error not_ready() {
  return {base::ErrorKind::unavailable, base::ErrorCode::no_node_reachable,
          "this node has just started and does not know its cluster yet",
          "try again in a second, or ask another node"};
}

base::Error too_many_calls() {
  const auto at_most = [](std::size_t calls, std::size_t bytes) {
    return std::to_string(calls) + " or " + std::to_string(bytes >> 20) + " MiB";
  };
  return {base::ErrorKind::overloaded, base::ErrorCode::overloaded,
          "too many requests wait for an answer here: at most " +
              at_most(limits::client_calls_in_flight_max, limits::client_bytes_in_flight_max) +
              " of one connection, " +
              at_most(limits::gateway_calls_in_flight_max, limits::gateway_bytes_in_flight_max) +
              " altogether",
          "send more once some are answered"};
}

base::Duration time_for(const protocol::ClientRequest& request) {
  if (const auto* wait = std::get_if<protocol::WaitJob>(&request)) {
    return base::Duration(wait->wait_ns) + limits::rpc_timeout;
  }
  return std::holds_alternative<protocol::ListJobs>(request) ? limits::list_timeout
                                                             : limits::rpc_timeout;
}

}  // namespace

GatewayMachine::GatewayMachine(const GatewayOptions& options)
    : map_(options.self, options.shard_count, options.replicated), table_(options.incarnation) {}

GatewayEffects GatewayMachine::step(const GatewayEvent& event, base::Time now) {
  now_ = now;
  effects_.clear();
  std::visit([this](const auto& what) { handle(what); }, event);
  return std::exchange(effects_, {});
}

void GatewayMachine::handle(const ClientAsked& event) {
  const Asker asker{event.session, {}, event.call.value};
  if (table_.is_open(asker)) {
    return;  // a repeat: the answer is on its way
  }
  if (!map_.known()) {
    return reply(asker, not_ready());
  }
  if (const auto* hello = std::get_if<protocol::Hello>(&event.request)) {
    const base::Status status = check_hello(*hello);
    return reply(asker, status.ok() ? protocol::ClientReply(map_.welcome()) : status.error());
  }
  if (std::holds_alternative<protocol::AskCluster>(event.request)) {
    return reply(asker, map_.status());
  }
  const base::Status status = check_request(event.request, map_);
  if (!status.ok()) {
    return reply(asker, status.error());
  }
  if (!table_.has_room(asker, held_bytes(event.request))) {
    return reply(asker, too_many_calls());
  }
  if (const auto* list = std::get_if<protocol::ListJobs>(&event.request)) {
    return start_listing(asker, *list);
  }
  if (const auto* log = std::get_if<protocol::ReadLog>(&event.request)) {
    return start_log_read(asker, *log);
  }
  const std::optional<base::JobId> job = job_of(event.request);
  if (job && map_.is_empty(map_.layout().shard_of(*job))) {
    return reply(asker, base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                                    "there is no job " + base::to_string(*job),
                                    "fastgpu ps -a lists all jobs"});
  }
  start_call(asker, event.request);
}

void GatewayMachine::handle(const SessionEnded& event) {
  table_.remove_session(event.session);
}

void GatewayMachine::handle(const PeerForwarded& event) {
  const Asker asker{{}, event.node, event.forward.call};
  if (table_.is_open(asker)) {
    return;
  }
  if (!map_.known()) {
    return reply(asker, not_ready());
  }
  if (!table_.has_room(asker, held_bytes(event.forward.request))) {
    return reply(asker, too_many_calls());
  }
  if (const auto* list = std::get_if<protocol::ListJobs>(&event.forward.request)) {
    return start_listing(asker, *list);
  }
  if (const auto* log = std::get_if<protocol::ReadLog>(&event.forward.request)) {
    return start_log_read(asker, *log);
  }
  const std::optional<base::ShardId> shard = shard_of(event.forward.request);
  if (!shard) {
    return reply(asker, base::Error{base::ErrorKind::invalid, base::ErrorCode::internal,
                                    "a request that no shard answers was passed on", ""});
  }
  // Never passed on twice: views that differ would send it in circles.
  if (map_.leader_of(*shard) != map_.self()) {
    return reply(asker,
                 base::Error{base::ErrorKind::unavailable, base::ErrorCode::shard_unavailable,
                             map_.name_of(map_.self()) + " does not lead shard " +
                                 std::to_string(shard->value),
                             ""});
  }
  start_call(asker, event.forward.request);
}

void GatewayMachine::handle(const PeerReplied& event) {
  const base::CallId id{event.reply.call};
  const GatewayCall* call = table_.find(id);
  if (call != nullptr && call->target && *call->target != map_.self() &&
      *call->target == event.node) {
    answered(id, event.reply.reply);
  }
}

void GatewayMachine::handle(const protocol::ShardReply& event) {
  const GatewayCall* call = table_.find(event.call);
  if (call != nullptr && call->shard == event.shard && call->target == map_.self()) {
    answered(event.call, event.reply);
  }
}

void GatewayMachine::handle(const protocol::ObjectReply& event) {
  const GatewayCall* call = table_.find(event.call);
  if (call != nullptr && !call->shard && !call->node) {
    finish(event.call, event.reply);
  }
}

void GatewayMachine::handle(const InputsPinned& event) {
  const base::CallId id{event.answer.call};
  GatewayCall* call = table_.find(id);
  if (call == nullptr) {
    return;
  }
  const auto part = call->unpinned.find(event.answer.part);
  if (part == call->unpinned.end() || part->second.keeper != event.node) {
    return;
  }
  if (!event.answer.ok) {
    return refused(id, *call, event.answer.part, event.answer.error);
  }
  call->unpinned.erase(part);
  if (call->unpinned.empty()) {
    send(id, *call);
  }
}

void GatewayMachine::handle(const ViewChanged& event) {
  map_.update(event.view);
  std::vector<base::CallId> moved;
  for (const auto& [id, call] : table_.calls()) {
    if (!call.shard || call.gather || call.retry_at) {
      continue;  // a call that was refused by a leader looks again at its own time
    }
    const std::optional<base::NodeId> leader = map_.leader_of(*call.shard);
    if (leader != call.target || (leader && map_.life_of(*leader) != call.target_life)) {
      moved.push_back(id);
    }
  }
  for (const base::CallId id : moved) {
    GatewayCall& call = *table_.find(id);
    call.maybe_done |= call.target.has_value();
    send(id, call);
  }
  look_after_log_reads();
}

void GatewayMachine::handle(const GatewayTick&) {
  while (const std::optional<base::CallId> id = table_.due(now_)) {
    GatewayCall& call = *table_.find(*id);
    if (now_ >= call.deadline) {
      expire(*id);
    } else {
      give_parts_on(call);
      send(*id, call);
    }
  }
}

std::optional<base::ShardId> GatewayMachine::shard_of(
    const protocol::ClientRequest& request) const {
  if (const auto* submit = std::get_if<protocol::Submit>(&request)) {
    return submit->request.shard;
  }
  if (const std::optional<base::JobId> job = job_of(request)) {
    return map_.layout().shard_of(*job);
  }
  // Members, tokens and keys are the root's.
  return changes_something(request) ? std::optional(base::ShardId{0}) : std::nullopt;
}

void GatewayMachine::start_call(const Asker& asker, protocol::ClientRequest request) {
  if (auto* wait = std::get_if<protocol::WaitJob>(&request)) {
    // Short waits, repeated by the asker, keep every call bounded.
    wait->wait_ns = std::clamp<std::int64_t>(wait->wait_ns, 0, limits::client_wait_max.count());
  }
  const base::CallId id = table_.fresh();
  GatewayCall call;
  call.asker = asker;
  call.deadline = now_ + time_for(request);
  call.shard = shard_of(request);
  if (asker.session) {
    add_parts(call, parts_of(inputs_of(request), map_));
  }
  call.request = std::move(request);
  send(id, table_.add(id, std::move(call)));
}

/// To whoever leads the shard now; where nobody does, the call looks again until its deadline,
/// unless nobody can: then who asks is told at once.
void GatewayMachine::send(base::CallId id, GatewayCall& call) {
  call.retry_at.reset();
  call.target.reset();
  if (!call.unpinned.empty()) {
    return send_pins(id, call);
  }
  if (!call.shard) {
    effects_.push_back(AskObjects{{id, call.request}});
    return;
  }
  const std::optional<base::NodeId> leader = map_.leader_of(*call.shard);
  if (leader) {
    call.target = leader;
    call.target_life = map_.life_of(*leader);
    if (*leader == map_.self()) {
      effects_.push_back(AskShard{{id, *call.shard, call.request}});
    } else {
      effects_.push_back(ForwardToPeer{*leader, {id.value, call.request}});
    }
  } else if (!call.maybe_done || !changes_something(call.request)) {
    if (std::optional<base::Error> error = map_.lacks_majority(*call.shard)) {
      return finish(id, std::move(*error));
    }
  }
  table_.rearm(id);  // a new leader is told by ViewChanged
}

/// Before the submit is sent anywhere; asked again until the deadline, since messages may be lost.
void GatewayMachine::send_pins(base::CallId id, GatewayCall& call) {
  const auto& submit = std::get<protocol::Submit>(call.request);
  for (const auto& [number, part] : call.unpinned) {
    if (!map_.may_answer(part.keeper)) {
      return finish(id, inputs_away(part.home, map_, nullptr));
    }
  }
  for (const auto& [number, part] : call.unpinned) {
    effects_.push_back(PinInputs{part.keeper, {id.value, number, submit.request, part.objects}});
  }
  call.retry_at = now_ + limits::pin_retry_interval;
  table_.rearm(id);
}

void GatewayMachine::add_parts(GatewayCall& call, std::vector<InputPart> parts) {
  for (InputPart& part : parts) {
    call.unpinned.emplace(++call.last_part, std::move(part));
  }
}

/// Of those who went silent; where nobody is left to ask they are asked again.
void GatewayMachine::give_parts_on(GatewayCall& call) const {
  std::vector<InputPart> others;
  std::erase_if(call.unpinned, [&](const auto& numbered) {
    if (map_.is_up(numbered.second.keeper)) {
      return false;
    }
    std::vector<InputPart> given = given_on(numbered.second, map_);
    std::move(given.begin(), given.end(), std::back_inserter(others));
    return !given.empty();
  });
  add_parts(call, std::move(others));
}

/// A home knows; of those that stand in for it the next is asked.
void GatewayMachine::refused(base::CallId id, GatewayCall& call, std::uint32_t number,
                             const base::Error& said) {
  const InputPart part = std::move(call.unpinned.extract(number).mapped());
  if (part.keeper == part.home) {
    return finish(id, said);
  }
  std::vector<InputPart> others = given_on(part, map_);
  if (others.empty()) {
    return finish(id, inputs_away(part.home, map_, &said));
  }
  add_parts(call, std::move(others));
  send_pins(id, call);
}

void GatewayMachine::answered(base::CallId id, protocol::ClientReply reply_value) {
  GatewayCall& call = *table_.find(id);
  if (is_not_leading(reply_value) && !call.gather) {
    call.target.reset();
    call.retry_at = now_ + limits::leader_retry_interval;
    table_.rearm(id);
    return;
  }
  finish(id, std::move(reply_value));
}

void GatewayMachine::expire(base::CallId id) {
  const GatewayCall& call = *table_.find(id);
  if (!call.unpinned.empty()) {
    const base::NodeId keeper = call.unpinned.begin()->second.keeper;
    return finish(id, inputs_unanswered(map_.name_of(keeper)));
  }
  const std::string whom = call.target ? map_.name_of(*call.target) : std::string("the leader");
  const bool asked = call.target || call.maybe_done;
  base::Error error;
  error.kind = base::ErrorKind::unavailable;
  error.code = base::ErrorCode::timeout;
  if (asked && changes_something(call.request)) {
    error.kind = base::ErrorKind::unknown;
    error.message = whom + " did not answer in time: it may have been done, or not";
    error.hint = "ask again with the same request number: it is done once";
  } else if (const auto lacking = call.shard ? map_.lacks_majority(*call.shard) : std::nullopt) {
    error = *lacking;
  } else if (call.shard && !asked) {
    error.code = base::ErrorCode::shard_unavailable;
    error.message = map_.why_leaderless(*call.shard);
    error.hint = "its jobs are kept on that node's disk and go on when it is back";
  } else {
    error.message = (call.shard || call.node ? whom : std::string("the object store")) +
                    " did not answer in time";
    error.hint = "try again";
  }
  finish(id, std::move(error));
}

void GatewayMachine::finish(base::CallId id, protocol::ClientReply reply_value) {
  const GatewayCall call = *table_.find(id);
  table_.remove(id);
  if (call.gather) {
    return part_answered(*call.gather, call.shards, reply_value);
  }
  if (auto* list = std::get_if<protocol::JobList>(&reply_value); list && !list->source) {
    list->source = map_.self();
  }
  if (auto* detail = std::get_if<protocol::JobDetail>(&reply_value); detail && !detail->source) {
    detail->source = map_.self();
  }
  reply(call.asker, std::move(reply_value));
}

void GatewayMachine::reply(const Asker& asker, protocol::ClientReply reply_value) {
  if (asker.session) {
    effects_.push_back(
        ReplyToClient{asker.session, base::CallId{asker.call}, std::move(reply_value)});
  } else {
    effects_.push_back(ReplyToPeer{asker.node, {asker.call, std::move(reply_value)}});
  }
}

}  // namespace fastgpu::session
