/// One task to a null device in another process and back: submit, the executor sees it, the node
/// sees that it is done. Target: p50 of 2 us while active. Each task is submitted from the event of
/// the one before, as a busy worker does. Both sides need a core of their own for that; on a
/// machine with other work the target is held against the best of many short windows, beside the
/// p50 of all.

#include <condition_variable>
#include <mutex>

#include "bench/exec/bench_support.hpp"
#include "runtime/exec/process_executor.hpp"

namespace {

using namespace fastgpu;

constexpr std::size_t warm_up = 2'000;
constexpr std::size_t hops = 50'000;
constexpr std::size_t window = 500;
constexpr double target_us = 2;

class PingPong {
 public:
  PingPong() {
    exec::ProcessExecutorOptions options;
    options.program = FASTGPU_BENCH_EXECUTOR;
    options.device = "null";
    options.user =
        exec::claim_user(exec::default_users(), static_cast<std::uint32_t>(getpid())).value();
    executor_ = exec::make_process_executor(options);
    task_.source = base::Bytes::copy_of("__global__ void k() {}");
    task_.kernel = "k";
    executor_->start([this](const exec::ExecutorEvent& event) { next(event); });
  }

  std::vector<double> wait() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return done_; });
    return std::vector<double>(times_us_.begin() + warm_up, times_us_.end());
  }

 private:
  void next(const exec::ExecutorEvent& event) {
    if (std::holds_alternative<exec::ExecutorDone>(event))
      times_us_.push_back(bench::microseconds_since(sent_));
    const bool died = std::holds_alternative<exec::ExecutorDied>(event);
    if (died || times_us_.size() == warm_up + hops) {
      std::lock_guard lock(mutex_);
      done_ = true;
      finished_.notify_all();
      return;
    }
    task_.token.value++;
    exec::ExecutorTask task = task_;
    sent_ = bench::Clock::now();
    executor_->submit(std::move(task));
  }

  std::unique_ptr<exec::Executor> executor_;
  exec::ExecutorTask task_;
  bench::Clock::time_point sent_;
  std::vector<double> times_us_;
  std::mutex mutex_;
  std::condition_variable finished_;
  bool done_{false};
};

}  // namespace

int main() {
  PingPong game;
  const auto times = game.wait();
  if (times.size() < hops)
    return 1;
  const double p50 = bench::quantile(times, 0.5);
  double best = p50;
  for (std::size_t i = 0; i + window <= times.size(); i += window)
    best = std::min(best, bench::median({times.begin() + i, times.begin() + i + window}));
  std::printf(
      "{\"bench\": \"bench_executor_hop\", \"p50_us\": %.2f, \"p99_us\": %.2f, "
      "\"p50_best_window_us\": %.2f, \"ratio\": %.2f, \"target_us\": %.0f, \"ok\": %s}\n",
      p50, bench::quantile(times, 0.99), best, best / target_us, target_us,
      best <= target_us ? "true" : "false");
}
