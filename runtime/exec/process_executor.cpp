#include "runtime/exec/process_executor.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <new>
#include <thread>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/exec/channel/arena.hpp"
#include "runtime/exec/channel/doorbell.hpp"
#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/channel/task_slot.hpp"
#include "runtime/exec/channel/wire.hpp"
#include "runtime/exec/child_process.hpp"
#include "runtime/exec/fault_text.hpp"

namespace fastgpu::exec {
namespace {

using Clock = std::chrono::steady_clock;
using Submissions = RingWriter<Submission, ring_entries>;
using Completions = RingReader<Completion, ring_entries>;

/// A task that the child has: what is needed to read its result, and to speak of it if it crashes.
struct InFlight {
  TaskToken token;
  std::uint64_t slot_offset;
  SlotPlan plan;
  FaultedTask about;
  int notices{0};  ///< that were heard of it: its kernel is being made, it runs
};

/// The completion's numbers have been checked; the places are the plan's.
ExecutorResult read_result(const Completion& completion, const InFlight& task, const char* slot) {
  ExecutorResult result;
  result.token = task.token;
  result.reason = static_cast<base::FailureReason>(completion.reason);
  result.message.assign(slot + task.plan.message_offset, completion.message_bytes);
  result.printed.assign(slot + task.plan.printed_offset, completion.printed_bytes);
  result.timings = {completion.compile_ns, completion.compile_cached != 0, completion.copy_in_ns,
                    completion.run_ns, completion.copy_out_ns};
  if (result.reason != base::FailureReason::none)
    return result;
  for (const auto& buffer : task.plan.buffers) {
    if (!buffer.is_output)
      continue;
    const auto* data = reinterpret_cast<const std::uint8_t*>(slot + buffer.offset);
    result.outputs.emplace_back(std::vector<std::uint8_t>(data, data + buffer.bytes));
  }
  return result;
}

DeviceKind device_kind_of(std::uint32_t number) {
  const bool known = number <= static_cast<std::uint32_t>(DeviceKind::cuda);
  return known ? static_cast<DeviceKind>(number) : DeviceKind::cpu;
}

class ProcessExecutor final : public Executor {
 public:
  explicit ProcessExecutor(ProcessExecutorOptions options)
      : options_(std::move(options)), child_(options_.send_kill), arena_(options_.arena_bytes) {
    options_.window = std::clamp<std::uint32_t>(options_.window, 1, ring_entries);
  }
  ~ProcessExecutor() override;
  void start(Sink sink) override;
  bool submit(ExecutorTask task) override;
  void kill(const char* why) override;

 private:
  // On the own thread.
  void live();
  base::Status make_memory();
  bool spawn();
  bool await_hello();
  void serve();
  bool drain();
  bool hear_notices();
  bool take_completion(const Completion& completion);
  void deliver_refused();
  std::string end_child();
  bool await_hanging();
  void bury();
  bool charge(TaskToken token, const std::string& how);
  void die_in_vain(const std::string& why);
  void pause_before_restart();
  bool was_killed() {
    std::lock_guard lock(mutex_);
    return !kill_reason_.empty();
  }
  bool asked_to_stop() const { return stop_.load(std::memory_order_acquire); }
  bool wants_attention() {
    return !completions_.empty() || attention_.load(std::memory_order_acquire);
  }

  // Under the mutex.
  void refuse(TaskToken token, base::FailureReason reason, std::string message);
  void forget(std::deque<InFlight>::iterator task);
  std::deque<InFlight>::iterator find(TaskToken token);

  ProcessExecutorOptions options_;
  Sink sink_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> attention_{false};  ///< stop_, refused_ or a kill wants to be looked at

  SharedMemory channel_memory_;
  SharedMemory arena_memory_;
  FileDescriptor executor_bell_;
  FileDescriptor node_bell_;
  Channel* channel_{nullptr};
  std::optional<Doorbell> own_bell_;
  std::optional<Doorbell> child_bell_;
  Completions completions_;
  FileDescriptor control_;
  std::uint32_t deaths_in_row_{0};
  DeviceDescription device_;

