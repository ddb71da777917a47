#include "actors/shard_actor.hpp"

#include <utility>

#include "actors/shard/ledger_words.hpp"
#include "runtime/codec/image_codec.hpp"
#include "runtime/codec/record_codec.hpp"

namespace fastgpu::actors {
namespace {

ledger::ShardOptions machine_options(const NodeContext& context, const ShardActorOptions& options) {
  return {context.cluster,
          options.shard,
          context.layout,
          context.self.node,
          context.incarnation,
          options.founders,
          options.founding_token,
          options.ledger_limits,
          options.ledger_faults,
          options.founding_clients,
          options.founding_replicas,
          options.group.has_value()};
}

}  // namespace

ShardActor::ShardActor(caf::actor_config& config, ContextPtr context, ShardActorOptions options)
    : ReplicaActor(config, std::move(context), "shard"),
      options_(std::move(options)),
      machine_(machine_options(this->context(), options_)) {}

caf::message_handler ShardActor::handlers() {
  return log_handlers().or_else(
      on<FromPeer>([this](const FromPeer& message) { handle_peer(message); }),
      on<protocol::ShardRequest>([this](const protocol::ShardRequest& request) { step(request); }),
      on<protocol::Place>([this](const protocol::Place& place) { step(place); }),
      on<protocol::Waiting>([this](const protocol::Waiting& waiting) { step(waiting); }),
      on<protocol::NodeLost>([this](const protocol::NodeLost& lost) {
        lose(lost.node);
        step(lost);
      }),
      on<protocol::DiskRoom>([this](const protocol::DiskRoom& room) { step(room); }),
      on<protocol::SharedView>([this](const protocol::SharedView& view) {
        see(view);
        step(ledger::ViewChanged{view});
      }));
}

void ShardActor::on_begin() {
  const ShardLogOptions options{options_.shard, derived_seed() + options_.shard.value,
                                options_.log_faults, options_.group};
  open(options, std::exchange(options_.contents, {}),
       [this](const base::LogEvent& event) { step(to_event(event)); });
}

void ShardActor::on_tick() {
  tick_log();
  step(ledger::Tick{});
}

std::optional<base::Time> ShardActor::next_deadline() const {
  const std::optional<base::Time> first = machine_.next_deadline();
  const std::optional<base::Time> of_log = log_deadline();
  return first && of_log ? std::min(first, of_log) : first ? first : of_log;
}

void ShardActor::handle_peer(const FromPeer& message) {
  std::visit(
      [&](const auto& said) {
        using Said = std::decay_t<decltype(said)>;
        if constexpr (std::is_constructible_v<ledger::Event, ledger::FromWorker<Said>>) {
          step(ledger::FromWorker<Said>{message.node, message.incarnation, said});
        } else if constexpr (std::is_constructible_v<ledger::Event, ledger::FromShard<Said>>) {
          step(ledger::FromShard<Said>{message.node, said});
        } else if constexpr (std::is_same_v<Said, protocol::RaftMessage>) {
          receive(message.node, said);
        }
      },
      *message.message);
}

// Performing an effect may bring up an event, such as a refused proposal: it is stepped after the
// effects of this step, in order.
void ShardActor::step(ledger::Event event) {
  events_.push_back(std::move(event));
  if (stepping_) {
    return;
  }
  stepping_ = true;
  while (!events_.empty()) {
    const ledger::Event next = std::move(events_.front());
    events_.pop_front();
    const ledger::Effects effects = machine_.step(next, now(), context().wall_clock());
    if (context().observer) {
      context().observer->shard_stepped(context().self, machine_);
    }
    for (const ledger::Effect& effect : effects) {
      std::visit([this](const auto& known) { perform(known); }, effect);
    }
  }
  stepping_ = false;
  pump_soon();
}

void ShardActor::perform(const ledger::Propose& effect) {
  const base::Admission admission = log().propose(effect.token, codec::encode(effect.entry));
  if (admission != base::Admission::accepted) {
    step(ledger::ProposeRefused{effect.token, admission});
  }
}

void ShardActor::perform(const ledger::Read& effect) {
  const base::Admission admission = log().read_index(effect.token);
  if (admission != base::Admission::accepted) {
    step(ledger::ProposeRefused{effect.token, admission});
  }
}

void ShardActor::perform(const ledger::Compact& effect) {
  log().compact(effect.index, codec::encode(effect.image));
}

void ShardActor::perform(const ledger::Reply& effect) {
  tell(directory().gateway, effect.reply);
}

void ShardActor::perform(const ledger::SendToNode& effect) {
  tell_node(effect.node, effect.message);
}

void ShardActor::perform(const ledger::ToScheduler& effect) {
  std::visit([this](const auto& message) { tell(directory().scheduler, message); }, effect.message);
}

void ShardActor::perform(const ledger::Led& effect) {
  trace("shard " + std::to_string(effect.shard.shard.value) +
        (effect.shard.term ? " is led in term " + std::to_string(effect.shard.term.value)
                           : " is led no longer"));
  tell(directory().monitor, ShardLed{effect.shard});
}

void ShardActor::perform(const ledger::MembersChanged& effect) {
  tell(directory().monitor, effect.members);
}

}  // namespace fastgpu::actors
