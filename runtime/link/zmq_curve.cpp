#include "runtime/link/zmq_curve.hpp"

#include <array>
#include <cstring>

namespace fastgpu::link {
namespace {

constexpr const char* zap_domain = "fastgpu";
/// Debian's header shows ZMQ_ZAP_ENFORCE_DOMAIN to programs with draft interfaces only; the library
/// takes it all the same. One that did not would end the program here.
constexpr int zap_enforce_domain = 93;
constexpr std::size_t key_text_bytes = 40;

bool is_key(const std::string& key) {
  std::array<std::uint8_t, 32> bytes{};
  return key.size() == key_text_bytes && zmq_z85_decode(bytes.data(), key.c_str()) != nullptr;
}

base::Error unsafe(const std::string& why) {
  return {base::ErrorKind::internal, base::ErrorCode::listen_refused, "refusing to listen: " + why,
          "nobody can be told from a stranger here: look for another libzmq (fastgpu-node needs "
          "Debian's libzmq5 with CURVE), and report this"};
}

/// The outcome of the handshake; 0: none in time.
int await_handshake(void* monitor) {
  zmq_pollitem_t item{monitor, 0, ZMQ_POLLIN, 0};
  if (zmq_poll(&item, 1, stranger_probe_limit_ms) <= 0) {
    return 0;
  }
  Message event;
  std::uint16_t number = 0;
  if (event.receive(monitor) && event.size() >= sizeof(number)) {
    std::memcpy(&number, event.data(), sizeof(number));
  }
  return number;
}

}  // namespace

void require_known_keys(void* socket, const LinkKeys& keys) {
  set(socket, ZMQ_CURVE_SERVER, 1);
  set(socket, ZMQ_CURVE_SECRETKEY, keys.secret_key);
  set(socket, ZMQ_ZAP_DOMAIN, std::string(zap_domain));
  set(socket, zap_enforce_domain, 1);
}

bool speak_as(void* socket, const LinkKeys& keys, const std::string& server_key) {
  if (!is_key(server_key)) {
    return false;
  }
  set(socket, ZMQ_CURVE_SERVERKEY, server_key);
  set(socket, ZMQ_CURVE_PUBLICKEY, keys.public_key);
  set(socket, ZMQ_CURVE_SECRETKEY, keys.secret_key);
  return true;
}

base::Status probe_as_stranger(const std::string& endpoint, const LinkKeys& keys,
                               ZapHandler& handler) {
  LinkKeys stranger;
  stranger.public_key.resize(key_text_bytes + 1);
  stranger.secret_key.resize(key_text_bytes + 1);
  if (zmq_curve_keypair(stranger.public_key.data(), stranger.secret_key.data()) != 0) {
    return unsafe("this libzmq has no CURVE");
  }
  stranger.public_key.resize(key_text_bytes);
  stranger.secret_key.resize(key_text_bytes);
  handler.expect(stranger.public_key);

  const Context context(zmq_ctx_new());
  const Socket dealer(zmq_socket(context.get(), ZMQ_DEALER));
  const Socket monitor(zmq_socket(context.get(), ZMQ_PAIR));
  if (dealer == nullptr || monitor == nullptr) {
    return unsafe("there are no sockets left to try whether strangers are refused");
  }
  set(dealer.get(), ZMQ_LINGER, 0);
  set(dealer.get(), ZMQ_RECONNECT_IVL, -1);
  set(dealer.get(), ZMQ_IPV6, endpoint.starts_with("tcp://[") ? 1 : 0);
  const int outcomes = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_CLOSED;
  const bool called = speak_as(dealer.get(), stranger, keys.public_key) &&
                      zmq_socket_monitor(dealer.get(), "inproc://probe", outcomes) == 0 &&
                      zmq_connect(monitor.get(), "inproc://probe") == 0 &&
                      zmq_connect(dealer.get(), endpoint.c_str()) == 0;
  const int outcome = called ? await_handshake(monitor.get()) : 0;
  zmq_socket_monitor(dealer.get(), nullptr, 0);
  if (outcome == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
    return {};
  }
  return outcome == ZMQ_EVENT_HANDSHAKE_SUCCEEDED
             ? unsafe("a stranger's key was let in")
             : unsafe("whether strangers are refused could not be shown (ZeroMQ's event " +
                      std::to_string(outcome) + ")");
}

}  // namespace fastgpu::link
