#pragma once

/// A program's connection to a cluster: a small actor system of its own, in it the client actor,
/// and a link over ZeroMQ. Between the public library (or the command line) and the nodes. Any
/// thread may ask; an answer comes through a future or a blocking call. Every call ends by the time
/// that it is given, with an Error among its replies where something failed; nothing throws.
/// Destroying it ends what is open as `unknown`: what was sent is not undone.

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::client {

using Reply = protocol::ClientReply;
using Time = std::chrono::steady_clock::time_point;

struct ConnectionOptions {
  std::vector<std::string> servers;
  std::string program;  ///< said to the nodes, for their logs
};

class Connection {
 public:
  /// Starts; the first call connects. An Error where no server is named.
  static base::Result<std::shared_ptr<Connection>> open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::future<Reply> start(protocol::ClientRequest request, Time deadline);
  /// The same; `done` is told the answer, once, on the connection's thread (or the one that
  /// destroys it): it must not block, and not ask.
  void start(protocol::ClientRequest request, Time deadline, std::function<void(Reply)> done);
  /// `hash` must be the SHA-256 of `data`.
  std::future<Reply> start_upload(const base::ObjectHash& hash, base::Bytes data, Time deadline);
  std::future<Reply> start_download(const protocol::ObjectRef& object, Time deadline);

  /// The answer to a call that was started with this deadline.
  static Reply wait(std::future<Reply> future, Time deadline);
  /// `start`, and waits for the answer.
  Reply ask(protocol::ClientRequest request, Time deadline);
  /// The same for an answer of one type; anything else is an Error.
  template <class Wanted>
  base::Result<Wanted> ask_for(protocol::ClientRequest request, Time deadline) {
    return expect<Wanted>(ask(std::move(request), deadline));
  }

  template <class Wanted>
  static base::Result<Wanted> expect(Reply reply) {
    if (auto* wanted = std::get_if<Wanted>(&reply)) {
      return std::move(*wanted);
    }
    if (auto* error = std::get_if<base::Error>(&reply)) {
      return std::move(*error);
    }
    return base::Error{base::ErrorKind::internal, base::ErrorCode::internal,
                       "a node answered with something else than what was asked for",
                       "are all nodes of the same release?"};
  }

 private:
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

inline Time in(std::chrono::nanoseconds time) {
  return std::chrono::steady_clock::now() + time;
}

}  // namespace fastgpu::client
