#include "runtime/exec/warden/process_runner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/exec/child_process.hpp"
#include "runtime/exec/warden/command_environment.hpp"
#include "runtime/exec/warden/command_outputs.hpp"
#include "runtime/exec/warden/warden_link.hpp"

namespace fastgpu::exec {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using base::FailureReason;

constexpr Milliseconds sweep_patience{500};
constexpr Milliseconds end_patience{5000};

/// A command that the warden has; its pipes wait here for the thread.
struct InFlight {
  FileDescriptor standard_output;
  FileDescriptor standard_error;
  std::uint64_t log_bytes_max;
  bool stopping{false};
};

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

/// The write end blocks as programs expect; the read end never does.
std::optional<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return std::nullopt;
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// What the warden cannot be told of; empty if it can.
std::string fault_of(const CommandTask& task, std::size_t bytes) {
  const auto has_zero = [](const std::string& text) {
    return text.find('\0') != std::string::npos;
  };
  if (std::any_of(task.argv.begin(), task.argv.end(), has_zero) || has_zero(task.folder) ||
      has_zero(task.cwd))
    return "an argument of the command has a zero byte";
  for (const auto& [name, value] : task.env)
    if (name.empty() || name.find('=') != std::string::npos || has_zero(name) || has_zero(value))
      return "'" + name.substr(0, 100) + "' cannot be a variable of the environment";
  if (bytes > base::limits::command_text_bytes_max)
    return "the command's words and environment have " + std::to_string(bytes) +
           " bytes, the limit is " + std::to_string(base::limits::command_text_bytes_max);
  return "";
}

RunMessage message_of(const CommandTask& task, const std::string& user) {
  RunMessage run{task.token,
                 task.time_limit_ns,
                 task.host_memory_bytes,
                 task.output_bytes_max,
                 task.lease_until.time_since_epoch().count(),
                 task.network,
                 task.folder,
                 task.cwd,
                 task.argv,
                 {},
                 task.hidden_folders,
                 task.device_files,
                 task.device_memory_bytes};
  Environment env = task.env;
  add_default_variables(env, task.folder, user);
  for (const auto& [name, value] : env)
    if (name != marker_variable)
      run.env.push_back(name + "=" + value);
  return run;
}

std::size_t text_bytes(const RunMessage& run) {
  std::size_t bytes = run.folder.size() + run.cwd.size();
  for (const auto* list : {&run.argv, &run.env, &run.hidden_folders, &run.device_files})
    for (const auto& text : *list)
      bytes += text.size() + sizeof(std::uint32_t);
  return bytes;
}

class ProcessRunner final : public CommandRunner {
 public:
  explicit ProcessRunner(ProcessRunnerOptions options)
      : options_(std::move(options)),
        user_name_(user_name(options_.user)),
        outputs_([this](CommandOutput output) { sink_(std::move(output)); }) {
    options_.window = std::clamp<std::uint32_t>(
        options_.window, 1, static_cast<std::uint32_t>(base::limits::commands_in_flight_max));
  }
  ~ProcessRunner() override;
  void start(Sink sink) override;
  bool run(CommandTask task) override;
  void stop(CommandToken token, const std::string& why) override;
  void extend_lease(CommandToken token, base::Time until) override;
  void note_gpu_use(const std::vector<GpuProcess>& processes) override;

 private:
  // On the own thread.
  void live();
  bool sweep();
  bool spawn();
  bool await_hello();
  void serve();
  bool read_answers();
  void began(const StartedMessage& started);
  void ended(CommandEnded ended);
  void deliver_refused();
  void bury();
  void end_in_order();
  void die_in_vain(const std::string& why);
  void pause(Milliseconds pause);
  bool wait(pollfd control, Milliseconds at_most);
  void silence();
  Milliseconds until_next_read() const;
  bool asked_to_stop() const { return stop_.load(std::memory_order_acquire); }

  // From any thread.
  void wake();
  // Under the mutex.
  void refuse(CommandToken token, FailureReason reason, std::string message);

  ProcessRunnerOptions options_;
  const std::string user_name_;
  Sink sink_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  FileDescriptor bell_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  CommandOutputs outputs_;
  ChildProcess child_;
  std::string marker_;
  std::string protection_;
  std::uint32_t deaths_in_row_{0};

