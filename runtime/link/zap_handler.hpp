#pragma once

/// Tells ZeroMQ who may connect (its "ZAP" protocol): between the handshake of each caller and
/// LinkKeys::who. Whoever is let in carries its key as the User-Id of all its messages.
/// One for each ZeroMQ context, made before anything is bound in it and destroyed before the
/// context; a thread of its own, as ZeroMQ's threads wait for its answers.
/// Without its answer nobody comes in: sockets must be set by `require_known_keys`, and a handler
/// that is gone refuses everybody. Connections that were let in before stay.
/// What was refused is kept for `take_refused`, at most `refused_kept_max` at a time; more are
/// counted only.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/link/link_keys.hpp"
#include "runtime/link/zmq_socket.hpp"

namespace fastgpu::link {

class ZapHandler {
 public:
  static constexpr std::size_t refused_kept_max = 64;

  struct Refused {
    std::string key;
    std::string address;
  };

  /// Serves when this returns. `on_refused` is called on the handler's thread.
  ZapHandler(void* context, LinkKeys keys, std::function<void()> on_refused);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

  /// This key is to be refused and not to be counted: a probe of our own.
  void expect(const std::string& stranger);
  /// Since the last call.
  std::vector<Refused> take_refused();
  /// For tests of what happens then: the handler dies.
  void die();

 private:
  void run();
  bool answer_one();
  base::CallerPtr judge(std::span<const std::uint8_t> key, const std::string& address);
  void refuse(std::string key, std::string address);

  const LinkKeys keys_;
  const std::function<void()> on_refused_;
  Socket socket_;
  int stop_fd_;
  std::mutex mutex_;  ///< guards all below
  std::vector<Refused> refused_;
  std::string expected_;

  std::thread thread_;
};

}  // namespace fastgpu::link
