#pragma once

/// ZeroMQ's C interface with owners: contexts and sockets that close themselves, received messages,
/// options. For the files of this folder that speak with ZeroMQ; one thread at a time.

#include <zmq.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/check.hpp"

namespace fastgpu::link {

struct CloseSocket {
  void operator()(void* socket) const { zmq_close(socket); }
};
using Socket = std::unique_ptr<void, CloseSocket>;

/// Waits until the context's sockets are closed.
struct EndContext {
  void operator()(void* context) const {
    while (zmq_ctx_term(context) != 0 && zmq_errno() == EINTR) {
    }
  }
};
using Context = std::unique_ptr<void, EndContext>;

inline void set(void* socket, int option, int value) {
  const int rc = zmq_setsockopt(socket, option, &value, sizeof(value));
  FASTGPU_CHECK(rc == 0, "ZeroMQ knows the option and takes the value");
}

inline void set(void* socket, int option, const std::string& value) {
  const int rc = zmq_setsockopt(socket, option, value.data(), value.size());
  FASTGPU_CHECK(rc == 0, "ZeroMQ knows the option and takes the value");
}

/// A received message that closes itself.
class Message {
 public:
  Message() { zmq_msg_init(&message_); }
  ~Message() { zmq_msg_close(&message_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  /// False when nothing is there.
  bool receive(void* socket) {
    int rc = zmq_msg_recv(&message_, socket, ZMQ_DONTWAIT);
    while (rc < 0 && zmq_errno() == EINTR) {
      rc = zmq_msg_recv(&message_, socket, ZMQ_DONTWAIT);
    }
    return rc >= 0;
  }
  bool more() const { return zmq_msg_more(&message_) != 0; }
  std::size_t size() { return zmq_msg_size(&message_); }
  const void* data() { return zmq_msg_data(&message_); }
  std::span<const std::uint8_t> span() {
    return {static_cast<const std::uint8_t*>(data()), size()};
  }
  std::string_view text() { return {static_cast<const char*>(data()), size()}; }
  /// What ZeroMQ knows of the connection that it came on; null: nothing.
  const char* property(const char* name) { return zmq_msg_gets(&message_, name); }
  /// The file descriptor of that connection, when the message was read from it; -1: none.
  int source() { return zmq_msg_get(&message_, ZMQ_SRCFD); }

 private:
  zmq_msg_t message_;
};

}  // namespace fastgpu::link
