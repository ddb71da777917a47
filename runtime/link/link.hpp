#pragma once

/// The port to other processes: carries frames between endpoints and tells who is there.
/// Between the link actor and the wire; it knows nothing of jobs. Twins: ZmqLink (real sockets, one
/// I/O thread) and SimLink (one thread, virtual time). Both drive the same LinkMachine, so hello,
/// filters and credits cannot differ.
/// The owner may call from any thread (SimLink: from the simulation's). The sink is called on the
/// link's own thread, one event at a time, in order; it must not block and may call `send`,
/// `consumed`, `connect`, `disconnect` and `counters`. After `stop` it is not called again.
/// Nothing here throws. Frames to one endpoint arrive in the order sent or not at all: what is on
/// its way when a connection breaks is lost, and PeerDown tells so. A frame may be lost, never
/// altered; the simulated twin also duplicates and reorders when told to.
/// A link with keys (LinkKeys) speaks with those only whose keys it knows, encrypted: a caller is
/// who its key says, and what it sends under another name is dropped, counted and told. A link
/// without keys is for tests and stays on the loopback.
/// What waits to be sent is bounded per endpoint by LinkOptions::peer_send_queue_bytes_max, what is
/// delivered and not yet `consumed` by LinkOptions::credit_bytes. Mailboxes have no bound: these
/// do.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "runtime/base/bytes.hpp"
#include "runtime/base/caller.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/link/frame.hpp"

namespace fastgpu::link {

/// Whom we speak with, as this link names it: a node, a client's session, or an address dialled
/// without knowing which node answers.
using Endpoint = base::Id<struct EndpointTag, std::uint64_t>;

inline constexpr std::uint64_t endpoint_client_bit = 1ull << 63;
inline constexpr std::uint64_t endpoint_session_bit = 1ull << 62;

/// The node `node`, whichever life of it.
constexpr Endpoint peer_endpoint(base::NodeId node) {
  return {node.value};
}
/// What a client (or a node that is about to join) dials by address; `number` is the caller's.
constexpr Endpoint dialled_endpoint(std::uint32_t number) {
  return {endpoint_client_bit | number};
}
/// A client that has dialled us; the link gives these, they are never reused.
constexpr Endpoint session_endpoint(base::SessionId session) {
  return {endpoint_client_bit | endpoint_session_bit | session.value};
}
constexpr bool is_session(Endpoint endpoint) {
  return (endpoint.value & endpoint_session_bit) != 0;
}
constexpr bool is_peer(Endpoint endpoint) {
  return (endpoint.value & endpoint_client_bit) == 0;
}
/// The node of a peer endpoint; 0 of any other.
constexpr base::NodeId node_of(Endpoint endpoint) {
  return {is_peer(endpoint) ? static_cast<std::uint32_t>(endpoint.value) : 0u};
}
/// The session of a session endpoint.
constexpr base::SessionId session_of(Endpoint endpoint) {
  return {endpoint.value & ~(endpoint_client_bit | endpoint_session_bit)};
}

/// Who this process is. It stands in every frame sent.
struct LinkIdentity {
  base::ClusterId cluster;        ///< a client may leave it zero: any cluster will do
  base::NodeId node;              ///< 0: a client
  base::Incarnation incarnation;  ///< of this life; a later life has a greater one
  bool operator==(const LinkIdentity&) const = default;
};

struct LinkOptions {
  LinkIdentity identity;
  std::size_t frame_bytes_max{base::limits::frame_bytes_max};
  std::size_t credit_bytes{base::limits::link_credit_bytes};  ///< at least two frames
  std::size_t peer_send_queue_bytes_max{base::limits::peer_send_queue_bytes_max};
  std::size_t client_send_queue_bytes_max{base::limits::client_send_queue_bytes_max};
  std::size_t sessions_max{base::limits::sessions_max};
  base::Duration alive_interval{base::limits::link_alive_interval};
  base::Duration silent_after{base::limits::link_silent_after};
  base::Duration redial_min{base::limits::link_redial_min};
  base::Duration redial_max{base::limits::link_redial_max};
  bool keyed{false};  ///< callers are known by their keys; set by a link that was given LinkKeys
};

/// The header of a frame that `identity` sends.
inline FrameHeader header_from(const LinkIdentity& identity, FrameKind kind,
                               base::ShardId shard = {}, base::Epoch epoch = {}) {
  FrameHeader header;
  header.kind = kind;
  header.cluster = identity.cluster;
  header.sender = identity.node;
  header.incarnation = identity.incarnation;
  header.shard = shard;
  header.epoch = epoch;
  return header;
}

// --- what the sink is told -----------------------------------------------------------------------

/// A whole, intact frame of our cluster and of the newest life of its sender.
struct FrameReceived {
  Endpoint from;
  FrameHeader header;
  base::Bytes body;
  base::CallerPtr caller{};  ///< who opened the connection, by its key; null without keys
  /// What it weighs; give it back by `consumed(from, bytes)` once the frame has been handled.
  std::size_t bytes() const { return frame_header_bytes + body.size(); }
  bool operator==(const FrameReceived&) const = default;
};

/// What was dialled has answered: frames can be sent.
struct PeerUp {
  Endpoint endpoint;
  base::NodeId node;
  base::Incarnation incarnation;
  base::ClusterId cluster;
  bool operator==(const PeerUp&) const = default;
};

enum class DownReason : std::uint8_t {
  refused,        ///< nobody listens there, or the listener would not have us
  reset,          ///< the connection broke, as when a process is killed
  closed,         ///< the other side said goodbye
  silent,         ///< nothing heard for LinkOptions::silent_after
  other_cluster,  ///< somebody else's cluster listens there
  other_node,     ///< another node than the one dialled listens there
  denied,         ///< the listener does not know our key, or not as what we say we are
};

std::string_view to_string(DownReason reason);

/// What was dialled cannot be reached; what was queued for it is dropped. The link goes on dialling
/// until `disconnect`. Told once per change, also when the first dial fails.
struct PeerDown {
  Endpoint endpoint;
  DownReason reason{DownReason::reset};
  bool operator==(const PeerDown&) const = default;
};

struct SessionOpened {
  Endpoint endpoint;
  base::CallerPtr caller{};  ///< by its key; null without keys
  bool operator==(const SessionOpened&) const = default;
};

struct SessionClosed {
  Endpoint endpoint;
  bool operator==(const SessionClosed&) const = default;
};

enum class RefusedFor : std::uint8_t {
  stranger,       ///< a key that we do not know
  forged,         ///< a known key, speaking under a name that is not its own
  revoked,        ///< its key was known and is not any more: hung up on
  other_cluster,  ///< it speaks for another cluster
};
inline constexpr std::size_t refused_for_kinds = 4;

std::string_view to_string(RefusedFor reason);

/// Somebody was refused. Told at once the first time and then at most once in
/// `refusal_interval` for each reason, with how many there were since; counters() counts all.
struct CallerRefused {
  RefusedFor reason{RefusedFor::stranger};
  std::string who;         ///< "client alice", "node 3", or the key of a stranger, with its address
  base::NodeId said;       ///< the node that it claimed to be; 0: a client, or not known
  std::uint64_t times{1};  ///< since it was last told
  bool operator==(const CallerRefused&) const = default;
};
inline constexpr base::Duration refusal_interval = std::chrono::seconds(1);

using LinkEvent =
    std::variant<FrameReceived, PeerUp, PeerDown, SessionOpened, SessionClosed, CallerRefused>;
using Sink = std::function<void(LinkEvent)>;

// --- what the owner asks -------------------------------------------------------------------------

enum class SendResult : std::uint8_t {
  queued,       ///< taken; lost only if the connection breaks
  full,         ///< the receiver is slow and the queue is at its bound: not taken
  unreachable,  ///< no such endpoint, or it is not up: not taken
  too_large,    ///< over LinkOptions::frame_bytes_max: not taken, never will be
};

/// What went over this link since it was made. Everything received and not delivered is counted in
/// exactly one of the `dropped_` fields.
struct LinkCounters {
  std::uint64_t frames_sent{};  ///< with control and credit frames
  std::uint64_t bytes_sent{};
  std::uint64_t frames_delivered{};
  std::uint64_t bytes_delivered{};
  std::uint64_t control_received{};

