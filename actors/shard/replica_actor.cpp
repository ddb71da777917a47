#include "actors/shard/replica_actor.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "actors/replica/raft_words.hpp"
#include "runtime/base/check.hpp"

namespace fastgpu::actors {
namespace {

/// To itself: the log has events that no store write will bring.
struct Pump {};

/// Nodes of the plan that are no members are left out: the root adds them first.
raft::Plan plan_of(base::ShardId shard, const protocol::Members& members) {
  raft::Plan plan;
  for (const protocol::ShardPlan& one : members.plan) {
    for (const base::NodeId node :
         one.shard == shard ? one.replicas : std::vector<base::NodeId>{}) {
      const auto info = std::find_if(members.members.begin(), members.members.end(),
                                     [node](const auto& member) { return member.node == node; });
      if (info != members.members.end()) {
        plan.push_back({node, info->store});
      }
    }
  }
  return plan;
}

}  // namespace
}  // namespace fastgpu::actors

FASTGPU_LOCAL_MESSAGE(fastgpu::actors::Pump)

namespace fastgpu::actors {

caf::message_handler ReplicaActor::log_handlers() {
  return caf::message_handler{
      on<Durable>([this](const Durable& durable) {
        log_->on_durable(durable.token);
        settle();
      }),
      on<Pump>([this](const Pump&) {
        pumping_ = false;
        log_->pump();
        settle();
      }),
      on<protocol::SharedMemberLists>([this](const protocol::SharedMemberLists& lists) {
        if (members_) {
          members_->hear(lists);
          settle();
        }
      })};
}

void ReplicaActor::open(const ShardLogOptions& options, std::vector<store::KeyValue> contents,
                        base::ReplicatedLog::Sink sink) {
  shard_ = options.shard;
  auto opened = open_log(options, std::move(contents), *this, *this);
  FASTGPU_CHECK(opened.ok(), opened.error().message.c_str());
  log_ = std::move(opened.value().log);
  group_ = opened.value().group;
  if (group_ != nullptr) {
    members_ =
        std::make_unique<MembersDesk>(context().self.node, *group_,
                                      [this, of = "shard " + std::to_string(shard_.value) + ": "](
                                          const std::string& line) { trace(of + line); });
  }
  log_->start(std::move(sink));
  tell_vote();
  pump_soon();
}

void ReplicaActor::receive(base::NodeId from, const protocol::RaftMessage& message) {
  if (group_ != nullptr) {
    group_->receive(from_wire(message, from, context().self.node));
    settle();
  }
}

void ReplicaActor::lose(base::NodeId peer) {
  if (group_ != nullptr) {
    group_->lose(peer);
    settle();
  }
}

void ReplicaActor::see(const protocol::SharedView& view) {
  if (!members_) {
    return;
  }
  std::set<base::NodeId> up;
  for (const protocol::NodeView& node : view->nodes) {
    if (node.state == protocol::NodeState::up) {
      up.insert(node.info.node);
    }
  }
  members_->see(std::move(up));
  if (view->members && view->members != planned_) {
    planned_ = view->members;
    members_->know(plan_of(shard_, *planned_), now());
  }
  settle();
}

void ReplicaActor::tick_log() {
  if (log_) {
    log_->tick();
    settle();
  }
}

std::optional<base::Time> ReplicaActor::log_deadline() const {
  const std::optional<base::Time> of_log = log_ ? log_->next_deadline() : std::nullopt;
  const std::optional<base::Time> of_group = members_ ? members_->next_deadline() : std::nullopt;
  return of_log && of_group ? std::min(of_log, of_group) : of_log ? of_log : of_group;
}

base::Admission ReplicaActor::write(store::StoreToken token, std::vector<store::Write> writes) {
  tell(directory().store, StoreWrite{caf::actor_cast<caf::actor>(this), token, std::move(writes)});
  return base::Admission::accepted;
}

void ReplicaActor::send(const raft::Send& said) {
  tell_node(said.message.to, to_wire(shard_, said.message), said.may_wait);
}

void ReplicaActor::alarm(const raft::Alarm& alarm) {
  const bool later = alarm.kind == raft::AlarmKind::later_epoch;
  if ((later || alarm.kind == raft::AlarmKind::earlier_epoch) &&
      !epochs_told_.emplace(alarm.kind, alarm.from).second) {
    return;
  }
  trace(line_of(alarm));
  if (later && context().warn) {
    context().warn(outdated_line(shard_, alarm.from));
  }
}

void ReplicaActor::pump_soon() {
  if (log_ && log_->has_events() && !pumping_) {
    pumping_ = true;
    tell(caf::actor_cast<caf::actor>(this), Pump{});
  }
}

void ReplicaActor::settle() {
  if (members_) {
    members_->look(now());
  }
  tell_vote();
  if (group_ != nullptr && context().observer) {
    context().observer->replica_stepped(context().self, shard_, group_->machine());
  }
  pump_soon();
}

/// A shard that this node keeps alone has its vote for good.
void ReplicaActor::tell_vote() {
  const bool votes = group_ == nullptr || group_->votes();
  if (vote_told_ != votes) {
    vote_told_ = votes;
    tell(directory().monitor, protocol::ReplicaStands{shard_, votes});
  }
}

}  // namespace fastgpu::actors
