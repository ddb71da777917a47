#include "node/daemon/join.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "node/daemon/clock.hpp"
#include "node/daemon/node_config.hpp"
#include "node/host/random.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/codec/client_codec.hpp"
#include "runtime/link/zmq_link.hpp"

namespace fastgpu::node {
namespace {

constexpr link::Endpoint member = link::dialled_endpoint(1);
constexpr base::CallId only_call{1};

/// What the link's thread tells the waiting one.
class Answer {
 public:
  void set(protocol::ClientReply reply) {
    const std::lock_guard lock(mutex_);
    if (!reply_) {
      reply_ = std::move(reply);
      changed_.notify_one();
    }
  }
  /// Takes it, if it comes before the limit.
  std::optional<protocol::ClientReply> await(base::Duration limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [this] { return reply_.has_value(); });
    return std::exchange(reply_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<protocol::ClientReply> reply_;
};

/// The member may have just started, or the first node may be starting: asking again helps, and the
/// request's number makes it safe.
bool may_pass(const protocol::ClientReply& reply) {
  const auto* error = std::get_if<base::Error>(&reply);
  return error != nullptr &&
         (error->kind == base::ErrorKind::unavailable ||
          error->kind == base::ErrorKind::overloaded || error->kind == base::ErrorKind::unknown);
}

void send(link::Link& wire, const link::LinkIdentity& identity, const protocol::Join& join) {
  const link::FrameHeader header = link::header_from(identity, link::FrameKind::client_request);
  const base::Bytes body = codec::encode(only_call, protocol::ClientRequest(join));
  wire.send(member, link::encode(header, body.span()));
}

/// The first answer that is certain, else the last one before the limit.
std::optional<protocol::ClientReply> await_certain(link::Link& wire,
                                                   const link::LinkIdentity& identity,
                                                   const protocol::Join& join, Answer& answer,
                                                   base::Duration limit) {
  const base::Time deadline = boot_time() + limit;
  std::optional<protocol::ClientReply> last;
  while (boot_time() < deadline) {
    std::optional<protocol::ClientReply> reply = answer.await(deadline - boot_time());
    if (!reply) {
      break;
    }
    last = std::move(reply);
    if (!may_pass(*last)) {
      break;
    }
    std::this_thread::sleep_for(base::limits::leader_retry_interval);
    send(wire, identity, join);
  }
  return last;
}

void handle(const link::LinkEvent& event, link::Link& wire, const link::LinkIdentity& identity,
            const protocol::Join& join, Answer& answer) {
  if (std::holds_alternative<link::PeerUp>(event)) {
    return send(wire, identity, join);
  }
  const auto* frame = std::get_if<link::FrameReceived>(&event);
  if (frame == nullptr || frame->header.kind != link::FrameKind::client_reply) {
    return;
  }
  if (auto read = codec::decode_client_answer(frame->body.span()); read.ok()) {
    answer.set(std::move(read.value().reply));
  }
}

}  // namespace

base::Result<protocol::Joined> ask_to_join(const std::string& member_address,
                                           const protocol::Join& join, base::Duration limit) {
  Answer answer;
  link::LinkOptions options;
  options.identity = {{}, {}, {random_seed()}};
  link::ZmqLink wire(options, boot_time);
  wire.start(
      [&](const link::LinkEvent& event) { handle(event, wire, options.identity, join, answer); });
  wire.connect(member, member_address);
  const std::optional<protocol::ClientReply> reply =
      await_certain(wire, options.identity, join, answer, limit);
  wire.stop();
  if (!reply) {
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::no_node_reachable,
                       "no node answered at " + member_address + " within " +
                           std::to_string(limit / std::chrono::seconds(1)) + " s",
                       "is fastgpu-node run started there, and its cluster's first node too?"};
  }
  if (const auto* error = std::get_if<base::Error>(&*reply)) {
    return *error;
  }
  if (const auto* joined = std::get_if<protocol::Joined>(&*reply)) {
    return *joined;
  }
  return base::Error{base::ErrorKind::internal, base::ErrorCode::internal,
                     member_address + " gave an answer of another kind than asked for", ""};
}

}  // namespace fastgpu::node
