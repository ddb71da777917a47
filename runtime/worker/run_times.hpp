#pragma once

/// How long the tasks of a program run on this device, and so how long what it holds will take.
/// Owned by the worker machine. The mean of the last tasks, weighted; a wide guess before the
/// first. At most `programs_max` programs are remembered that have no task here.

#include <cstdint>
#include <map>

#include "runtime/protocol/job.hpp"

namespace fastgpu::worker {

/// Equal for tasks of the same source and launch shape.
std::uint64_t program_of(const protocol::JobSpec& spec);

class RunTimes {
 public:
  static constexpr std::size_t programs_max = 256;
  static constexpr std::int64_t guess_ns = 10'000'000;
  static constexpr std::int64_t guess_null_ns = 5'000;

  void hold(std::uint64_t program, std::uint32_t tasks);
  void release(std::uint64_t program, std::uint32_t tasks);
  void ran(std::uint64_t program, std::int64_t ns);
  /// Of one task; 0: none has ended yet, or it is forgotten.
  std::int64_t mean_ns(std::uint64_t program) const;
  /// The predicted time of all tasks held, one after another.
  std::int64_t backlog_ns(protocol::DeviceKind kind) const;

 private:
  struct Program {
    std::uint32_t held{0};
    std::int64_t mean_ns{0};  ///< 0: no task has ended yet
    std::uint64_t used{0};
  };
  void forget_old();

  std::map<std::uint64_t, Program> programs_;
  std::uint64_t uses_{0};
};

}  // namespace fastgpu::worker
