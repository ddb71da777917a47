#pragma once

/// An executor inside the process that finishes every task at once, with zeroed outputs: what is
/// measured with it is everything else.
/// Threads: events come on its own thread, as with the real one. Nothing fails; it never dies by
/// itself; kill() loses what waits and reports ready again at once.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "runtime/exec/executor.hpp"

namespace fastgpu::exec {

struct NullExecutorOptions {
  std::size_t window{256};  ///< tasks in flight at most
  std::uint64_t memory_bytes{1ull << 30};
};

class NullExecutor final : public Executor {
 public:
  explicit NullExecutor(NullExecutorOptions options = {});
  ~NullExecutor() override;
  void start(Sink sink) override;
  bool submit(ExecutorTask task) override;
  void kill(const char* why) override;

 private:
  void serve();
  void report_death();

  const NullExecutorOptions options_;
  Sink sink_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ExecutorTask> waiting_;
  std::string kill_reason_;
  bool kill_asked_{false};
  bool ready_{false};
  bool stop_{false};
  std::thread thread_;
};

/// The result that a device gives which does nothing: success, outputs all zero.
ExecutorResult null_result(const ExecutorTask& task);

}  // namespace fastgpu::exec