  std::mutex mutex_;  ///< guards everything below
  bool ready_{false};
  WardenLink link_;
  std::map<CommandToken, InFlight> in_flight_;
  std::vector<CommandEnded> refused_;  ///< ended here, without the warden
};

ProcessRunner::~ProcessRunner() {
  stop_.store(true, std::memory_order_release);
  wake();
  if (thread_.joinable())
    thread_.join();
}

void ProcessRunner::start(Sink sink) {
  FASTGPU_CHECK(!thread_.joinable(), "a runner is started once");
  sink_ = std::move(sink);
  thread_ = std::thread([this] { live(); });
}

void ProcessRunner::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(bell_.get(), &one, sizeof one);
}

bool ProcessRunner::run(CommandTask task) {
  FASTGPU_CHECK(task.token.value != 0 && task.token.value >> 63 == 0, "a command has a token");
  RunMessage message = message_of(task, user_name_);
  const std::string fault = fault_of(task, text_bytes(message));
  std::lock_guard lock(mutex_);
  if (!ready_ || in_flight_.size() + refused_.size() >= options_.window)
    return false;
  auto output = make_pipe();
  auto error = make_pipe();
  if (!fault.empty()) {
    refuse(task.token, FailureReason::bad_argument, fault);
    return true;
  }
  if (!output || !error) {
    refuse(task.token, FailureReason::staging_failed,
           std::string("no pipes for a command: ") + std::strerror(errno));
    return true;
  }
  std::vector<FileDescriptor> files;
  files.push_back(std::move(output->write_end));
  files.push_back(std::move(error->write_end));
  in_flight_.emplace(task.token, InFlight{std::move(output->read_end), std::move(error->read_end),
                                          task.log_bytes_max});
  link_.send(std::move(message), std::move(files));
  if (link_.has_unsent())
    wake();
  return true;
}

void ProcessRunner::stop(CommandToken token, const std::string& why) {
  std::lock_guard lock(mutex_);
  const auto found = in_flight_.find(token);
  if (found == in_flight_.end() || std::exchange(found->second.stopping, true))
    return;
  link_.send(StopMessage{token, why.substr(0, why.find('\0'))}, {});
  if (link_.has_unsent())
    wake();
}

void ProcessRunner::extend_lease(CommandToken token, base::Time until) {
  std::lock_guard lock(mutex_);
  if (!in_flight_.contains(token))
    return;
  link_.send_lease({token, until.time_since_epoch().count()});
  if (link_.has_unsent())
    wake();
}

void ProcessRunner::note_gpu_use(const std::vector<GpuProcess>& processes) {
  GpuUseMessage use{processes};
  std::erase_if(use.processes, [](const GpuProcess& one) { return !one.memory_bytes; });
  use.processes.resize(std::min(use.processes.size(), GpuProcesses::count_max));
  std::lock_guard lock(mutex_);
  if (!ready_ || in_flight_.empty() || link_.has_unsent())
    return;
  link_.send(std::move(use), {});
  if (link_.has_unsent())
    wake();
}

void ProcessRunner::refuse(CommandToken token, FailureReason reason, std::string message) {
  CommandEnded ended;
  ended.token = token;
  ended.reason = reason;
  ended.message = std::move(message);
  ended.protection = protection_;
  refused_.push_back(std::move(ended));
  wake();
}

void ProcessRunner::live() {
  while (!asked_to_stop()) {
    if (sweep() && spawn() && await_hello()) {
      deaths_in_row_ = 0;
      {
        std::lock_guard lock(mutex_);
        ready_ = true;
      }
      sink_(WardenReady{protection_});
      serve();
      if (!asked_to_stop())
        bury();
    }
    if (deaths_in_row_ != 0)
      pause(Milliseconds(std::min<std::uint64_t>(
          std::uint64_t{options_.restart_pause_ms} << std::min(deaths_in_row_ - 1, 20u),
          options_.restart_pause_max_ms)));
  }
  end_in_order();
}

