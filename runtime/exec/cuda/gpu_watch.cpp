#include "runtime/exec/cuda/gpu_watch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "runtime/exec/child_process.hpp"

namespace fastgpu::exec {
namespace {

/// A line is a hundred bytes; a child that never ends one is not listened to.
constexpr std::size_t line_bytes_max = 64u << 10;

class ProcessGpuWatch final : public GpuWatch {
 public:
  ProcessGpuWatch(GpuWatchOptions options, std::function<void(const GpuNews&)> sink)
      : options_(std::move(options)),
        sink_(std::move(sink)),
        stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this] { live(); }) {}
  ~ProcessGpuWatch() override {
    stopping_.store(true);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = write(stop_.get(), &one, sizeof one);
    thread_.join();
  }

 private:
  void live() {
    std::uint32_t pause_ms = options_.restart_pause_ms;
    while (!stopping_) {
      heard_ = trouble_ = false;
      if (start())
        listen();
      child_.end_within(ChildProcess::end_limit);
      if (trouble_)
        pause_ms = options_.restart_pause_max_ms;
      else if (heard_)
        pause_ms = options_.restart_pause_ms;
      pollfd stop{stop_.get(), POLLIN, 0};
      if (!stopping_)
        poll(&stop, 1, static_cast<int>(pause_ms));
      pause_ms = std::min(pause_ms * 2, options_.restart_pause_max_ms);
    }
  }

  /// Not while an earlier one hangs: NVML may wait for ever for a broken device.
  bool start() {
    int ends[2];
    if (!child_.end_within({}) || pipe2(ends, O_CLOEXEC) != 0)
      return false;
    lines_ = FileDescriptor(ends[0]);
    const FileDescriptor theirs(ends[1]);
    return child_
        .start({options_.program, "--watch-gpus", std::to_string(options_.interval_ms),
                std::to_string(getpid())},
               {{theirs.get(), gpu_watch_fd}})
        .ok();
  }

  /// Until the child is gone or the stop.
  void listen() {
    std::string text;
    char buffer[4096];
    while (!stopping_ && text.size() < line_bytes_max) {
      pollfd both[2] = {{lines_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
      if (poll(both, 2, -1) < 0 || both[0].revents == 0)
        continue;
      const ssize_t count = read(lines_.get(), buffer, sizeof buffer);
      if (count <= 0)
        return;
      text.append(buffer, static_cast<std::size_t>(count));
      for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
        tell(text.substr(0, end));
        text.erase(0, end + 1);
      }
    }
  }

  void tell(const std::string& line) {
    const auto news = parse_gpu_news(line);
    if (!news || stopping_)
      return;
    heard_ = true;
    trouble_ = std::holds_alternative<GpuWatchTrouble>(*news);
    if (trouble_ && std::exchange(last_trouble_, line) == line)
      return;  // it was told
    if (!trouble_)
      last_trouble_.clear();
    sink_(*news);
  }

  const GpuWatchOptions options_;
  const std::function<void(const GpuNews&)> sink_;
  std::atomic<bool> stopping_{false};
  FileDescriptor stop_;
  FileDescriptor lines_;
  ChildProcess child_;
  bool heard_{false};
  bool trouble_{false};
  std::string last_trouble_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace

std::unique_ptr<GpuWatch> watch_gpus(GpuWatchOptions options,
                                     std::function<void(const GpuNews&)> sink) {
  return std::make_unique<ProcessGpuWatch>(std::move(options), std::move(sink));
}

}  // namespace fastgpu::exec
