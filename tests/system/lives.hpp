#pragma once

/// A command that writes down when it lives, and the eyes of a test on what it wrote.
///
/// Every few milliseconds it appends the time since the machine's start to a file in its folder,
/// until somebody puts a file `go` there; then it leaves its node's name as its result and ends
/// well. So each execution tells by itself when it ran, whatever became of its node, and all on one
/// clock, CLOCK_BOOTTIME.

#include <string>
#include <vector>

#include "tests/support/process/process_cluster.hpp"

namespace fastgpu::testing {

/// For `sh -c`; its output is `result-<task>`.
inline constexpr const char* living_script =
    "trap '' TERM\n"
    "echo living on $FASTGPU_NODE\n"
    "while [ ! -e go ]; do\n"
    "  read -r up rest < /proc/uptime; echo $up >> life; sleep 0.02\n"
    "done\n"
    "echo $FASTGPU_NODE > result-$FASTGPU_TASK_ID\n";

/// The same, and it prints each time beside its number as "line 7 4711.08". It leaves nothing.
inline constexpr const char* talking_script =
    "echo living on $FASTGPU_NODE\n"
    "n=0\n"
    "while [ ! -e go ]; do\n"
    "  n=$((n + 1)); read -r up rest < /proc/uptime; echo \"line $n $up\"; echo $up >> life\n"
    "  sleep 0.05\n"
    "done\n";

/// One execution of such a command, as its folder tells of it.
struct Life {
  int node{};  ///< of the cluster, counted from 0
  std::string folder;
  std::uint32_t task{};
  std::vector<double> stamps;  ///< seconds since the machine's start; to 10 ms

  double first() const { return stamps.front(); }
  double last() const { return stamps.back(); }
  /// Lets it end well.
  void let_go() const;
};

/// All that have begun and whose folders are still there.
std::vector<Life> lives_of(const ProcessCluster& cluster, const std::string& job);

/// CLOCK_BOOTTIME in seconds.
double boot_seconds();

}  // namespace fastgpu::testing