  std::uint64_t dropped_too_large{};
  std::uint64_t dropped_truncated{};
  std::uint64_t dropped_magic{};
  std::uint64_t dropped_version{};
  std::uint64_t dropped_length{};
  std::uint64_t dropped_crc{};
  std::uint64_t dropped_kind{};     ///< unknown, or not from such a sender
  std::uint64_t dropped_control{};  ///< a control body that makes no sense
  std::uint64_t dropped_other_cluster{};
  std::uint64_t dropped_old_incarnation{};
  std::uint64_t dropped_other_sender{};   ///< not who said hello on this connection
  std::uint64_t dropped_no_hello{};       ///< before hello, or after we hung up
  std::uint64_t dropped_over_credit{};    ///< sent beyond what was granted
  std::uint64_t dropped_sessions_full{};  ///< a client too many

  std::uint64_t sends_full{};
  std::uint64_t sends_unreachable{};
  std::uint64_t sends_too_large{};
  std::uint64_t frames_abandoned{};  ///< queued when their connection ended
  std::uint64_t channels_cut_off{};  ///< connections ended for too many bad frames

  // With keys only.
  std::uint64_t strangers_refused{};  ///< handshakes under keys that we do not know
  std::uint64_t dropped_stranger{};   ///< of a key that was known once
  std::uint64_t dropped_forged{};     ///< sent under the name of another than the key's owner
  std::uint64_t channels_revoked{};   ///< connections ended because their key is not known any more
  bool operator==(const LinkCounters&) const = default;
};

class Link {
 public:
  virtual ~Link() = default;

  /// Once, before anything else.
  virtual void start(Sink sink) = 0;
  /// Waits for callers at `address` ("127.0.0.1:7601", "[::1]:7601"; port 0 picks a free one) and
  /// tells the address taken. At most once, not from the sink.
  virtual base::Result<std::string> listen(const std::string& address) = 0;
  /// Dials and keeps dialling; with keys, only who holds the secret of `key` will do. Dialling an
  /// endpoint again at another address, or with another key, moves it there.
  virtual void connect(Endpoint endpoint, const std::string& address,
                       const std::string& key = {}) = 0;
  /// Hangs up on a dialled endpoint or a session; no event follows.
  virtual void disconnect(Endpoint endpoint) = 0;
  /// Takes a frame as `encode` made it, stamped with our own identity. One encoded frame can be
  /// sent to many endpoints.
  virtual SendResult send(Endpoint endpoint, base::Bytes frame) = 0;
  /// A delivered frame has been handled: its sender may send as many bytes more.
  virtual void consumed(Endpoint endpoint, std::size_t bytes) = 0;
  virtual LinkCounters counters() const = 0;
  /// LinkKeys::who answers otherwise from now on: whoever it does not know any more is hung up on
  /// at once. May be called from the sink.
  virtual void keys_changed() {}
  /// Says goodbye and ends; the sink is not called after it returns. Also done on destruction.
  virtual void stop() = 0;
};

}  // namespace fastgpu::link
