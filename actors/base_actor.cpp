#include "actors/base_actor.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fastgpu::actors {

BaseActor::BaseActor(caf::actor_config& config, ContextPtr context, const char* name)
    : caf::event_based_actor(config), context_(std::move(context)), name_(name) {
  set_exception_handler(
      [this](std::exception_ptr&) -> caf::error { abort_on("exception outside a turn"); });
  set_default_handler([this](caf::scheduled_actor*, caf::message_view& message) {
    if (!context_->dead) {
      abort_on(caf::to_string(message.move_content_to_message()).c_str());
    }
    return caf::result<caf::message>(caf::sec::unexpected_message);
  });
}

caf::behavior BaseActor::make_behavior() {
  return handlers().or_else(on<Begin>([this](const Begin&) { on_begin(); }),
                            on<Tick>([this](const Tick& tick) { handle_tick(tick); }));
}

void BaseActor::tell_node(base::NodeId node, protocol::PeerMessage message, bool may_wait) {
  tell(directory().link,
       ToPeer{node, std::make_shared<const protocol::PeerMessage>(std::move(message)), may_wait});
}

void BaseActor::trace(const std::string& line) const {
  if (context_->trace) {
    context_->trace(std::string(name_) + ": " + line);
  }
}

std::uint64_t BaseActor::derived_seed() const {
  return context_->random_seed ^ std::hash<std::string_view>{}(name_);
}

void BaseActor::abort_on(const char* what) const {
  std::fprintf(stderr, "fastgpu: actor %s of %s cannot go on: %s\n", name_,
               context_->self.name.c_str(), what);
  std::fflush(stderr);
  std::abort();
}

void BaseActor::handle_tick(const Tick& tick) {
  if (tick_at_ && *tick_at_ <= tick.at) {
    tick_at_.reset();
  }
  const std::optional<base::Time> deadline = next_deadline();
  if (deadline && *deadline <= now_) {
    on_tick();
  }
}

// A delayed message cannot be called back, so ticks are lazy: a new one is sent only when it must
// come before the one under way, and one that comes too early finds nothing due.
void BaseActor::arm() {
  const std::optional<base::Time> deadline = next_deadline();
  if (!deadline || (tick_at_ && *tick_at_ <= *deadline)) {
    return;
  }
  tick_at_ = deadline;
  delayed_send(this, std::max(*deadline - now_, base::Duration::zero()), Tick{*deadline});
}

}  // namespace fastgpu::actors
