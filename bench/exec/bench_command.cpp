/// Commands per second through the runner and its warden, over a bare posix_spawn of the same
/// program on the same machine in the same run, with two slots. Target: at most 10 % longer without
/// a sandbox; with bubblewrap the price is told. The halves of a round are short and alternate, and
/// the median of the rounds' ratios counts, because other work on the machine comes and goes.
/// Beside it: the processor time that the runner and its warden take per command, which is all that
/// they add to the command's own.

#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "bench/exec/bench_support.hpp"
#include "runtime/exec/warden/process_runner.hpp"
#include "runtime/exec/warden/process_table.hpp"

extern char** environ;

namespace {

using namespace fastgpu;

constexpr int slots = 2;
constexpr double target_ratio = 1.1;

struct Sizes {
  int commands;  ///< of one half of a round
  int rounds;
};

double seconds_since(bench::Clock::time_point begin) {
  return bench::microseconds_since(begin) / 1e6;
}

pid_t spawn_true() {
  char program[] = "/bin/true";
  char* words[] = {program, nullptr};
  pid_t process = 0;
  if (posix_spawn(&process, program, nullptr, nullptr, words, environ) != 0)
    std::exit(1);
  return process;
}

/// Commands per second with as many processes at a time as there are slots.
double bare_rate(int commands) {
  const auto begin = bench::Clock::now();
  int started = 0;
  while (started < slots)
    started += spawn_true() > 0;
  for (int ended = 0; ended < commands; ++ended) {
    waitpid(-1, nullptr, 0);
    if (started < commands)
      started += spawn_true() > 0;
  }
  return commands / seconds_since(begin);
}

/// The next command starts from the end of one before, as a busy worker does it.
class Loop {
 public:
  Loop(const std::string& sandbox, const std::string& folder) {
    exec::ProcessRunnerOptions options;
    options.program = FASTGPU_BENCH_EXECUTOR;
    options.sandbox = sandbox;
    options.user =
        exec::claim_user(exec::default_users(), static_cast<std::uint32_t>(getpid())).value();
    task_.argv = {"/bin/true"};
    task_.folder = folder;
    runner_ = exec::make_process_runner(options);
    runner_->start([this](const exec::CommandEvent& event) { take(event); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_; });
  }

  double rate(int commands) {
    const auto begin = bench::Clock::now();
    std::unique_lock lock(mutex_);
    left_to_start_ = left_to_end_ = commands;
    for (int i = 0; i < slots; ++i)
      start_one();
    changed_.wait(lock, [this] { return left_to_end_ == 0; });
    return commands / seconds_since(begin);
  }
  /// Between two calls of rate().
  double commands_cpu_us() const { return commands_cpu_us_; }
  std::string protection() const { return protection_; }

 private:
  void take(const exec::CommandEvent& event) {
    const std::lock_guard lock(mutex_);
    if (const auto* ready = std::get_if<exec::WardenReady>(&event)) {
      protection_ = ready->protection;
      ready_ = true;
    } else if (const auto* ended = std::get_if<exec::CommandEnded>(&event)) {
      if (ended->reason != base::FailureReason::none)
        std::exit(1);
      commands_cpu_us_ += static_cast<double>(ended->cpu_ns) / 1e3;
      --left_to_end_;
      start_one();
    } else if (std::holds_alternative<exec::WardenDied>(event)) {
      std::exit(1);
    }
    if (left_to_end_ == 0)
      changed_.notify_all();
  }
  void start_one() {
    if (left_to_start_ == 0)
      return;
    --left_to_start_;
    task_.token.value++;
    if (!runner_->run(task_))
      std::exit(1);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_{false};
  int left_to_start_{0};
  int left_to_end_{0};
  double commands_cpu_us_{0};
  std::string protection_;
  exec::CommandTask task_;
  std::unique_ptr<exec::CommandRunner> runner_;  // last: its thread uses what is above
};

struct Measured {
  double bare{};
  double runner{};
  double ratio{};
  double bare_cpu_us{};    ///< of this process and the command
  double runner_cpu_us{};  ///< of this process, the warden and the command
};

double microseconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

/// What this process, its warden and the reaped children of this process have used.
double cpu_us() {
  rusage children{};
  getrusage(RUSAGE_CHILDREN, &children);
  double sum = microseconds_of(children.ru_utime) + microseconds_of(children.ru_stime);
  std::vector<pid_t> processes = exec::children_of(getpid());
  processes.push_back(getpid());
  for (const pid_t process : processes) {
    clockid_t clock{};
    timespec time{};
    if (clock_getcpuclockid(process, &clock) == 0 && clock_gettime(clock, &time) == 0)
      sum += static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  }
  return sum;
}

Measured measure(Loop& loop, const Sizes& sizes) {
  std::vector<double> bare, runner, ratio;
  std::vector<double> bare_cpu, runner_cpu;
  loop.rate(sizes.commands);
  for (int i = 0; i < sizes.rounds; ++i) {
    const double before = cpu_us();
    bare.push_back(bare_rate(sizes.commands));
    const double between = cpu_us();
    const double commands_before = loop.commands_cpu_us();
    runner.push_back(loop.rate(sizes.commands));
    const double commands = loop.commands_cpu_us() - commands_before;
    runner_cpu.push_back((cpu_us() - between + commands) / sizes.commands);
    bare_cpu.push_back((between - before) / sizes.commands);
    ratio.push_back(bare.back() / runner.back());
  }
  return {bench::median(bare), bench::median(runner), bench::median(ratio), bench::median(bare_cpu),
          bench::median(runner_cpu)};
}

}  // namespace

int main() {
  const bench::TemporaryFolder folder;
  chmod(folder.path().c_str(), 0755);
  Loop plain("none", folder.path());
  const Measured one = measure(plain, {100, 40});
  Loop walled("auto", folder.path());
  const Measured two = measure(walled, {40, 9});
  std::printf(
      "{\"bench\": \"bench_command\", \"slots\": %d, \"bare_per_s\": %.0f, \"runner_per_s\": %.0f, "
      "\"ratio\": %.2f, \"target_ratio\": %.2f, \"ok\": %s, ",
      slots, one.bare, one.runner, one.ratio, target_ratio,
      one.ratio <= target_ratio ? "true" : "false");
  std::printf("\"bare_cpu_us\": %.0f, \"runner_cpu_us\": %.0f, \"cpu_ratio\": %.2f, ",
              one.bare_cpu_us, one.runner_cpu_us, one.runner_cpu_us / one.bare_cpu_us);
  std::printf(
      "\"sandbox\": \"%s\", \"sandbox_per_s\": %.0f, \"sandbox_ratio\": %.2f, "
      "\"sandbox_cpu_us\": %.0f}\n",
      walled.protection().c_str(), two.runner, two.ratio, two.runner_cpu_us);
}