/// Nothing of earlier wardens of the data folder may be left when a new one begins.
bool ProcessRunner::sweep() {
  if (marker_.empty()) {
    auto marker = marker_of(options_.data_folder);
    if (!marker.ok()) {
      die_in_vain(marker.error().message);
      return false;
    }
    marker_ = std::move(marker).value();
    if (options_.data_folder.empty())
      return true;  // nobody had this marker before
  }
  const Sweep swept = options_.sweep(marker_, sweep_patience);
  if (!swept.proven())
    die_in_vain(swept.obstacle());
  return swept.proven();
}

bool ProcessRunner::spawn() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    die_in_vain("no socket for the warden");
    return false;
  }
  const FileDescriptor theirs(ends[1]);
  {
    std::lock_guard lock(mutex_);
    link_.open(FileDescriptor(ends[0]));
  }
  std::vector<std::string> words{options_.program, "--warden", "--marker", marker_};
  const std::pair<const char*, std::string> flags[] = {
      {"--sandbox", options_.sandbox},
      {"--tmp-bytes", std::to_string(options_.tmp_bytes)},
      {"--grace-ms", std::to_string(options_.grace_ms)},
      {"--processes", std::to_string(options_.processes_max)},
      {"--parent", std::to_string(getpid())}};
  for (const auto& [name, value] : flags)
    words.insert(words.end(), {name, value});
  for (const auto& folder : options_.writable_folders)
    words.insert(words.end(), {"--writable", folder});
  std::vector<ChildProcess::Inherited> files{{theirs.get(), warden_control_fd}};
  if (options_.user) {
    words.insert(words.end(), {"--user", std::to_string(options_.user->user().uid)});
    files.push_back({options_.user->lock(), warden_claim_fd});
  }
  const base::Status started = child_.start(words, files);
  if (!started.ok())
    die_in_vain(started.error().message);
  return started.ok();
}

bool ProcessRunner::await_hello() {
  const auto deadline = Clock::now() + Milliseconds(options_.start_limit_ms);
  while (!asked_to_stop()) {
    bool gone = false;
    std::optional<WardenMessage> message;
    {
      std::lock_guard lock(mutex_);
      message = link_.receive(gone);
    }
    const auto* hello = message ? std::get_if<HelloMessage>(&*message) : nullptr;
    if (hello != nullptr && hello->error.empty()) {
      protection_ = hello->protection;
      return true;
    }
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline - Clock::now());
    if (gone || message || left.count() <= 0) {
      die_in_vain(hello != nullptr ? hello->error
                  : gone           ? "it did not start well"
                         : "not ready after " + std::to_string(options_.start_limit_ms) + " ms");
      return false;
    }
    wait({link_.fd(), POLLIN, 0}, left);
  }
  return false;
}

/// Until the warden is gone, or broke the rules, or the stop.
void ProcessRunner::serve() {
  bool outputs_readable = false;
  while (!asked_to_stop()) {
    deliver_refused();
    if (!read_answers())
      return;
    outputs_.read_ready(outputs_readable);
    short events = POLLIN;
    {
      std::lock_guard lock(mutex_);
      link_.flush();
      if (link_.has_unsent())
        events |= POLLOUT;
    }
    outputs_readable = wait({link_.fd(), events, 0}, until_next_read());
  }
}

/// Everything that the warden has said; false when it is gone.
bool ProcessRunner::read_answers() {
  for (;;) {
    bool gone = false;
    std::optional<WardenMessage> message;
    {
      std::lock_guard lock(mutex_);
      message = link_.receive(gone);
    }
    if (!message)
      return !gone;
    if (auto* started = std::get_if<StartedMessage>(&*message))
      began(*started);
    else if (auto* end = std::get_if<EndedMessage>(&*message))
      ended(std::move(end->ended));
  }
}

void ProcessRunner::began(const StartedMessage& started) {
  {
    std::lock_guard lock(mutex_);
    const auto found = in_flight_.find(started.token);
    if (found == in_flight_.end())
      return;
    outputs_.add(started.token, std::move(found->second.standard_output),
                 std::move(found->second.standard_error), found->second.log_bytes_max);
  }
  sink_(CommandStarted{started.token, started.protection});
}

