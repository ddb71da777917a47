#pragma once

/// The actor around the client machine: inside a program that uses the cluster, not in a node.
/// It is sent session::StartCall, StartUpload, StartDownload and AbandonCall, and tells the end of
/// each call to `on_done`, on its own thread. Deadlines are on the clock of its context.

#include <functional>
#include <memory>

#include "actors/base_actor.hpp"
#include "runtime/link/link.hpp"
#include "runtime/session/client_machine.hpp"

namespace fastgpu::actors {

class ClientActor final : public BaseActor {
 public:
  using OnDone = std::function<void(const session::CallDone&)>;

  /// Only clock, random seed and name of `context` matter. Whoever makes the actor starts `link`
  /// with LinkActor::sink_to it. `identity` is that of the link.
  ClientActor(caf::actor_config& config, ContextPtr context, std::shared_ptr<link::Link> link,
              const link::LinkIdentity& identity, const session::ClientOptions& options,
              OnDone on_done);

 private:
  caf::message_handler handlers() override;
  void on_tick() override;
  std::optional<base::Time> next_deadline() const override { return machine_.next_deadline(); }

  void handle_event(const link::LinkEvent& event);
  void receive(const link::FrameReceived& frame);
  void step(const session::ClientEvent& event);
  void perform(const session::Dial& effect);
  void perform(const session::HangUp& effect);
  void perform(const session::SendRequest& effect);
  void perform(const session::CallDone& effect);

  std::shared_ptr<link::Link> link_;
  link::LinkIdentity identity_;
  session::ClientMachine machine_;
  OnDone on_done_;
};

}  // namespace fastgpu::actors

FASTGPU_LOCAL_MESSAGE(fastgpu::session::StartCall)
FASTGPU_LOCAL_MESSAGE(fastgpu::session::StartUpload)
FASTGPU_LOCAL_MESSAGE(fastgpu::session::StartDownload)
FASTGPU_LOCAL_MESSAGE(fastgpu::session::AbandonCall)
