#include "tests/support/fake_cuda/fake_device.hpp"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "runtime/exec/cpu/run/context.hpp"
#include "runtime/exec/cpu/run/fault_handler.hpp"
#include "tests/support/fake_cuda/knobs.hpp"

namespace fastgpu::testing {
namespace {

namespace cuda = exec::cuda;
using cuda::Code;

constexpr std::size_t printed_bytes_max = 1u << 20;
constexpr unsigned char garbage = 0xa5;

thread_local sigjmp_buf* way_out = nullptr;

extern "C" void leave_kernel(int signal) {
  if (way_out == nullptr) {  // not a kernel's: the program's own end
    ::signal(signal, SIG_DFL);
    raise(signal);
    return;
  }
  siglongjmp(*way_out, signal);
}

Code code_of(int signal) {
  return signal == SIGABRT  ? cuda::assert_failed
         : signal == SIGFPE ? cuda::launch_failed
         : signal == SIGILL ? cuda::illegal_instruction
                            : cuda::illegal_address;
}

/// As the real one does, for each thread; the condition and the place are lost on the way here.
void tell_failed_assert() {
  std::fputs(
      "job.cu:5: void k(int *, int): block: [3,0,0], thread: [132,0,0] "
      "Assertion `as faked` failed.\n",
      stderr);
}

[[noreturn]] void hang() {
  for (;;) {
    pause();
  }
}

}  // namespace

FakeDevice& FakeDevice::instance() {
  static auto* device = new FakeDevice;
  return *device;
}

FakeDevice::FakeDevice() : thread_([this] { serve(); }) {
  thread_.detach();
  struct sigaction action {};
  action.sa_handler = leave_kernel;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    sigaction(signal, &action, nullptr);
  }
}

void FakeDevice::serve() {
  exec::give_thread_signal_stack();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !queue_.empty(); });
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    if (sticky() == cuda::success) {
      work();
    }
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void FakeDevice::enqueue(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  changed_.notify_all();
}

void FakeDevice::enqueue_launch(std::shared_ptr<exec::Module> module, exec::LaunchShape shape,
                                std::vector<std::vector<char>> arguments) {
  const std::uint64_t number = ++launches_;
  enqueue([this, module = std::move(module), shape, number, arguments]() mutable {
    const auto failing = knob_words("fail_launch");
    if (failing.size() == 2 && std::stoull(failing[0]) == number) {
      fail(std::stoi(failing[1]));
      return;
    }
    if (knob("hang_launch", 0) == number) {
      hang();
    }
    if (const std::uint64_t delay = knob("delay_ms", 0); delay > 0) {
      poll(nullptr, 0, static_cast<int>(delay));
    }
    run(*module, shape, arguments);
  });
}

void FakeDevice::run(const exec::Module& module, const exec::LaunchShape& shape,
                     std::vector<std::vector<char>>& arguments) {
  std::vector<void*> pointers;
  for (auto& argument : arguments) {
    pointers.push_back(argument.data());
  }
  std::string text(printed_bytes_max, '\0');
  exec::set_print_target(text.data(), text.size());
  sigjmp_buf out;
  if (const int signal = sigsetjmp(out, 1); signal != 0) {
    way_out = nullptr;
    if (signal == SIGABRT) {
      tell_failed_assert();
    }
    fail(code_of(signal));
    return;
  }
  way_out = &out;
  const exec::LaunchEnd end = launcher_.run(module, shape, pointers.data());
  way_out = nullptr;
  if (end.reason != base::FailureReason::none) {
    hang();  // a barrier that is never reached: a GPU waits for it
  }
  const std::lock_guard lock(mutex_);
  printed_.append(text.data(), exec::printed_bytes());
}

Code FakeDevice::synchronise() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.empty() && !busy_; });
  std::fwrite(printed_.data(), 1, printed_.size(), stdout);
  printed_.clear();
  return sticky();
}

Code FakeDevice::allocate(std::size_t bytes, std::size_t pool_bytes_max, std::uint64_t& pointer) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t limit =
      std::min<std::uint64_t>(knob("out_of_memory", ~0ull), knob("memory", 1ull << 30));
  if (used_bytes_ + bytes > std::min<std::uint64_t>(limit, pool_bytes_max)) {
    return cuda::out_of_memory;
  }
  exec::GuardedBuffer buffer;
  if (!pool_.take(bytes, buffer)) {
    return cuda::out_of_memory;
  }
  std::memset(buffer.begin(), garbage, bytes);
  pointer = reinterpret_cast<std::uint64_t>(buffer.begin());
  used_bytes_ += bytes;
  memory_.emplace(pointer, buffer);
  return cuda::success;
}

void FakeDevice::release(std::uint64_t pointer) {
  const std::lock_guard lock(mutex_);
  const auto found = memory_.find(pointer);
  if (found == memory_.end()) {
    return;
  }
  used_bytes_ -= found->second.size();
  pool_.give_back(found->second);
  memory_.erase(found);
}

std::uint64_t FakeDevice::used_bytes() {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

bool FakeDevice::contains(std::uint64_t pointer, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto after = memory_.upper_bound(pointer);
  if (after == memory_.begin()) {
    return false;
  }
  const auto& [begin, buffer] = *std::prev(after);
  return pointer - begin <= buffer.size() && bytes <= buffer.size() - (pointer - begin);
}

}  // namespace fastgpu::testing
