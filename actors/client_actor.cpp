#include "actors/client_actor.hpp"

#include <utility>

#include "actors/link_actor.hpp"
#include "runtime/codec/client_codec.hpp"

namespace fastgpu::actors {
namespace {

link::Endpoint endpoint_of(session::ServerId server) {
  return link::dialled_endpoint(server.value);
}

session::ServerId server_of(link::Endpoint endpoint) {
  return {static_cast<std::uint32_t>(endpoint.value)};
}

}  // namespace

ClientActor::ClientActor(caf::actor_config& config, ContextPtr context,
                         std::shared_ptr<link::Link> link, const link::LinkIdentity& identity,
                         const session::ClientOptions& options, OnDone on_done)
    : BaseActor(config, std::move(context), "client"),
      link_(std::move(link)),
      identity_(identity),
      machine_(options),
      on_done_(std::move(on_done)) {}

caf::message_handler ClientActor::handlers() {
  return {on<session::StartCall>([this](const session::StartCall& event) { step(event); }),
          on<session::StartUpload>([this](const session::StartUpload& event) { step(event); }),
          on<session::StartDownload>([this](const session::StartDownload& event) { step(event); }),
          on<session::AbandonCall>([this](const session::AbandonCall& event) { step(event); }),
          on<link::LinkEvent>([this](const link::LinkEvent& event) { handle_event(event); })};
}

void ClientActor::on_tick() {
  step(session::ClientTick{});
}

void ClientActor::handle_event(const link::LinkEvent& event) {
  if (const auto* frame = std::get_if<link::FrameReceived>(&event)) {
    receive(*frame);
    link_->consumed(frame->from, frame->bytes());
  } else if (const auto* up = std::get_if<link::PeerUp>(&event)) {
    step(session::ServerUp{server_of(up->endpoint)});
  } else if (const auto* down = std::get_if<link::PeerDown>(&event)) {
    trace("server " + std::to_string(server_of(down->endpoint).value) + " is down -> " +
          std::string(link::to_string(down->reason)));
    step(session::ServerDown{server_of(down->endpoint), down->reason == link::DownReason::denied});
  }
}

void ClientActor::receive(const link::FrameReceived& frame) {
  if (frame.header.kind != link::FrameKind::client_reply) {
    return;
  }
  base::Result<codec::ClientAnswer> answer = codec::decode_client_answer(frame.body.span());
  if (!answer.ok()) {
    trace("an answer was dropped -> " + answer.error().message);
    return;
  }
  step(session::ReplyReceived{server_of(frame.from), answer.value().call,
                              std::move(answer.value().reply)});
}

void ClientActor::step(const session::ClientEvent& event) {
  for (const session::ClientEffect& effect : machine_.step(event, now())) {
    std::visit([this](const auto& what) { perform(what); }, effect);
  }
}

void ClientActor::perform(const session::Dial& effect) {
  link_->connect(endpoint_of(effect.server), effect.address, effect.key);
}

void ClientActor::perform(const session::HangUp& effect) {
  link_->disconnect(endpoint_of(effect.server));
}

void ClientActor::perform(const session::SendRequest& effect) {
  const base::Bytes body = codec::encode(effect.wire_call, effect.request);
  const link::FrameHeader header = link::header_from(identity_, link::FrameKind::client_request);
  const link::SendResult sent =
      link_->send(endpoint_of(effect.server), link::encode(header, body.span()));
  if (sent == link::SendResult::too_large) {
    step(session::ReplyReceived{effect.server, effect.wire_call,
                                base::Error{base::ErrorKind::invalid, base::ErrorCode::too_large,
                                            "the request takes " + std::to_string(body.size()) +
                                                " bytes, more than a frame holds",
                                            "split the job into several"}});
  }
  // What is not queued counts as lost: the machine asks again by its own deadline.
}

void ClientActor::perform(const session::CallDone& effect) {
  on_done_(effect);
}

}  // namespace fastgpu::actors
