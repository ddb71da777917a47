#include "runtime/exec/warden/child/command_watch.hpp"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "runtime/exec/warden/text.hpp"

namespace fastgpu::exec {

using base::FailureReason;

namespace {
constexpr int shell_signal_base = 128;  ///< a shell's code for a child that a signal ended
}

CommandWatch::CommandWatch(const CommandBounds& bounds, base::Time now)
    : bounds_(bounds), started_(now) {}

void CommandWatch::stop(const std::string& why, base::Time now) {
  if (ended_)
    return;
  set_cause(FailureReason::cancelled, why);
  begin_ask(now);
}

void CommandWatch::extend_lease(base::Time until) {
  bounds_.lease_until = std::max(bounds_.lease_until, until);
}

void CommandWatch::note_memory(std::uint64_t bytes) {
  peak_memory_bytes_ = std::max(peak_memory_bytes_, bytes);
  if (ended_ || bounds_.memory_bytes == 0 || bytes <= bounds_.memory_bytes)
    return;
  set_cause(
      FailureReason::host_out_of_memory,
      "used " + size_text(bytes) + " of memory, its limit is " + size_text(bounds_.memory_bytes));
  begin_kill();
}

void CommandWatch::note_device_memory(std::uint64_t bytes) {
  if (ended_ || bounds_.device_memory_bytes == 0 || bytes <= bounds_.device_memory_bytes)
    return;
  set_cause(FailureReason::cuda_out_of_memory,
            "used " + size_text(bytes) + " of its GPU's memory, its limit is " +
                size_text(bounds_.device_memory_bytes) + " (" + std::to_string(bytes) + " of " +
                std::to_string(bounds_.device_memory_bytes) + " bytes)");
  begin_kill();
}

void CommandWatch::note_folder(std::uint64_t grown_bytes) {
  folder_grown_bytes_ = grown_bytes;
  if (bounds_.folder_bytes == 0 || grown_bytes <= bounds_.folder_bytes)
    return;
  set_cause(FailureReason::disk_full, "wrote " + size_text(grown_bytes) +
                                          " into its folder, its limit is " +
                                          size_text(bounds_.folder_bytes));
  begin_kill();
}

void CommandWatch::note_files(std::uint64_t files) {
  if (bounds_.files_max == 0 || files <= bounds_.files_max)
    return;
  set_cause(FailureReason::disk_full, "made more than " + std::to_string(bounds_.files_max) +
                                          " files and folders, which is its limit");
  begin_kill();
}

void CommandWatch::note_program_end(const ProgramEnd& end, base::Time now) {
  ended_ = true;
  end_ = end;
  ran_for_ = now - started_;
  begin_kill();
}

void CommandWatch::abandon() {
  if (!ended_)
    set_cause(FailureReason::node_lost, "the node's process ended");
  begin_kill();
}

CommandWatch::Step CommandWatch::next_step(base::Time now) {
  if (!ended_ && now >= bounds_.lease_until) {
    set_cause(FailureReason::node_lost,
              "the node's lease for it ended after " + seconds_text((now - started_).count()));
    begin_kill();
  }
  if (!ended_ && bounds_.time_limit.count() > 0 && now - started_ >= bounds_.time_limit) {
    set_cause(FailureReason::time_limit,
              "ran longer than its time limit of " + seconds_text(bounds_.time_limit.count()));
    begin_ask(now);
  }
  if (now >= kill_at_)
    begin_kill();
  if (killing_)
    return Step::kill;
  return std::exchange(ask_, false) ? Step::ask : Step::run;
}

base::Time CommandWatch::next_deadline() const {
  if (killing_)
    return base::Time::max();
  base::Time next = std::min(kill_at_, bounds_.lease_until);
  if (bounds_.time_limit.count() > 0 && !asked_)
    next = std::min(next, started_ + bounds_.time_limit);
  return ask_ ? started_ : next;
}

void CommandWatch::set_cause(FailureReason reason, std::string message) {
  if (cause_ != FailureReason::none)
    return;
  cause_ = reason;
  cause_text_ = std::move(message);
}

void CommandWatch::begin_ask(base::Time now) {
  if (asked_)
    return;
  asked_ = ask_ = true;
  kill_at_ = now + bounds_.stop_grace;
}

Verdict CommandWatch::verdict() const {
  if (cause_ != FailureReason::none)
    return {cause_, cause_text_};
  if (end_.never_began)
    return {FailureReason::bad_argument,
            "the sandbox cannot start its program; why is on its standard error"};
  if (end_.signal != 0)
    return verdict_by_signal();
  if (end_.exit_code == 0)
    return {};
  const std::string how = "exited with code " + std::to_string(end_.exit_code);
  if (end_.disk_was_full)
    return {FailureReason::disk_full, how + "; the disk of its folder is full"};
  if (stopped_at_folder_limit())
    return {FailureReason::disk_full,
            how + "; its folder may hold " + size_text(bounds_.folder_bytes) + ", and is full"};
  return {FailureReason::exit_code, how};
}

/// A single file ends at the limit exactly. The signal for that may have ended a child of the
/// program, which shells tell by their code, or have been ignored.
bool CommandWatch::stopped_at_folder_limit() const {
  return bounds_.folder_bytes != 0 && (folder_grown_bytes_ >= bounds_.folder_bytes ||
                                       end_.exit_code == shell_signal_base + SIGXFSZ);
}

Verdict CommandWatch::verdict_by_signal() const {
  if (end_.signal == SIGXFSZ)
    return {FailureReason::disk_full,
            "wrote a file larger than its limit of " + size_text(bounds_.folder_bytes)};
  std::string how = "ended by " + signal_text(end_.signal);
  if (end_.disk_was_full)
    return {FailureReason::disk_full, how + "; the disk of its folder is full"};
  if (end_.signal == SIGKILL)
    how += ", which did not come from FastGPU: from an operator, or from a host out of memory";
  return {FailureReason::signal, how};
}

}  // namespace fastgpu::exec