  std::mutex mutex_;  ///< guards everything below
  bool ready_{false};
  std::uint64_t lives_{0};  ///< how many children there were
  std::string kill_reason_;
  ChildProcess child_;  ///< by other threads only while ready_
  Arena arena_;
  Submissions submissions_;
  std::deque<InFlight> in_flight_;      ///< in submission order
  std::deque<ExecutorResult> refused_;  ///< ended here, without the child
};

ProcessExecutor::~ProcessExecutor() {
  stop_.store(true, std::memory_order_release);
  attention_.store(true, std::memory_order_release);
  if (!thread_.joinable())
    return;
  if (own_bell_)
    own_bell_->ring_always();
  thread_.join();
}

void ProcessExecutor::start(Sink sink) {
  FASTGPU_CHECK(!thread_.joinable(), "an executor is started once");
  sink_ = std::move(sink);
  const base::Status memory = make_memory();
  thread_ = std::thread([this, memory] {
    if (memory.ok())
      live();
    else
      sink_(ExecutorDied{memory.error().message, {}, std::nullopt});
  });
}

base::Status ProcessExecutor::make_memory() {
  auto channel = SharedMemory::create("fastgpu-channel", sizeof(Channel));
  if (!channel.ok())
    return channel.error();
  auto arena = SharedMemory::create("fastgpu-arena", arena_.size());
  if (!arena.ok())
    return arena.error();
  channel_memory_ = std::move(channel).value();
  arena_memory_ = std::move(arena).value();
  executor_bell_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  node_bell_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!executor_bell_ || !node_bell_)
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::internal,
                       "no eventfd for the executor", ""};
  channel_ = new (channel_memory_.data()) Channel{};
  own_bell_.emplace(&channel_->node.asleep, node_bell_.get());
  child_bell_.emplace(&channel_->executor.asleep, executor_bell_.get());
  completions_ = Completions(&channel_->completions);
  return {};
}

bool ProcessExecutor::submit(ExecutorTask task) {
  FASTGPU_CHECK(static_cast<bool>(task.token), "a task has a token");
  std::unique_lock lock(mutex_);
  if (!ready_ || in_flight_.size() >= options_.window || refused_.size() >= options_.window)
    return false;
  if (task.arguments.size() > base::limits::kernel_arguments_max) {
    refuse(task.token, base::FailureReason::bad_argument,
           "the task has " + std::to_string(task.arguments.size()) + " arguments, the limit is " +
               std::to_string(base::limits::kernel_arguments_max));
    return true;
  }
  auto plan = plan_slot(task);
  if (!plan || plan->bytes > arena_.size()) {
    std::uint64_t bytes = 0;
    for (const auto& argument : task.arguments)
      bytes += argument.kind == ArgumentKind::scratch ? 0 : argument.buffer_bytes();
    refuse(task.token, base::FailureReason::cuda_out_of_memory,
           "the task's source and buffers need " + std::to_string(plan ? plan->bytes : bytes) +
               " bytes of the transfer arena, which has " + std::to_string(arena_.size()));
    return true;
  }
  const auto offset = arena_.take(plan->bytes);
  if (!offset)
    return false;
  const std::uint64_t life = lives_;
  lock.unlock();
  write_slot(task, *plan, arena_memory_.data() + *offset);  // long: inputs may be large
  lock.lock();
  if (!ready_ || life != lives_ || in_flight_.size() >= options_.window) {
    arena_.give_back(*offset, plan->bytes);
    return false;
  }
  const Submission submission{task.token.value, *offset, plan->bytes};
  in_flight_.push_back(
      {task.token, *offset, std::move(*plan), {std::move(task.kernel), task.grid, task.block}, 0});
  const bool pushed = submissions_.push(submission);
  FASTGPU_CHECK(pushed, "there are no more tasks in flight than the ring has entries");
  child_bell_->ring();
  return true;
}

void ProcessExecutor::refuse(TaskToken token, base::FailureReason reason, std::string message) {
  ExecutorResult result;
  result.token = token;
  result.reason = reason;
  result.message = std::move(message);
  refused_.push_back(std::move(result));
  attention_.store(true, std::memory_order_release);
  own_bell_->ring();
}

void ProcessExecutor::kill(const char* why) {
  std::lock_guard lock(mutex_);
  if (!ready_ || !kill_reason_.empty())
    return;
  ready_ = false;
  kill_reason_ = why;
  child_.kill();
  attention_.store(true, std::memory_order_release);
  own_bell_->ring();
}

void ProcessExecutor::live() {
  while (!asked_to_stop()) {
    if (child_.running()) {
      if (!await_hanging())
        continue;
    } else if (spawn() && await_hello()) {
      {
        std::lock_guard lock(mutex_);
        ready_ = true;
      }
      sink_(ExecutorReady{device_});
      serve();
      bury();
    }
    pause_before_restart();
  }
  {
    std::lock_guard lock(mutex_);
    ready_ = false;
  }
  child_.end();
}

