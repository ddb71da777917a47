#pragma once

/// The shell that every actor of a node wears. It gives each message one turn: the gate is checked,
/// the clock is read once, the handler steps its machine and performs the effects, and one timer is
/// armed from `next_deadline()`. An exception that escapes a handler, and a message that no handler
/// takes, abort the process: an actor that dies quietly would lose accepted work.
///
/// A derived actor lists its handlers with `on<Message>(...)` and holds no rules of its own.

#include <caf/all.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "actors/messages.hpp"
#include "actors/node_context.hpp"

namespace fastgpu::actors {

using ContextPtr = std::shared_ptr<NodeContext>;

class BaseActor : public caf::event_based_actor {
 public:
  BaseActor(caf::actor_config& config, ContextPtr context, const char* name);
  const char* name() const override { return name_; }

 protected:
  // --- for derived actors to define --------------------------------------------------------------
  virtual caf::message_handler handlers() = 0;
  /// The directory is complete.
  virtual void on_begin() {}
  /// `now()` has reached what `next_deadline()` said.
  virtual void on_tick() {}
  virtual std::optional<base::Time> next_deadline() const { return std::nullopt; }

  // --- for derived actors to use -----------------------------------------------------------------
  template <class Message, class Function>
  auto on(Function function) {
    return [this, function](const Message& message) { turn([&] { function(message); }); };
  }
  /// The time of this turn: it does not move while a message is handled.
  base::Time now() const { return now_; }
  NodeContext& context() const { return *context_; }
  const Directory& directory() const { return context_->directory; }
  template <class Message>
  void tell(const caf::actor& receiver, Message&& message) {
    caf::anon_send(receiver, std::forward<Message>(message));
  }
  /// To a node's actor that the message concerns, through the link.
  void tell_node(base::NodeId node, protocol::PeerMessage message, bool may_wait = false);
  void trace(const std::string& line) const;
  /// A seed of this actor's own, the same for the same node seed.
  std::uint64_t derived_seed() const;

 private:
  caf::behavior make_behavior() final;
  template <class Function>
  void turn(Function function) {
    if (context_->dead) {
      quit(caf::exit_reason::kill);
      return;
    }
    now_ = context_->clock();
    try {
      function();
    } catch (const std::exception& error) {
      abort_on(error.what());
    } catch (...) {
      abort_on("not a std::exception");
    }
    arm();
  }
  [[noreturn]] void abort_on(const char* what) const;
  void handle_tick(const Tick& tick);
  void arm();

  ContextPtr context_;
  const char* name_;
  base::Time now_{};
  std::optional<base::Time> tick_at_;  ///< the earliest tick that is under way
};

}  // namespace fastgpu::actors
