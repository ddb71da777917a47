#include "runtime/link/zmq_transport.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/link/control.hpp"
#include "runtime/link/zmq_curve.hpp"

#if defined(__SANITIZE_THREAD__)
/// Debian's libzmq and its libsodium are not built for the thread sanitizer, which so cannot see
/// how they hand memory from their threads to ours. What does not touch it is still checked.
extern "C" const char* __tsan_default_suppressions() {
  return "race:libzmq.so\ncalled_from_lib:libzmq.so.5\ncalled_from_lib:libsodium.so.23\n";
}
#endif

namespace fastgpu::link {
namespace {

constexpr int messages_per_read = 256;       // then the other connections have their turn
constexpr int high_water_messages = 10'000;  // credits bound the bytes
constexpr int sockets_max = 16'384;          // three for each connection that we dial
constexpr int listen_backlog = 1024;
constexpr int handshake_interval_ms = 2000;
constexpr int heartbeat_interval_ms = 500;  // finds connections that the machine never heard of
constexpr int heartbeat_timeout_ms = 2000;
constexpr int goodbye_ms = 50;  // a last frame may take this long to leave
constexpr std::chrono::milliseconds backlog_retry{1};
constexpr std::chrono::milliseconds wait_max{60'000};
constexpr int never_ms = 3'600'000;  // far beyond the life of a broken socket
constexpr std::size_t zero_copy_bytes_min = 4096;
constexpr std::size_t route_bytes = 5;

/// The ROUTER names its callers by a zero byte and a number of 32 bits; so do we.
ChannelId channel_of_route(std::span<const std::uint8_t> route) {
  if (route.size() != route_bytes || route[0] != 0) {
    return {};
  }
  std::uint64_t number = 0;
  for (std::size_t i = 1; i < route_bytes; ++i) {
    number = number << 8 | route[i];
  }
  return {accepted_channel_bit | number};
}

std::array<std::uint8_t, route_bytes> route_of_channel(ChannelId channel) {
  std::array<std::uint8_t, route_bytes> route{};
  for (std::size_t i = 1; i < route_bytes; ++i) {
    route[i] = static_cast<std::uint8_t>(channel.value >> (8 * (route_bytes - 1 - i)));
  }
  return route;
}

// How the sockets are named where they are waited for: a connection that we have dialled has two.
constexpr ReadySockets::Key router_key = 0;
constexpr ReadySockets::Key dealer_key(ChannelId channel) {
  return channel.value << 1;
}
constexpr ReadySockets::Key monitor_key(ChannelId channel) {
  return dealer_key(channel) | 1;
}
constexpr ChannelId channel_of_key(ReadySockets::Key key) {
  return {key >> 1};
}

/// Asked for only where it is meant: some hosts have none.
bool is_ipv6(const std::string& address) {
  return address.starts_with('[');
}

void release_bytes(void*, void* hint) {
  delete static_cast<base::Bytes*>(hint);
}

/// Large frames are lent to ZeroMQ, small ones copied into its message.
void fill(zmq_msg_t& message, const base::Bytes& frame) {
  if (frame.size() < zero_copy_bytes_min) {
    FASTGPU_CHECK(zmq_msg_init_size(&message, frame.size()) == 0, "memory for a small message");
    std::memcpy(zmq_msg_data(&message), frame.data(), frame.size());
    return;
  }
  auto* kept = new base::Bytes(frame);
  // ZeroMQ wants a pointer to mutable bytes and does not write to them.
  void* data = const_cast<std::uint8_t*>(frame.data());
  FASTGPU_CHECK(zmq_msg_init_data(&message, data, frame.size(), release_bytes, kept) == 0,
                "memory for a message");
}

base::Error cannot_bind(const std::string& address, int error) {
  const bool taken = error == EADDRINUSE;
  return {base::ErrorKind::rejected,
          taken ? base::ErrorCode::conflict : base::ErrorCode::listen_refused,
          "cannot listen at " + address + ": " + zmq_strerror(error),
          taken ? "end the program that listens there, or choose another port" : ""};
}

}  // namespace

ZmqTransport::ZmqTransport(const LinkOptions& options, std::optional<LinkKeys> keys)
    : options_(options), keys_(std::move(keys)), context_(zmq_ctx_new()) {
  FASTGPU_CHECK(context_ != nullptr, "a link needs a ZeroMQ context");
  zmq_ctx_set(context_.get(), ZMQ_MAX_SOCKETS, sockets_max);
}

ZmqTransport::~ZmqTransport() {
  close();
}

void ZmqTransport::close() {
  for (auto& [channel, dialled] : dialled_) {
    forget(channel, dialled);
  }
  dialled_.clear();
  if (router_ != nullptr) {
    ready_.remove(router_key, router_.get());
    router_.reset();
  }
  zap_.reset();
  context_.reset();
}

Socket ZmqTransport::make_socket(int type) {
  Socket socket(zmq_socket(context_.get(), type));
  if (socket == nullptr) {
    return socket;
  }
  void* raw = socket.get();
  const auto message_bytes_max =
      static_cast<std::int64_t>(options_.frame_bytes_max + (keys_ ? curve_message_bytes_extra : 0));
  zmq_setsockopt(raw, ZMQ_MAXMSGSIZE, &message_bytes_max, sizeof(message_bytes_max));
  set(raw, ZMQ_SNDHWM, high_water_messages);
  set(raw, ZMQ_RCVHWM, high_water_messages);
  set(raw, ZMQ_LINGER, goodbye_ms);
  set(raw, ZMQ_HANDSHAKE_IVL, handshake_interval_ms);
  set(raw, ZMQ_HEARTBEAT_IVL, heartbeat_interval_ms);
  set(raw, ZMQ_HEARTBEAT_TIMEOUT, heartbeat_timeout_ms);
  return socket;
}

// --- what the machine wants ----------------------------------------------------------------------

base::Result<std::string> ZmqTransport::bind(const ListenAddress& address) {
  if (router_ != nullptr) {
    return cannot_bind(to_string(address), EALREADY);
  }
  Socket router = make_socket(ZMQ_ROUTER);
  if (router == nullptr) {
    return cannot_bind(to_string(address), zmq_errno());
  }
  set(router.get(), ZMQ_IPV6, is_ipv6(address.host) ? 1 : 0);
  set(router.get(), ZMQ_ROUTER_MANDATORY, 1);
  set(router.get(), ZMQ_ROUTER_HANDOVER, 0);
  set(router.get(), ZMQ_BACKLOG, listen_backlog);
  if (keys_) {
    if (zap_ == nullptr) {
      zap_ = std::make_unique<ZapHandler>(context_.get(), *keys_, [this] { wake(); });
    }
    require_known_keys(router.get(), *keys_);
  }
  const std::string wanted =
      "tcp://" + address.host + ":" + (address.port == 0 ? "*" : std::to_string(address.port));
  if (zmq_bind(router.get(), wanted.c_str()) != 0) {
    return cannot_bind(to_string(address), zmq_errno());
  }
  char taken[256] = {};
  std::size_t taken_bytes = sizeof(taken);
  if (zmq_getsockopt(router.get(), ZMQ_LAST_ENDPOINT, taken, &taken_bytes) != 0) {
    return cannot_bind(to_string(address), zmq_errno());
  }
  const std::string endpoint(taken);
  if (keys_) {
    if (base::Status safe = probe_as_stranger(endpoint, *keys_, *zap_); !safe.ok()) {
      return safe.error();
    }
  }
  if (!ready_.add(router_key, router.get())) {
    return cannot_bind(to_string(address), errno);
  }
  router_ = std::move(router);
  return address.host + endpoint.substr(endpoint.rfind(':'));
}

std::int64_t ZmqTransport::listening_option(int option) const {
  std::int64_t value = 0;
  std::size_t bytes = option == ZMQ_MAXMSGSIZE ? sizeof(value) : sizeof(int);
  return router_ != nullptr && zmq_getsockopt(router_.get(), option, &value, &bytes) == 0 ? value
                                                                                          : -1;
}

void ZmqTransport::lose_handler() {
  zap_->die();
}

void ZmqTransport::dial(const Dial& dial) {
  // Whoever knows callers by their keys calls nobody whom it would not know.
  if (keys_ && keys_->who && !keys_->caller_of(dial.key)) {
    broken(dial.channel, DownReason::denied);
    return;
  }
  Dialled dialled;
  if (open_dealer(dialled, dial) && ready_.add(dealer_key(dial.channel), dialled.dealer.get()) &&
      ready_.add(monitor_key(dial.channel), dialled.monitor.get())) {
    dialled_.emplace(dial.channel, std::move(dialled));
  } else {
    broken(dial.channel, DownReason::refused);
  }
}

bool ZmqTransport::open_dealer(Dialled& dialled, const Dial& dial) {
  dialled.dealer = make_socket(ZMQ_DEALER);
  dialled.monitor = make_socket(ZMQ_PAIR);
  if (dialled.dealer == nullptr || dialled.monitor == nullptr) {
    return false;
  }
  void* dealer = dialled.dealer.get();
  // The machine dials again, on a new socket. ZeroMQ must not, but to give up at once (-1), as
  // IMMEDIATE does, throws away what came just before the end and has not been read.
  if (keys_ && !speak_as(dealer, *keys_, dial.key)) {
    return false;
  }
  set(dealer, ZMQ_RECONNECT_IVL, never_ms);
  set(dealer, ZMQ_IPV6, is_ipv6(dial.address) ? 1 : 0);
  set(dealer, ZMQ_CONNECT_TIMEOUT, handshake_interval_ms);
  const std::string monitor_address = "inproc://monitor-" + std::to_string(++last_monitor_);
  return zmq_socket_monitor(dealer, monitor_address.c_str(),
                            ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                                ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) == 0 &&
         zmq_connect(dialled.monitor.get(), monitor_address.c_str()) == 0 &&
         zmq_connect(dealer, ("tcp://" + dial.address).c_str()) == 0;
}

void ZmqTransport::hang_up(const HangUp& hang_up) {
  if (hang_up.cut) {
    cut(hang_up.channel);
  }
  accepted_.erase(hang_up.channel);
  backlogs_.erase(hang_up.channel);
  const auto found = dialled_.find(hang_up.channel);
  if (found != dialled_.end()) {
    forget(hang_up.channel, found->second);
    dialled_.erase(found);
  }
}

void ZmqTransport::forget(ChannelId channel, Dialled& dialled) {
  ready_.remove(dealer_key(channel), dialled.dealer.get());
  ready_.remove(monitor_key(channel), dialled.monitor.get());
  zmq_socket_monitor(dialled.dealer.get(), nullptr, 0);
}

/// ZeroMQ has no call that ends one caller's connection, and would keep it for as long as the
/// caller likes. The descriptor may be another connection's by now, so its other end is compared.
void ZmqTransport::cut(ChannelId channel) {
  const auto found = accepted_.find(channel);
  if (found == accepted_.end()) {
    return;
  }
  sockaddr_storage peer{};
  socklen_t bytes = sizeof(peer);
  if (getpeername(found->second.fd, reinterpret_cast<sockaddr*>(&peer), &bytes) == 0 &&
      std::memcmp(&peer, &found->second.peer, sizeof(peer)) == 0) {
    shutdown(found->second.fd, SHUT_RDWR);
  }
}

void ZmqTransport::transmit(const Transmit& transmit) {
  const ChannelId channel = transmit.channel;
  if (!is_accepted(channel) && !dialled_.contains(channel)) {
    return;
  }
  const Sent sent = backlogs_.contains(channel) ? Sent::later : send_now(channel, transmit.frame);
  if (sent == Sent::never) {
    broken(channel, DownReason::reset);
  } else if (sent == Sent::later) {
    Backlog& backlog = backlogs_[channel];
    backlog.bytes += transmit.frame.size();
    backlog.frames.push_back(transmit.frame);
    if (backlog.bytes > options_.credit_bytes + options_.frame_bytes_max) {
      broken(channel, DownReason::reset);
    }
  }
}

ZmqTransport::Sent ZmqTransport::send_now(ChannelId channel, const base::Bytes& frame) {
  if (!is_accepted(channel)) {
    ready_.unsure(dealer_key(channel));
    return send_on(dialled_.at(channel).dealer.get(), frame);
  }
  if (router_ == nullptr) {
    return Sent::never;
  }
  ready_.unsure(router_key);
  const auto route = route_of_channel(channel);
  if (zmq_send(router_.get(), route.data(), route.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
    return zmq_errno() == EAGAIN ? Sent::later : Sent::never;
  }
  return send_on(router_.get(), frame);
}

ZmqTransport::Sent ZmqTransport::send_on(void* socket, const base::Bytes& frame) {
  zmq_msg_t message;
  fill(message, frame);
  if (zmq_msg_send(&message, socket, ZMQ_DONTWAIT) >= 0) {
    return Sent::yes;
  }
  const int error = zmq_errno();
  zmq_msg_close(&message);
  return error == EAGAIN ? Sent::later : Sent::never;
}

// --- what has come -------------------------------------------------------------------------------

std::vector<LinkMachineEvent> ZmqTransport::wait(base::Duration timeout) {
  using std::chrono::ceil;
  using std::chrono::milliseconds;
  for (const ReadySockets::Key key : ready_.take_unsure()) {
    read(key);
  }
  auto timeout_ms = std::clamp(ceil<milliseconds>(timeout), milliseconds(0), wait_max);
  if (!events_.empty()) {
    timeout_ms = milliseconds(0);
  } else if (!backlogs_.empty()) {
    timeout_ms = std::min(timeout_ms, backlog_retry);
  }
  for (const ReadySockets::Key key : ready_.wait(timeout_ms)) {
    read(key);
  }
  retry_backlogs();
  if (zap_ != nullptr) {
    for (ZapHandler::Refused& refused : zap_->take_refused()) {
      events_.push_back(StrangerRefused{std::move(refused.key), std::move(refused.address)});
    }
  }
  return std::exchange(events_, {});
}

void ZmqTransport::read(ReadySockets::Key key) {
  if (key == router_key) {
    return read_router();
  }
  const ChannelId channel = channel_of_key(key);
  const auto found = dialled_.find(channel);
  if (found == dialled_.end()) {
    return;
  }
  read_dealer(channel, found->second);
  if (key == monitor_key(channel)) {  // what came before the end is told before it
    read_monitor(channel, found->second);
  }
}

void ZmqTransport::read_router() {
  for (int count = 0; count < messages_per_read; ++count) {
    Message route;
    Message frame;
    if (!route.receive(router_.get())) {
      return;
    }
    if (!route.more() || !frame.receive(router_.get())) {
      break;
    }
    const ChannelId channel = channel_of_route(route.span());
    const bool more = frame.more();
    for (bool rest = more; rest;) {
      Message part;
      rest = part.receive(router_.get()) && part.more();
    }
    take(channel, frame, more);
  }
  ready_.unsure(router_key);
}

void ZmqTransport::read_dealer(ChannelId channel, Dialled& dialled) {
  for (int count = 0; count < messages_per_read; ++count) {
    Message frame;
    if (!frame.receive(dialled.dealer.get())) {
      return;
    }
    const bool more = frame.more();
    for (bool rest = more; rest;) {
      Message part;
      rest = part.receive(dialled.dealer.get()) && part.more();
    }
    take(channel, frame, more);
  }
  ready_.unsure(dealer_key(channel));
}

/// A message is one part, and comes on a route that the ROUTER has named.
void ZmqTransport::take(ChannelId channel, Message& message, bool more) {
  if (!channel) {
    events_.push_back(BadFrameArrived{channel, FrameFault::magic});
    return;
  }
  if (more) {
    events_.push_back(BadFrameArrived{channel, FrameFault::length});
    return;
  }
  Frame frame;
  const FrameFault fault = parse(message.span(), options_.frame_bytes_max, frame);
  if (fault == FrameFault::none) {
    base::CallerPtr caller = caller_of(channel, frame, message);
    events_.push_back(FrameArrived{channel, std::move(frame), std::move(caller)});
  } else {
    events_.push_back(BadFrameArrived{channel, fault});
  }
}

/// Who says hello, by the key that the handshake has proved. What follows comes on the same route,
/// which belongs to that connection alone.
base::CallerPtr ZmqTransport::caller_of(ChannelId channel, const Frame& frame, Message& message) {
  if (!keys_ || !is_accepted(channel) || frame.header.kind != FrameKind::control) {
    return nullptr;
  }
  const auto control = decode_control(frame.body.span());
  const char* key = message.property("User-Id");
  if (!control || control->type != ControlType::hello || key == nullptr) {
    return nullptr;
  }
  Accepted accepted;
  accepted.fd = message.source();
  socklen_t bytes = sizeof(accepted.peer);
  if (getpeername(accepted.fd, reinterpret_cast<sockaddr*>(&accepted.peer), &bytes) == 0) {
    accepted_[channel] = accepted;  // hung up on, if not before, when its channel ends
  }
  return keys_->caller_of(key);
}

/// A monitor message is two parts: 16 bits of event and 32 of value, then an address.
void ZmqTransport::read_monitor(ChannelId channel, Dialled& dialled) {
  for (;;) {
    Message event;
    Message address;
    if (!event.receive(dialled.monitor.get())) {
      return;
    }
    if (event.more()) {
      address.receive(dialled.monitor.get());
    }
    std::uint16_t number = 0;
    if (event.size() < sizeof(number)) {
      continue;
    }
    std::memcpy(&number, event.data(), sizeof(number));
    if (number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
      dialled.connected = true;
      events_.push_back(ChannelConnected{channel});
    } else if (number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
      broken(channel, DownReason::denied);
    } else {
      broken(channel, dialled.connected ? DownReason::reset : DownReason::refused);
    }
  }
}

void ZmqTransport::broken(ChannelId channel, DownReason reason) {
  events_.push_back(ChannelBroken{channel, reason});
}

// --- backlogs ------------------------------------------------------------------------------------

void ZmqTransport::retry_backlogs() {
  for (auto entry = backlogs_.begin(); entry != backlogs_.end();) {
    entry = retry(entry->first, entry->second) ? backlogs_.erase(entry) : std::next(entry);
  }
}

/// True when nothing is left to send.
bool ZmqTransport::retry(ChannelId channel, Backlog& backlog) {
  while (!backlog.frames.empty()) {
    const Sent sent = send_now(channel, backlog.frames.front());
    if (sent == Sent::later) {
      return false;
    }
    if (sent == Sent::never) {
      broken(channel, DownReason::reset);
      return true;
    }
    backlog.bytes -= backlog.frames.front().size();
    backlog.frames.pop_front();
  }
  return true;
}

}  // namespace fastgpu::link