bool ProcessExecutor::spawn() {
  channel_ = new (channel_memory_.data()) Channel{};
  channel_->magic = wire_magic;
  channel_->version = wire_version;
  completions_ = Completions(&channel_->completions);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    die_in_vain("no socket for the executor");
    return false;
  }
  control_ = FileDescriptor(ends[0]);
  const FileDescriptor theirs(ends[1]);
  std::vector<std::string> arguments{options_.program,
                                     "--device",
                                     options_.device,
                                     "--threads",
                                     std::to_string(options_.threads),
                                     "--memory",
                                     std::to_string(options_.memory_bytes),
                                     "--cache",
                                     options_.cache_folder,
                                     "--parent",
                                     std::to_string(getpid())};
  if (options_.user)
    arguments.insert(arguments.end(), {"--user", std::to_string(options_.user->user().uid)});
  base::Status started;
  {
    std::lock_guard lock(mutex_);
    kill_reason_.clear();
    ++lives_;
    submissions_ = Submissions(&channel_->submissions);
    started = child_.start(arguments, {{theirs.get(), control_fd},
                                       {channel_memory_.fd(), channel_fd},
                                       {arena_memory_.fd(), arena_fd},
                                       {executor_bell_.get(), executor_bell_fd},
                                       {node_bell_.get(), node_bell_fd}});
  }
  if (!started.ok())
    die_in_vain(started.error().message);
  return started.ok();
}

bool ProcessExecutor::await_hello() {
  const auto deadline = Clock::now() + std::chrono::milliseconds(options_.start_limit_ms);
  ExecutorHello hello{};
  while (!asked_to_stop()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      die_in_vain("not ready after " + std::to_string(options_.start_limit_ms) + " ms");
      return false;
    }
    pollfd control{control_.get(), POLLIN, 0};
    own_bell_->wait([this] { return asked_to_stop(); }, {&control, 1}, static_cast<int>(left));
    if (control.revents == 0)
      continue;
    if (recv(control_.get(), &hello, sizeof hello, MSG_DONTWAIT) != sizeof hello ||
        hello.magic != wire_magic || hello.version != wire_version) {
      die_in_vain("it did not start well");
      return false;
    }
    hello.model[sizeof hello.model - 1] = hello.uuid[sizeof hello.uuid - 1] = '\0';
    hello.walls[sizeof hello.walls - 1] = hello.trouble[sizeof hello.trouble - 1] = '\0';
    if (hello.trouble[0] != '\0') {
      die_in_vain(hello.trouble);
      return false;
    }
    device_ = {device_kind_of(hello.device_kind),
               hello.model,
               hello.memory_bytes,
               hello.uuid,
               hello.threads,
               hello.walls};
    return true;
  }
  return false;
}

/// Until the child is gone, or was ended because it broke the rules, or the stop.
void ProcessExecutor::serve() {
  while (!asked_to_stop()) {
    attention_.store(false, std::memory_order_relaxed);
    deliver_refused();
    if (was_killed())
      return;  // how long it takes to go is for others to wait
    if (!drain()) {
      kill("it wrote what it must not");
      return;
    }
    pollfd others[2] = {{control_.get(), POLLIN, 0}, {child_.pidfd(), POLLIN, 0}};
    own_bell_->wait([this] { return wants_attention() || asked_to_stop(); }, others);
    if (others[1].revents != 0 || (others[0].revents != 0 && !hear_notices()))
      return;
  }
}