void ProcessRunner::ended(CommandEnded ended) {
  {
    std::lock_guard lock(mutex_);
    if (!in_flight_.contains(ended.token))
      return;
  }
  ended.dropped_log_bytes = outputs_.finish(ended.token);
  {
    std::lock_guard lock(mutex_);
    in_flight_.erase(ended.token);
  }
  sink_(std::move(ended));
}

void ProcessRunner::deliver_refused() {
  std::vector<CommandEnded> refused;
  {
    std::lock_guard lock(mutex_);
    refused.swap(refused_);
  }
  for (auto& one : refused)
    sink_(std::move(one));
}

/// The warden is gone: proves that its commands are, and hands them all back.
void ProcessRunner::bury() {
  WardenDied died;
  {
    std::lock_guard lock(mutex_);
    ready_ = false;
    link_.close();
  }
  deliver_refused();
  died.reason = child_.end();
  Sweep swept = options_.sweep(marker_, sweep_patience);
  for (std::string told; !swept.proven() && !asked_to_stop();) {
    if (const std::string obstacle = swept.obstacle(); obstacle != told) {
      told = obstacle;
      sink_(WardenAway{died.reason + "; " + obstacle});
    }
    pause(sweep_patience);
    swept = options_.sweep(marker_, sweep_patience);
  }
  if (asked_to_stop())
    return;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [token, command] : in_flight_)
      died.in_flight.push_back(token);
    in_flight_.clear();
  }
  for (const CommandToken token : died.in_flight)
    outputs_.finish(token);
  ++deaths_in_row_;
  sink_(died);
}

/// The warden sees the socket close, kills all and exits; what it leaves undone is swept.
void ProcessRunner::end_in_order() {
  {
    std::lock_guard lock(mutex_);
    ready_ = false;
    link_.close();
  }
  if (!child_.running())
    return;
  pollfd exited{child_.pidfd(), POLLIN, 0};
  const bool by_itself = poll(&exited, 1, static_cast<int>(end_patience.count())) > 0;
  child_.end();
  if (!by_itself || child_.exit_code() != 0)
    options_.sweep(marker_, sweep_patience);
}

/// A warden that never became ready: it had no commands.
void ProcessRunner::die_in_vain(const std::string& why) {
  const bool was_there = child_.running();
  const std::string how = child_.end();
  {
    std::lock_guard lock(mutex_);
    link_.close();
  }
  ++deaths_in_row_;
  if (!asked_to_stop())
    sink_(WardenDied{"cannot start: " + why + (was_there ? " (" + how + ")" : ""), {}});
}

Milliseconds ProcessRunner::until_next_read() const {
  const auto next = outputs_.next_read();
  if (next == Clock::time_point::max())
    return Milliseconds(-1);
  const auto left = std::chrono::ceil<Milliseconds>(next - Clock::now());
  return std::max(left, Milliseconds(0));
}

/// Until the bell, an output, the socket, the warden's end, or the time; negative: for ever. True
/// if there is an output.
bool ProcessRunner::wait(pollfd control, Milliseconds at_most) {
  pollfd files[4] = {
      control, {child_.pidfd(), POLLIN, 0}, {bell_.get(), POLLIN, 0}, {outputs_.fd(), POLLIN, 0}};
  poll(files, 4, static_cast<int>(at_most.count()));
  if (files[2].revents != 0)
    silence();
  return files[3].revents != 0;
}

void ProcessRunner::pause(Milliseconds pause) {
  const auto until = Clock::now() + pause;
  while (!asked_to_stop()) {
    const auto left = std::chrono::ceil<Milliseconds>(until - Clock::now());
    if (left.count() <= 0)
      return;
    pollfd bell{bell_.get(), POLLIN, 0};
    poll(&bell, 1, static_cast<int>(left.count()));
    silence();
  }
}

void ProcessRunner::silence() {
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t got = read(bell_.get(), &rings, sizeof rings);
}

}  // namespace

std::unique_ptr<CommandRunner> make_process_runner(ProcessRunnerOptions options) {
  return std::make_unique<ProcessRunner>(std::move(options));
}

}  // namespace fastgpu::exec
