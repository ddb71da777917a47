#pragma once

/// What clients ask, and its place in the history: each call is written down before it is sent and
/// when it has ended. Shared by the load, the probes and the audit; any thread.

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/connection.hpp"
#include "runtime/base/random.hpp"
#include "runtime/protocol/job.hpp"
#include "tests/chaos/recorder.hpp"
#include "tests/history/history.hpp"

namespace fastgpu::chaos {

/// A job as it is asked for; sent again, it is the same request.
struct Request {
  std::string key;
  std::string lot;  ///< a label of not too many jobs, by which they can be listed
  base::RequestId id;
  history::Kind kind{history::Kind::kernel};
  std::uint32_t tasks{1};
  std::uint64_t value{};  ///< of kernels
  int milliseconds{};     ///< how long a task takes
  bool stubborn{false};   ///< a command that ends for no SIGTERM
  std::uint64_t job{};    ///< once it is known
};

class Work {
 public:
  Work(const std::string& folder, std::uint32_t shard_count, std::uint16_t recorder_port)
      : file_(folder + "/clients.jsonl"),
        shard_count_(shard_count),
        recorder_port_(recorder_port) {}

  HistoryFile& file() { return file_; }
  void mark(const std::string& what, const std::string& text) {
    file_.add(history::Mark{now(), what, text});
  }

  /// Names it, and draws its shard unless that is given.
  Request make(const std::string& client, history::Kind kind, std::uint32_t tasks, int milliseconds,
               base::Random& random, std::optional<base::ShardId> shard = {});

  using Submitted = std::function<void(history::Answer answer, std::uint64_t job)>;
  /// `done` is told on the connection's thread.
  void start_submit(client::Connection& connection, const std::string& client,
                    const Request& request, std::chrono::milliseconds limit, Submitted done);
  /// The job; 0 if it was not accepted, or nobody knows.
  std::uint64_t submit(client::Connection& connection, const std::string& client,
                       const Request& request, std::chrono::milliseconds limit);
  void cancel(client::Connection& connection, const std::string& client, std::uint64_t job,
              std::chrono::milliseconds limit);
  std::optional<protocol::JobDetail> read(client::Connection& connection, const std::string& client,
                                          std::uint64_t job, std::chrono::milliseconds limit);

  /// Some request that was sent before; none at first.
  std::optional<Request> any_request(base::Random& random, std::size_t newest = 200) const;
  /// All that were ever made, with their jobs where those are known.
  std::vector<Request> requests() const;
  /// Why some request of ours was refused as wrong, which none of them is; empty if none was.
  std::string wrong() const;

 private:
  void refuse(const base::Error& error);
  std::uint64_t begin(history::Invoke invoke);
  void returned(history::Return answer);
  protocol::SharedSpec spec_of(const Request& request) const;

  HistoryFile file_;
  const std::uint32_t shard_count_;
  const std::uint16_t recorder_port_;
  mutable std::mutex mutex_;  ///< guards all below
  std::uint64_t last_op_{0};
  std::vector<Request> requests_;
  std::string wrong_;
};

/// As a history tells it.
history::JobView view_of(const protocol::JobDetail& detail);

/// When a task of ours began and ended, by the processor's clock; none of a command.
struct Times {
  std::uint32_t task{};
  base::NodeId node;
  std::int64_t begin{};
  std::int64_t end{};
};
std::vector<Times> times_of(const protocol::JobDetail& detail);

}  // namespace fastgpu::chaos
