#include "runtime/exec/warden/child/warden_loop.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>

#include "runtime/base/limits.hpp"
#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/warden/child/command_tree.hpp"
#include "runtime/exec/warden/child/confinement.hpp"
#include "runtime/exec/warden/child/keeper.hpp"
#include "runtime/exec/warden/child/launch.hpp"
#include "runtime/exec/warden/child/starting.hpp"
#include "runtime/exec/warden/leftovers.hpp"
#include "runtime/exec/warden/text.hpp"
#include "runtime/exec/warden/wire.hpp"

namespace fastgpu::exec {
namespace {

constexpr int exit_good = 0;
constexpr int exit_wire = 3;
constexpr std::size_t messages_at_once_max = 64;
constexpr std::size_t folder_entries_at_once_max = 2000;
constexpr auto start_told_after = std::chrono::milliseconds(1);
constexpr auto kill_pause_min = std::chrono::milliseconds(1);
constexpr auto kill_pause_max = std::chrono::milliseconds(20);
constexpr std::size_t keeper_report_bytes_max = 1024;
constexpr int folder_cost_factor = 20;  ///< looking takes at most a twentieth of the time

base::Time now() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return base::Time(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

std::int64_t nanoseconds_of(const timeval& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1000;
}

std::int64_t cpu_of(const rusage& usage) {
  return nanoseconds_of(usage.ru_utime) + nanoseconds_of(usage.ru_stime);
}

std::uint64_t folder_bytes(const std::string& folder) {
  FolderMeter meter(folder);
  while (!meter.step(folder_entries_at_once_max)) {
  }
  return meter.bytes();
}

/// A command that runs, or of which something is left.
struct Command {
  Command(RunMessage message, const CommandBounds& bounds, CommandTree processes, base::Time time)
      : task(std::move(message)),
        watch(bounds, time),
        tree(std::move(processes)),
        meter(task.folder) {}

  /// Looks at a part of its folder; true when it has seen all of it.
  bool measure_folder() {
    const bool complete = meter.step(folder_entries_at_once_max);
    watch.note_files(meter.entries());
    if (complete && meter.bytes() > folder_bytes_before)
      watch.note_folder(meter.bytes() - folder_bytes_before);
    return complete;
  }
  bool is_measured() const { return measuring_end_ && !measured_; }
  /// After its last process: what the looks between missed. A part in each turn of the loop.
  bool measured_to_the_end() {
    if (task.output_bytes_max == 0 || measured_)
      return true;
    if (!std::exchange(measuring_end_, true))
      meter.restart();
    measured_ = measure_folder();
    return measured_;
  }

  RunMessage task;
  CommandWatch watch;
  CommandTree tree;
  FolderMeter meter;
  FileDescriptor keeper_report;  ///< a pipe, if there is a keeper
  std::uint64_t folder_bytes_before{0};
  std::int64_t cpu_ns{0};
  std::uint64_t largest_process_bytes{0};
  base::Duration memory_pause{base::limits::command_memory_interval};
  base::Time look_at_memory;
  base::Time look_at_folder{base::Time::max()};
  base::Time kill_again{base::Time::max()};
  base::Duration kill_pause{kill_pause_min};

 private:
  bool measuring_end_{false};
  bool measured_{false};
};

class Warden {
 public:
  explicit Warden(const WardenOptions& options) : options_(options) {}

  int run();

 private:
  bool prepare();
  void receive();
  void take(std::vector<std::uint8_t>& packet, std::vector<FileDescriptor>& files);
  void begin(RunMessage task, std::vector<FileDescriptor>& files);
  void refuse(const RunMessage& task, const Refusal& refusal);
  void note_gpu_use(const GpuUseMessage& use);
  void reap();
  void reaped_program(Command& command, int status, const rusage& usage);
  void look_after(Command& command, base::Time time);
  void measure(Command& command, base::Time time);
  void measure_folder(Command& command, base::Time time);
  void finish(Command& command);
  void kill_strays();
  void abandon();
  void say(const WardenMessage& message);
  void flush();
  void sleep();
  void arm(base::Time next);
  Command* find(CommandToken token);
  const std::vector<pid_t>& orphans();

  WardenOptions options_;
  std::optional<Confinement> confinement_;
  FileDescriptor control_{warden_control_fd};
  FileDescriptor signals_;
  FileDescriptor timer_;
  FileDescriptor null_;
  std::vector<std::unique_ptr<Command>> commands_;
  std::deque<std::vector<std::uint8_t>> unsent_;
  std::uint32_t commands_begun_{0};
  bool ending_{false};
  int exit_code_{exit_good};
  bool signalled_{true};  ///< of the last sleep: a child ended, or this process is ended
  bool readable_{true};   ///< of the last sleep: the node has said something
  base::Time armed_{base::Time::max()};        ///< when the timer wakes
  base::Time answer_at_{base::Time::max()};    ///< when what waits for company is sent
  std::optional<std::vector<pid_t>> orphans_;  ///< of this turn of the loop
  std::vector<std::uint8_t> packet_ = std::vector<std::uint8_t>(warden_packet_bytes_max());
};

int Warden::run() {
  if (!prepare())
    return exit_wire;
  for (;;) {
    orphans_.reset();
    if (signalled_)
      reap();
    if (readable_ && !ending_)
      receive();
    const base::Time time = now();
    for (const auto& command : commands_)
      look_after(*command, time);
    std::erase_if(commands_, [this](const auto& command) {
      if (!command->watch.program_ended() || !command->tree.gone(orphans()) ||
          !(ending_ || command->measured_to_the_end()))
        return false;
      finish(*command);
      return true;
    });
    flush();
    if (ending_ && commands_.empty()) {
      kill_strays();
      if (waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD)
        return exit_code_;  // the kernel's word that no child is left
    }
    sleep();
  }
}

bool Warden::prepare() {
  fcntl(control_.get(), F_SETFD, FD_CLOEXEC);
  fcntl(warden_claim_fd, F_SETFD, FD_CLOEXEC);  // if it is there
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  setsid();  // a terminal's interrupt is for the node, which drains
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP})
    sigaddset(&watched, signal);
  sigprocmask(SIG_BLOCK, &watched, nullptr);
  signals_ = FileDescriptor(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  timer_ = FileDescriptor(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  null_ = FileDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC));
  auto chosen = Confinement::choose(options_.confinement);
  if (chosen.ok())
    confinement_ = std::move(chosen).value();
  say(chosen.ok() ? HelloMessage{confinement_->protection(), ""}
                  : HelloMessage{"", chosen.error().message});
  flush();
  return chosen.ok() && signals_ && timer_ && null_;
}

/// Everything that is there, up to a bound; the rest waits for the next turn.
void Warden::receive() {
  for (std::size_t i = 0; i < messages_at_once_max && !ending_; ++i) {
    alignas(cmsghdr) char room[CMSG_SPACE(2 * sizeof(int))];
    iovec piece{packet_.data(), packet_.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    const ssize_t got = recvmsg(control_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    std::vector<FileDescriptor> files;
    for (cmsghdr* at = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr; at != nullptr;
         at = CMSG_NXTHDR(&message, at)) {
      const std::size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t j = 0; at->cmsg_type == SCM_RIGHTS && j < count; ++j) {
        int file = -1;
        std::memcpy(&file, CMSG_DATA(at) + j * sizeof file, sizeof file);
        files.emplace_back(file);
      }
    }
    if (got <= 0)
      return abandon();  // the node is gone
    std::vector<std::uint8_t> packet(packet_.begin(), packet_.begin() + got);
    take(packet, files);
  }
}

void Warden::take(std::vector<std::uint8_t>& packet, std::vector<FileDescriptor>& files) {
  auto message = decode_node_message(packet);
  auto* run = message ? std::get_if<RunMessage>(&*message) : nullptr;
  if (!message || (run != nullptr && files.size() != 2)) {
    exit_code_ = exit_wire;
    return abandon();
  }
  if (run != nullptr)
    return begin(std::move(*run), files);
  if (const auto* stop = std::get_if<StopMessage>(&*message)) {
    if (Command* command = find(stop->token))
      command->watch.stop(stop->why, now());
  } else if (const auto* lease = std::get_if<LeaseMessage>(&*message)) {
    if (Command* command = find(lease->token))
      command->watch.extend_lease(base::Time(base::Duration(lease->until_ns)));
  } else if (const auto* use = std::get_if<GpuUseMessage>(&*message)) {
    note_gpu_use(*use);
  }
}

void Warden::note_gpu_use(const GpuUseMessage& use) {
  for (const auto& command : commands_)
    if (command->task.device_memory_bytes != 0 && !command->watch.program_ended())
      command->watch.note_device_memory(
          command->tree.device_memory_bytes(orphans(), use.processes));
}

void Warden::begin(RunMessage task, std::vector<FileDescriptor>& files) {
  const base::Time time = now();
  Starting starting{task, *confinement_, time, commands_.size()};
  if (auto refusal = make_ready(starting))
    return refuse(task, *refusal);
  std::uint64_t folder_bytes_before = 0;
  if (task.output_bytes_max != 0)
    folder_bytes_before = folder_bytes(task.folder);
  commands_begun_ = commands_begun_ % mark_command_max + 1;
  const ProcessMark mark{warden_number(options_.marker), commands_begun_};
  Launch plan;
  plan.program = starting.program;
  plan.words = starting.words;
  const std::string marker =
      std::string(marker_variable) + "=" + options_.marker + "." + std::to_string(mark.command);
  plan.env = task.env;
  plan.env.push_back(marker);
  Keeper keeper;
  if (confinement_->has_keeper()) {
    keeper = make_keeper(plan.env);
    if (!keeper)
      return refuse(task, refusal_of({0, LaunchStep::process, errno}, task));
    const std::vector<std::string> words = keeper_words(keeper);
    plan.words.insert(plan.words.begin() + 1, words.begin(), words.end());
    plan.env = keeper_env(marker);
    plan.kept = {keeper.report_write.get(), keeper.options.get()};
  }
  plan.folder = start_of(task);
  plan.input = null_.get();
  plan.output = files[0].get();
  plan.error = files[1].get();
  if (geteuid() == 0)
    plan.become = confinement_->owner();
  plan.mark = mark;
  plan.file_bytes_max = task.output_bytes_max;
  plan.processes_max = options_.processes_max;
  const Launched launched = launch(plan);
  if (launched.failed != LaunchStep::none)
    return refuse(task, refusal_of(launched, task));
  const CommandBounds bounds{base::Duration(task.time_limit_ns),
                             std::chrono::milliseconds(options_.grace_ms),
                             task.host_memory_bytes,
                             task.output_bytes_max,
                             base::limits::command_folder_entries_max,
                             base::Time(base::Duration(task.lease_until_ns)),
                             task.device_memory_bytes};
  if (unsent_.empty())
    answer_at_ = time + start_told_after;
  unsent_.push_back(encode(WardenMessage(StartedMessage{task.token, confinement_->protection()})));
  auto command = std::make_unique<Command>(
      std::move(task), bounds, CommandTree(launched.process, mark, options_.marker), time);
  command->keeper_report = std::move(keeper.report_read);
  command->folder_bytes_before = folder_bytes_before;
  command->look_at_memory = time + command->memory_pause;
  if (bounds.folder_bytes != 0)
    command->look_at_folder = time + base::limits::command_folder_interval;
  commands_.push_back(std::move(command));
}

void Warden::refuse(const RunMessage& task, const Refusal& refusal) {
  CommandEnded ended;
  ended.token = task.token;
  ended.reason = refusal.reason;
  ended.message = refusal.message;
  ended.protection = confinement_->protection();
  say(EndedMessage{std::move(ended)});
}

void Warden::reap() {
  signalfd_siginfo signals[4];
  const ssize_t got = read(signals_.get(), signals, sizeof signals);
  for (std::size_t i = 0; got > 0 && i < static_cast<std::size_t>(got) / sizeof signals[0]; ++i)
    if (signals[i].ssi_signo != SIGCHLD)
      abandon();
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
      return;
    // Whose it was can be read only until it is reaped.
    auto owner = std::find_if(commands_.begin(), commands_.end(), [&](const auto& command) {
      return command->tree.program() == info.si_pid;
    });
    if (owner == commands_.end())
      owner = std::find_if(commands_.begin(), commands_.end(),
                           [mark = mark_of(info.si_pid)](const auto& command) {
                             return mark && *mark == command->tree.mark();
                           });
    int status = 0;
    rusage usage{};
    if (wait4(info.si_pid, &status, WNOHANG, &usage) != info.si_pid || owner == commands_.end())
      continue;
    (*owner)->cpu_ns += cpu_of(usage);
    if ((*owner)->tree.program() == info.si_pid)
      reaped_program(**owner, status, usage);
  }
}

void Warden::reaped_program(Command& command, int status, const rusage& usage) {
  command.tree.forget_program();
  command.largest_process_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  ProgramEnd end = confinement_->program_end(status);
  if (end.exit_code != 0)
    end.disk_was_full = disk_is_full(command.task.folder);
  char report[keeper_report_bytes_max];
  const ssize_t got =
      command.keeper_report ? read(command.keeper_report.get(), report, sizeof report) : -1;
  end.never_began = got >= 0 && end.exit_code > 0 &&
                    !keeper_saw_end(std::string(report, static_cast<std::size_t>(got)));
  command.watch.note_program_end(end, now());
}

void Warden::look_after(Command& command, base::Time time) {
  if (!command.watch.program_ended())
    measure(command, time);
  const auto step = command.watch.next_step(time);
  if (step == CommandWatch::Step::ask)
    command.tree.ask(orphans(), confinement_->has_keeper());
  if (step != CommandWatch::Step::kill || command.tree.gone(orphans()))
    return;
  if (command.kill_again == base::Time::max() || time >= command.kill_again) {
    command.tree.end(orphans());
    command.kill_again = time + command.kill_pause;
    command.kill_pause = std::min<base::Duration>(command.kill_pause * 2, kill_pause_max);
  }
}

void Warden::measure(Command& command, base::Time time) {
  if (time >= command.look_at_memory) {
    command.watch.note_memory(command.tree.memory_bytes(orphans(), command.task.host_memory_bytes));
    if (command.task.host_memory_bytes == 0)  // only for the report
      command.memory_pause =
          std::min<base::Duration>(command.memory_pause * 2, base::limits::command_peak_interval);
    command.look_at_memory = time + command.memory_pause;
  }
  if (time >= command.look_at_folder)
    measure_folder(command, time);
}

void Warden::measure_folder(Command& command, base::Time time) {
  const bool complete = command.measure_folder();
  const base::Duration cost = now() - time;
  command.look_at_folder =
      time +
      std::max<base::Duration>(complete ? base::limits::command_folder_interval : base::Duration{},
                               cost * folder_cost_factor);
}

void Warden::finish(Command& command) {
  Verdict verdict = command.watch.verdict();
  CommandEnded ended;
  ended.token = command.task.token;
  ended.reason = verdict.reason;
  ended.exit_code = command.watch.program_end().exit_code;
  ended.signal = command.watch.program_end().signal;
  ended.message = std::move(verdict.message);
  ended.error_text = read_error_file(command.task.folder, confinement_->owner().user);
  ended.wall_ns = command.watch.ran_for().count();
  ended.cpu_ns = command.cpu_ns;
  ended.peak_memory_bytes =
      std::max(command.watch.peak_memory_bytes(), command.largest_process_bytes);
  ended.protection = confinement_->protection();
  say(EndedMessage{std::move(ended)});
}

/// At the end only: whatever is still a child, whoever's it was.
void Warden::kill_strays() {
  for (const pid_t stray : children_of(getpid()))
    kill(stray, SIGKILL);
}

void Warden::abandon() {
  ending_ = true;
  for (const auto& command : commands_)
    command->watch.abandon();
}

void Warden::say(const WardenMessage& message) {
  answer_at_ = base::Time::max();
  unsent_.push_back(encode(message));
}

/// That a command has begun waits a little: if it ends at once, one waking of the node serves both.
void Warden::flush() {
  if (answer_at_ != base::Time::max() && now() < answer_at_)
    return;
  answer_at_ = base::Time::max();
  while (!unsent_.empty()) {
    const auto& packet = unsent_.front();
    if (send(control_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
        (errno == EAGAIN || errno == EINTR) && !ending_)
      return;
    unsent_.pop_front();
  }
}

/// Until something comes, a child ends, or the next deadline.
void Warden::sleep() {
  base::Time next = ending_ && commands_.empty() ? now() + kill_pause_min : base::Time::max();
  for (const auto& command : commands_) {
    next = std::min(next, command->watch.next_deadline());
    next = std::min(next, command->kill_again);
    if (!command->watch.program_ended())
      next = std::min({next, command->look_at_memory, command->look_at_folder});
    else if (command->is_measured())
      next = now();
  }
  next = std::min(next, answer_at_);
  arm(next);
  const bool full = !unsent_.empty() && answer_at_ == base::Time::max();
  const auto control_events = static_cast<short>(full ? POLLIN | POLLOUT : POLLIN);
  pollfd files[3] = {{signals_.get(), POLLIN, 0},
                     {timer_.get(), POLLIN, 0},
                     {ending_ ? -1 : control_.get(), control_events, 0}};
  poll(files, 3, -1);
  signalled_ = files[0].revents != 0;
  readable_ = (files[2].revents & ~POLLOUT) != 0;
  if (files[1].revents != 0)
    armed_ = base::Time::min();
}

/// Only to wake sooner than it would anyway: waking too early costs less than arming each time.
void Warden::arm(base::Time next) {
  if (armed_ != base::Time::min() && armed_ <= next)
    return;
  itimerspec when{};
  if (next != base::Time::max()) {
    const std::int64_t at = std::max<std::int64_t>(next.time_since_epoch().count(), 1);
    when.it_value = {at / 1'000'000'000, at % 1'000'000'000};
  }
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
  armed_ = next;
}

Command* Warden::find(CommandToken token) {
  const auto found = std::find_if(commands_.begin(), commands_.end(), [token](const auto& command) {
    return command->task.token == token;
  });
  return found == commands_.end() ? nullptr : found->get();
}

const std::vector<pid_t>& Warden::orphans() {
  if (!orphans_) {
    std::vector<pid_t> programs;
    for (const auto& command : commands_)
      if (command->tree.program() != 0)
        programs.push_back(command->tree.program());
    orphans_ = own_orphans(programs);
  }
  return *orphans_;
}

}  // namespace

int run_warden(const WardenOptions& options) {
  return Warden(options).run();
}

}  // namespace fastgpu::exec
