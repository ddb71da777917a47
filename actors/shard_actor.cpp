#include "actors/shard_actor.hpp"

#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/codec/image_codec.hpp"
#include "runtime/codec/record_codec.hpp"

namespace fastgpu::actors {
namespace {

/// To itself: the log has events that no store write will bring.
struct Pump {};

ledger::ShardOptions machine_options(const NodeContext& context, const ShardActorOptions& options) {
  ledger::ShardOptions machine;
  machine.cluster = context.cluster;
  machine.shard = options.shard;
  machine.layout = context.layout;
  machine.self = context.self.node;
  machine.incarnation = context.incarnation;
  machine.founders = options.founders;
  machine.join_token = options.join_token;
  machine.faults = options.ledger_faults;
  return machine;
}

/// What the log gives back is what this program gave it: anything else ends the process.
template <class Value>
Value decoded(base::Result<Value> result) {
  FASTGPU_CHECK(result.ok(), result.error().message.c_str());
  return std::move(result).value();
}

ledger::Event to_event(const base::LogLeading& event) {
  return ledger::Leading{event.epoch, event.term};
}
ledger::Event to_event(const base::LogNotLeading&) {
  return ledger::NotLeading{};
}
ledger::Event to_event(const base::LogCommitted& event) {
  // A leader's no-op is an empty command.
  return ledger::Committed{event.index, event.token,
                           event.command.empty()
                               ? protocol::Entry{}
                               : decoded(codec::decode_entry(event.command.span()))};
}
ledger::Event to_event(const base::LogOutcomeUnknown& event) {
  return ledger::OutcomeUnknown{event.token};
}
ledger::Event to_event(const base::LogReadReady& event) {
  return ledger::ReadReady{event.token, event.index};
}
ledger::Event to_event(const base::LogRestored& event) {
  return ledger::Restored{decoded(codec::decode_ledger_image(event.snapshot.span()))};
}

}  // namespace
}  // namespace fastgpu::actors

FASTGPU_LOCAL_MESSAGE(fastgpu::actors::Pump)

namespace fastgpu::actors {

ShardActor::ShardActor(caf::actor_config& config, ContextPtr context, ShardActorOptions options)
    : BaseActor(config, std::move(context), "shard"),
      options_(std::move(options)),
      machine_(machine_options(this->context(), options_)) {}

caf::message_handler ShardActor::handlers() {
  return caf::message_handler{
      on<Durable>([this](const Durable& durable) {
        log_->on_durable(durable.token);
        pump_soon();
      }),
      on<Pump>([this](const Pump&) {
        pumping_ = false;
        log_->pump();
        pump_soon();
      }),
      on<FromPeer>([this](const FromPeer& message) { handle_peer(message); }),
      on<protocol::ShardRequest>([this](const protocol::ShardRequest& request) { step(request); }),
      on<protocol::Place>([this](const protocol::Place& place) { step(place); }),
      on<protocol::Waiting>([this](const protocol::Waiting& waiting) { step(waiting); }),
      on<protocol::NodeLost>([this](const protocol::NodeLost& lost) { step(lost); }),
      on<protocol::DiskRoom>([this](const protocol::DiskRoom& room) { step(room); }),
      on<protocol::SharedView>([this](const auto& view) { step(ledger::ViewChanged{view}); })};
}

void ShardActor::on_begin() {
  store::SoloLogOptions options;
  options.shard = options_.shard;
  options.faults = options_.log_faults;
  log_ = decoded(store::SoloLog::open(options, *this, std::exchange(options_.contents, {})));
  log_->start([this](const base::LogEvent& event) {
    std::visit([this](const auto& known) { step(to_event(known)); }, event);
  });
  pump_soon();
}

base::Admission ShardActor::write(store::StoreToken token, std::vector<store::Write> writes) {
  tell(directory().store, StoreWrite{caf::actor_cast<caf::actor>(this), token, std::move(writes)});
  return base::Admission::accepted;
}

void ShardActor::pump_soon() {
  if (log_ && log_->has_events() && !pumping_) {
    pumping_ = true;
    tell(caf::actor_cast<caf::actor>(this), Pump{});
  }
}

void ShardActor::handle_peer(const FromPeer& message) {
  std::visit(
      [&](const auto& said) {
        using Said = std::decay_t<decltype(said)>;
        if constexpr (std::is_constructible_v<ledger::Event, ledger::FromWorker<Said>>) {
          step(ledger::FromWorker<Said>{message.node, message.incarnation, said});
        } else if constexpr (std::is_constructible_v<ledger::Event, ledger::FromShard<Said>>) {
          step(ledger::FromShard<Said>{message.node, said});
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
  const base::Admission admission = log_->propose(effect.token, codec::encode(effect.entry));
  if (admission != base::Admission::accepted) {
    step(ledger::ProposeRefused{effect.token, admission});
  }
}

void ShardActor::perform(const ledger::Read& effect) {
  const base::Admission admission = log_->read_index(effect.token);
  if (admission != base::Admission::accepted) {
    step(ledger::ProposeRefused{effect.token, admission});
  }
}

void ShardActor::perform(const ledger::Compact& effect) {
  log_->compact(effect.index, codec::encode(effect.image));
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
