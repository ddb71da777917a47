#pragma once

/// One actor under test on CAF's testing scheduler, in virtual time, with recorders in the place of
/// all other actors of its node. A test sends it messages, lets it run, and must account for what
/// it sent: `take<Message>(recorder)` gives the next message of that type.

#include <gtest/gtest.h>

#include <algorithm>
#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "actors/base_actor.hpp"

namespace fastgpu::testing {

/// Keeps every message it gets, in order.
class Recorder {
 public:
  explicit Recorder(caf::actor_system& system) : messages_(std::make_shared<Messages>()) {
    actor_ = system.spawn(record, messages_);
  }

  const caf::actor& actor() const { return actor_; }
  std::size_t size() const { return messages_->size(); }

  /// The oldest message of this type, taken out; nothing if there is none.
  template <class Message>
  std::optional<Message> take() {
    const auto found =
        std::find_if(messages_->begin(), messages_->end(),
                     [](const caf::message& one) { return one.match_elements<Message>(); });
    if (found == messages_->end()) {
      return std::nullopt;
    }
    Message message = found->template get_as<Message>(0);
    messages_->erase(found);
    return message;
  }

 private:
  using Messages = std::deque<caf::message>;

  static caf::behavior record(caf::event_based_actor* self,
                              const std::shared_ptr<Messages>& messages) {
    self->set_default_handler([messages](caf::scheduled_actor*, caf::message_view& message) {
      messages->push_back(message.move_content_to_message());
      return caf::result<caf::message>(caf::message{});
    });
    // A behavior without any handler would end the actor; nobody sends this one.
    return {[](caf::ok_atom) {}};
  }

  std::shared_ptr<Messages> messages_;
  caf::actor actor_;
};

class ActorBench {
 public:
  explicit ActorBench(std::uint32_t workers = 1)
      : system_(configured(config_)),
        link(system_),
        gateway(system_),
        scheduler(system_),
        monitor(system_),
        store(system_),
        objects(system_),
        shard(system_),
        worker(system_),
        logs(system_),
        context_(std::make_shared<actors::NodeContext>()) {
    pass(std::chrono::hours{1});
    context_->cluster = {7, 7};
    context_->self = {{1}, "n1", "127.0.0.1:7601"};
    context_->incarnation = {5};
    context_->layout = {4};
    context_->seeds = {context_->self};
    context_->random_seed = 42;
    context_->clock = [this] { return now(); };
    context_->wall_clock = [] { return base::WallTimeMs{1'700'000'000'000}; };
    context_->directory = {link.actor(),
                           gateway.actor(),
                           scheduler.actor(),
                           monitor.actor(),
                           store.actor(),
                           objects.actor(),
                           {{{0}, shard.actor()}},
                           std::vector(workers, worker.actor()),
                           logs.actor()};
  }
  ~ActorBench() {
    context_->dead = true;
    for (const Recorder* one :
         {&link, &gateway, &scheduler, &monitor, &store, &objects, &shard, &worker, &logs}) {
      caf::anon_send_exit(one->actor(), caf::exit_reason::kill);
    }
    if (tested_) {
      caf::anon_send_exit(tested_, caf::exit_reason::kill);
    }
    context_->directory = {};
    run();
  }
  ActorBench(const ActorBench&) = delete;
  ActorBench& operator=(const ActorBench&) = delete;

  const actors::ContextPtr& context() { return context_; }
  caf::actor_system& system() { return system_; }
  base::Time now() { return base::Time{scheduler_of().clock().current_time.time_since_epoch()}; }

  /// Spawns the actor under test; it gets `(config, context, arguments...)` and Begin.
  template <class Actor, class... Arguments>
  const caf::actor& spawn(Arguments&&... arguments) {
    tested_ = system_.spawn<Actor>(context_, std::forward<Arguments>(arguments)...);
    send(actors::Begin{});
    return tested_;
  }
  /// To the actor under test, which runs until nobody has mail.
  template <class Message>
  void send(Message message) {
    caf::anon_send(tested_, std::move(message));
    run();
  }
  void send_peer(base::NodeId from, protocol::PeerMessage message,
                 base::Incarnation incarnation = {1}) {
    send(actors::FromPeer{from, incarnation,
                          std::make_shared<const protocol::PeerMessage>(std::move(message))});
  }
  void run() {
    while (scheduler_of().try_run_once()) {
    }
  }
  /// Time passes, timer by timer.
  void pass(base::Duration duration) {
    const base::Time end = now() + duration;
    run();
    auto& clock = scheduler_of().clock();
    while (!clock.schedule().empty() &&
           base::Time{clock.schedule().begin()->first.time_since_epoch()} <= end) {
      scheduler_of().trigger_timeout();
      run();
    }
    clock.current_time = caf::actor_clock::time_point{end.time_since_epoch()};
  }
  /// The next message of type `Said` that the actor under test sent to a node through the link.
  template <class Said>
  std::optional<std::pair<base::NodeId, Said>> take_to_node() {
    std::deque<actors::ToPeer> others;
    std::optional<std::pair<base::NodeId, Said>> found;
    while (auto message = link.take<actors::ToPeer>()) {
      const auto* said = std::get_if<Said>(message->message.get());
      if (said != nullptr && !found) {
        found.emplace(message->node, *said);
      } else {
        others.push_back(*message);
      }
    }
    for (actors::ToPeer& other : others) {
      caf::anon_send(link.actor(), std::move(other));
    }
    run();
    return found;
  }

 private:
  static caf::actor_system_config& configured(caf::actor_system_config& config) {
    config.set("scheduler.policy", caf::atom("testing"));
    return config;
  }
  caf::scheduler::test_coordinator& scheduler_of() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  caf::actor_system_config config_;
  caf::actor_system system_;

 public:
  // The rest of the node.
  Recorder link;
  Recorder gateway;
  Recorder scheduler;
  Recorder monitor;
  Recorder store;
  Recorder objects;
  Recorder shard;   ///< shard 0
  Recorder worker;  ///< every device
  Recorder logs;

 private:
  actors::ContextPtr context_;
  caf::actor tested_;
};

}  // namespace fastgpu::testing