/// False when the child is gone. Each of the two is told once, whatever the child says.
bool ProcessExecutor::hear_notices() {
  for (;;) {
    KernelNotice notice{};
    const ssize_t got = recv(control_.get(), &notice, sizeof notice, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return true;
    if (got != sizeof notice || notice.magic != wire_magic)
      return false;
    const int place = notice.running != 0 ? 1 : 0;
    {
      std::lock_guard lock(mutex_);
      const auto task = find({notice.token});
      if (task == in_flight_.end() || task->notices != place)
        continue;
      ++task->notices;
    }
    sink_(ExecutorMaking{{notice.token}, place == 1});
  }
}

void ProcessExecutor::deliver_refused() {
  std::deque<ExecutorResult> refused;
  {
    std::lock_guard lock(mutex_);
    refused.swap(refused_);
  }
  for (auto& result : refused)
    sink_(ExecutorDone{std::move(result)});
}

/// False when the child has written something impossible.
bool ProcessExecutor::drain() {
  Completion completion;
  while (completions_.pop(completion))
    if (!take_completion(completion))
      return false;
  return !completions_.broken();
}

bool ProcessExecutor::take_completion(const Completion& completion) {
  if (completion.compile_cached == 0 && completion.compile_ns != 0)
    hear_notices();  // they were sent before
  InFlight task;
  {
    std::lock_guard lock(mutex_);
    const auto found = find({completion.token});
    if (found == in_flight_.end() || completion.message_bytes > message_bytes_max ||
        completion.printed_bytes > printed_bytes_max ||
        completion.reason > static_cast<std::uint32_t>(base::failure_reason_last))
      return false;
    task = std::move(*found);
    in_flight_.erase(found);
  }
  const ExecutorDone done{read_result(completion, task, arena_memory_.data() + task.slot_offset)};
  {
    std::lock_guard lock(mutex_);
    arena_.give_back(task.slot_offset, task.plan.bytes);
  }
  deaths_in_row_ = 0;
  sink_(done);
  return true;
}

std::deque<InFlight>::iterator ProcessExecutor::find(TaskToken token) {
  return std::find_if(in_flight_.begin(), in_flight_.end(),
                      [token](const InFlight& task) { return task.token == token; });
}

void ProcessExecutor::forget(std::deque<InFlight>::iterator task) {
  arena_.give_back(task->slot_offset, task->plan.bytes);
  in_flight_.erase(task);
}

std::string ProcessExecutor::end_child() {
  if (const auto how = child_.end_within(std::chrono::milliseconds(options_.end_limit_ms)))
    return *how;
  return "process " + std::to_string(child_.pid()) + " was killed and does not end";
}

/// Of a child that was told as dead and is not gone. True once it is.
bool ProcessExecutor::await_hanging() {
  pollfd gone{child_.pidfd(), POLLIN, 0};
  own_bell_->wait([this] { return asked_to_stop(); }, {&gone, 1},
                  static_cast<int>(options_.restart_pause_max_ms));
  if (child_.end_within({}))
    return true;
  if (!asked_to_stop())
    sink_(ExecutorDied{"the executor cannot start: the process before it, " +
                           std::to_string(child_.pid()) + ", hangs in the host's kernel",
                       {},
                       std::nullopt});
  return false;
}

/// The child is gone, or goes now: delivers what it had finished, charges the task that crashed it,
/// and hands all others back.
void ProcessExecutor::bury() {
  ExecutorDied died;
  std::string why;
  {
    std::lock_guard lock(mutex_);
    ready_ = false;
    why = kill_reason_;
  }
  died.reason = end_child();
  control_.reset();
  if (asked_to_stop())
    return;
  deliver_refused();
  drain();
  const bool faulted = channel_->fault.complete.load(std::memory_order_acquire) != 0;
  const TaskToken running{channel_->running.load(std::memory_order_acquire)};
  const bool hangs = child_.running();
  if (!why.empty())
    died.reason = "killed: " + why + (hangs ? "; " + died.reason : "");
  else if (faulted) {
    // A GPU that is lost or damaged takes the process with it: that is no proof against a kernel.
    const bool by_kernel =
        describe_fault(channel_->fault, {}).reason != base::FailureReason::device_lost;
    died.charged = charge({channel_->fault.token}, died.reason);
    died.proven = died.charged && by_kernel;
  } else if (!hangs && child_.signal() != SIGKILL) {
    // That one comes from outside: an operator, lack of memory.
    died.charged = charge(running, died.reason);
  }
  {
    std::lock_guard lock(mutex_);
    for (const auto& task : in_flight_) {
      died.in_flight.push_back(task.token);
      if (task.token == running)
        died.running = running;
    }
    while (!in_flight_.empty())
      forget(in_flight_.begin());
    // A kernel's fault and a kill say nothing against the executor itself.
    deaths_in_row_ = faulted || !why.empty() ? 0 : deaths_in_row_ + 1;
  }
  sink_(died);
}

/// The task whose kernel ended the child, if it is one of ours, ends with it.
bool ProcessExecutor::charge(TaskToken token, const std::string& how) {
  ExecutorDone done;
  {
    std::lock_guard lock(mutex_);
    const auto task = find(token);
    if (task == in_flight_.end())
      return false;
    FaultText text = describe_fault(channel_->fault, task->about);
    done.result.token = task->token;
    done.result.reason = text.reason;
    done.result.message = std::move(text.message) + " (" + how + ")";
    forget(task);
  }
  sink_(done);
  return true;
}

/// A child that never became ready.
void ProcessExecutor::die_in_vain(const std::string& why) {
  const std::string how = end_child();
  control_.reset();
  ++deaths_in_row_;
  if (!asked_to_stop())
    sink_(ExecutorDied{"the executor cannot start: " + why + " (" + how + ")", {}, std::nullopt});
}

void ProcessExecutor::pause_before_restart() {
  if (deaths_in_row_ == 0)
    return;
  const std::uint64_t doubled = std::uint64_t{options_.restart_pause_ms}
                                << std::min(deaths_in_row_ - 1, 20u);
  const auto pause =
      std::chrono::milliseconds(std::min<std::uint64_t>(doubled, options_.restart_pause_max_ms));
  const auto until = Clock::now() + pause;
  while (!asked_to_stop() && Clock::now() < until) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count() + 1;
    own_bell_->wait([this] { return asked_to_stop(); }, {}, static_cast<int>(left));
  }
}

}  // namespace

std::unique_ptr<Executor> make_process_executor(ProcessExecutorOptions options) {
  return std::make_unique<ProcessExecutor>(std::move(options));
}

}  // namespace fastgpu::exec
