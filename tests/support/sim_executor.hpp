#pragma once

/// The executor's simulated twin: runs no kernel, but takes its time, fails and dies as told.
///
/// A task's behaviour is drawn from its source text: a text that holds "fail" fails by its own
/// fault, "crash" takes the device process with it, "hang" never ends, anything else succeeds. The
/// outputs of a success are its buffers filled with the bytes of its first scalar, so that a test
/// can tell whose output it sees. Drives itself by the harness's agenda, in virtual time.

#include <cstdint>
#include <deque>
#include <memory>

#include "runtime/base/random.hpp"
#include "runtime/exec/executor.hpp"
#include "tests/support/sim_agenda.hpp"

namespace fastgpu::testing {

struct SimExecutorOptions {
  std::size_t window{2};  ///< tasks in flight
  base::Duration run_min{std::chrono::microseconds{200}};
  base::Duration run_max{std::chrono::milliseconds{20}};
  base::Duration start_delay{std::chrono::milliseconds{2}};
  std::uint32_t spontaneous_death_ppm{0};  ///< of tasks: the process dies although the task is good
  base::Time dies_until{base::Time::max()};  ///< of itself; afterwards the device is well
};

class SimExecutor final : public exec::Executor {
 public:
  SimExecutor(SimAgenda& agenda, base::Random random, SimExecutorOptions options);
  ~SimExecutor() override;

  void start(Sink sink) override;
  bool submit(exec::ExecutorTask task) override;
  void kill(const char* why) override;

 private:
  void come_up();
  void run_next();
  void finish();
  void die(const std::string& reason, bool blame_running);
  void later(base::Duration delay, void (SimExecutor::*what)());

  SimAgenda& agenda_;
  base::Random random_;
  const SimExecutorOptions options_;
  Sink sink_;
  std::deque<exec::ExecutorTask> tasks_;  ///< the first is running
  bool up_{false};
  /// Replaced at each death, so that what was noted for an earlier life finds it is over.
  std::shared_ptr<int> life_{std::make_shared<int>(0)};
};

}  // namespace fastgpu::testing
