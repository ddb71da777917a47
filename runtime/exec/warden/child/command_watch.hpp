#pragma once

/// One command from its start to its end, as decisions: when it is asked to end, when it is killed,
/// and what is said of it then.
///
/// Place in the flow: the warden's loop tells it the time, what it measured and what the command's
/// program did, and does what next_step() says. Pure: no clock, no process.
/// The first cause of an end is the one that is told. Asking (SIGTERM) has a grace; what breaks a
/// limit of memory or disk, or outlives its lease, is killed at once. When the program has ended,
/// what it left running is killed too, and the command is gone only with the last of it.

#include <cstdint>
#include <string>

#include "runtime/base/failure.hpp"
#include "runtime/base/time.hpp"

namespace fastgpu::exec {

struct CommandBounds {
  base::Duration time_limit{};   ///< 0 = none
  base::Duration stop_grace{};   ///< from asking to killing
  std::uint64_t memory_bytes{};  ///< 0 = none
  std::uint64_t folder_bytes{};  ///< growth; 0 = none
  std::uint64_t files_max{};     ///< in the folder, however small; 0 = none
  base::Time lease_until;
  std::uint64_t device_memory_bytes{};  ///< of its GPU; 0 = none
};

/// How the command's program ended, from the words of the kernel.
struct ProgramEnd {
  int exit_code{-1};  ///< -1 when a signal ended it
  int signal{0};
  bool disk_was_full{false};  ///< the folder's file system has no space left
  bool never_began{false};    ///< the sandbox could not start it
};

struct Verdict {
  base::FailureReason reason{base::FailureReason::none};
  std::string message;
};

class CommandWatch {
 public:
  enum class Step {
    run,   ///< leave it alone
    ask,   ///< SIGTERM to all its processes; said once
    kill,  ///< SIGKILL to all its processes, again and again until none is left
  };

  CommandWatch(const CommandBounds& bounds, base::Time now);

  void stop(const std::string& why, base::Time now);
  void extend_lease(base::Time until);
  void note_memory(std::uint64_t bytes);
  /// Of its GPU, all its processes together.
  void note_device_memory(std::uint64_t bytes);
  /// What the folder holds more than at the start. Counts after the program's end, too: the last
  /// look comes then.
  void note_folder(std::uint64_t grown_bytes);
  void note_files(std::uint64_t files);
  void note_program_end(const ProgramEnd& end, base::Time now);
  /// The warden ends: all must go at once.
  void abandon();

  /// What to do now. Call it after every change and when next_deadline() has come.
  Step next_step(base::Time now);
  /// When next_step() may say something new by itself.
  base::Time next_deadline() const;

  bool program_ended() const { return ended_; }
  base::Duration ran_for() const { return ran_for_; }  ///< valid once the program ended
  std::uint64_t peak_memory_bytes() const { return peak_memory_bytes_; }
  /// Valid once the program ended.
  Verdict verdict() const;
  const ProgramEnd& program_end() const { return end_; }

 private:
  void set_cause(base::FailureReason reason, std::string message);
  void begin_kill() { killing_ = true; }
  void begin_ask(base::Time now);
  Verdict verdict_by_signal() const;
  bool stopped_at_folder_limit() const;

  CommandBounds bounds_;
  base::Time started_;
  base::Time kill_at_{base::Time::max()};  ///< the end of the grace
  bool ask_{false};                        ///< asking is due
  bool asked_{false};
  bool killing_{false};
  bool ended_{false};
  base::Duration ran_for_{};
  ProgramEnd end_;
  base::FailureReason cause_{base::FailureReason::none};
  std::string cause_text_;
  std::uint64_t peak_memory_bytes_{0};
  std::uint64_t folder_grown_bytes_{0};  ///< when it was last measured
};

}  // namespace fastgpu::exec
