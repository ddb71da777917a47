#pragma once

/// Questions to the cluster around a fault, and how long its answers took. KernelProbe is an array
/// of kernel tasks on all nodes; those that run on the victim when it is struck must run elsewhere
/// soon. ShardProbe submits to one shard again and again from the moment on at which its leader is
/// struck. Both are part of the history as any other client. Used by the nemesis's thread.

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "tests/chaos/cluster.hpp"
#include "tests/chaos/figures.hpp"
#include "tests/chaos/work.hpp"

namespace fastgpu::chaos {

/// The processor's clock, as kernels on a CPU device read it, told by the clock of all stamps.
class ProcessorClock {
 public:
  ProcessorClock();
  /// Exact to a millisecond once some seconds have passed since this was made.
  history::Stamp stamp_of(std::int64_t ticks) const;

 private:
  std::int64_t first_ticks_;
  history::Stamp first_stamp_;
};

/// Waits without sleeping through a stop: true once it is so, looked at every few milliseconds.
bool await(std::chrono::milliseconds limit, const std::function<bool()>& is_so);

/// A task of the victim's that has run elsewhere.
struct Successor {
  history::Stamp began{};
  std::string attempts;  ///< of the task, for people: "6.1.5.2 n1:0, 6.1.6.14 n3:1"
};

class KernelProbe {
 public:
  KernelProbe(Work& work, client::Connection& connection) : work_(work), connection_(connection) {}

  /// True once some of its tasks run on the victim.
  bool start(base::NodeId victim, base::ShardId shard, std::uint32_t tasks, int task_ms,
             base::Random& random);
  /// Right before the victim is struck: what runs there now?
  void look();
  /// True once all of it has ended.
  bool await_end(std::chrono::milliseconds limit);
  /// When each of the victim's tasks began elsewhere, and after which attempts.
  std::vector<Successor> successors(const ProcessorClock& clock) const;

 private:
  std::optional<protocol::JobDetail> read();
  std::set<std::uint32_t> running_on_victim(const protocol::JobDetail& detail) const;

  Work& work_;
  client::Connection& connection_;
  base::NodeId victim_;
  std::uint64_t job_{};
  std::set<std::uint32_t> running_;
  std::optional<protocol::JobDetail> last_;
};

class ShardProbe {
 public:
  ShardProbe(Work& work, std::shared_ptr<client::Connection> connection, base::ShardId shard,
             std::uint64_t seed);

  /// Sends one more submit, if it is time for it and none was accepted yet.
  void tick();
  bool accepted() const { return state_->accepted_at != 0; }
  /// From `struck` to the first submit that was accepted; none if there was none.
  std::optional<double> latency_ms(history::Stamp struck) const;

 private:
  struct State {
    std::atomic<history::Stamp> accepted_at{0};
  };
  Work& work_;
  std::shared_ptr<client::Connection> connection_;
  const base::ShardId shard_;
  base::Random random_;
  history::Stamp next_at_{0};
  std::shared_ptr<State> state_;
};

}  // namespace fastgpu::chaos
