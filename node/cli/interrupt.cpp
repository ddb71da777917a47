#include "node/cli/interrupt.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::cli {
namespace {

constexpr int exit_interrupted = 130;
constexpr int second_press_ms = 3000;
constexpr std::chrono::seconds cancel_limit{10};
/// How long a file that is being written may hold up the end.
constexpr std::chrono::seconds file_limit{1};

bool take_signal(int signals) {
  signalfd_siginfo info{};
  return ::read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

}  // namespace

Interrupts::Interrupts(const Context& context, std::string nothing_done)
    : context_(context), nothing_done_(std::move(nothing_done)) {
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  // Every later thread inherits this: only the signalfd takes the signal.
  pthread_sigmask(SIG_BLOCK, &interrupt, nullptr);
  signals_ = ::signalfd(-1, &interrupt, SFD_CLOEXEC | SFD_NONBLOCK);
  over_ = ::eventfd(0, EFD_CLOEXEC);
  FASTGPU_CHECK(signals_ >= 0 && over_ >= 0, "a signalfd and an eventfd can be made");
  thread_ = std::thread([this] { watch(); });
}

Interrupts::~Interrupts() {
  {
    const std::lock_guard lock(mutex_);
    phase_ = Phase::over;
  }
  const std::uint64_t one = 1;
  static_cast<void>(::write(over_, &one, sizeof one) == sizeof one);
  thread_.join();
  ::close(signals_);
  ::close(over_);
}

void Interrupts::submitting() {
  const std::lock_guard lock(mutex_);
  phase_ = Phase::submitting;
}

void Interrupts::following(std::shared_ptr<client::Connection> connection,
                           std::vector<base::JobId> jobs) {
  const std::lock_guard lock(mutex_);
  phase_ = Phase::following;
  connection_ = std::move(connection);
  jobs_ = std::move(jobs);
}

void Interrupts::ended(bool outputs_to_bring) {
  const std::lock_guard lock(mutex_);
  phase_ = Phase::ended;
  outputs_to_bring_ = outputs_to_bring;
}

void Interrupts::park() const {
  for (;;) {
    ::pause();
  }
}

void Interrupts::watch() {
  std::array<pollfd, 2> events{{{signals_, POLLIN, 0}, {over_, POLLIN, 0}}};
  for (;;) {
    ::poll(events.data(), events.size(), -1);
    if (events[0].revents != 0 && take_signal(signals_)) {
      const std::lock_guard lock(mutex_);  // kept to the end: the main thread says nothing more
      if (phase_ != Phase::over) {
        pressed_ = true;
        leave();
      }
    }
    if (events[1].revents != 0) {
      return;
    }
  }
}

void Interrupts::leave() {
  say_what_goes_on();
  if (phase_ == Phase::following && pressed_again()) {
    cancel_all();
  }
  if (context_.format() == Format::json || context_.format() == Format::jsonl) {
    context_.print(json_detached(jobs_, cancelled_, context_.stamp()));
  }
  const std::unique_lock whole(file_, file_limit);
  std::_Exit(exit_interrupted);
}

void Interrupts::say_what_goes_on() const {
  const std::string all = ids();
  switch (phase_) {
    case Phase::nothing_done:
      return context_.tell("\n" + nothing_done_);
    case Phase::submitting:
      return context_.tell(
          "\nInterrupted while the job was being submitted: it may have been accepted, or not.\n"
          "  look  fastgpu ps");
    case Phase::following:
      return context_.tell("\nDetached. Job " + all + " keeps running.\n  follow  fastgpu wait " +
                           all + "      stop  fastgpu cancel " + all +
                           "      (press Ctrl-C again within 3 s to cancel now)");
    case Phase::ended:
      return context_.tell("\nInterrupted. Job " + all + " has ended" +
                           (outputs_to_bring_
                                ? "; not all of its outputs are here.\n  look  fastgpu show " +
                                      all + "      bring  fastgpu cp " + all + ":PATH DEST"
                                : ".\n  look  fastgpu show " + all));
    case Phase::over:
      break;
  }
}

bool Interrupts::pressed_again() const {
  pollfd again{signals_, POLLIN, 0};
  return ::poll(&again, 1, second_press_ms) > 0 && take_signal(signals_);
}

void Interrupts::cancel_all() {
  for (const base::JobId job : jobs_) {
    const auto list = connection_->ask_for<protocol::JobList>(protocol::CancelJob{{}, job},
                                                              client::in(cancel_limit));
    if (list.ok()) {
      cancelled_.push_back(job);
      context_.tell("job " + base::to_string(job) + " is cancelled");
    } else {
      context_.tell("job " + base::to_string(job) +
                    " could not be cancelled: " + list.error().message);
    }
  }
}

std::string Interrupts::ids() const {
  std::string all;
  for (const base::JobId job : jobs_) {
    all += (all.empty() ? "" : " ") + base::to_string(job);
  }
  return all;
}

}  // namespace fastgpu::cli
