#pragma once

/// What a run is worth in numbers: times by what was done, counts by kind, and what is wrong.
/// Values of one thread; figures of several runs are added up.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/chaos/options.hpp"
#include "tests/history/checker.hpp"

namespace fastgpu::chaos {

/// A distribution in milliseconds.
struct Samples {
  std::vector<double> ms;
  /// 0 where there are none. The smallest value that so much of all is not above.
  double quantile(double part) const;
  /// "n 31, p50 412 ms, p99 990 ms, max 990 ms"
  std::string text() const;
};

/// A kernel task that ran on a node when that was struck, and then elsewhere.
struct KernelMoved {
  std::string word;    ///< what was done, "killed"
  std::string victim;  ///< "n2"
  history::Stamp struck{};
  history::Stamp began{};
  std::string attempts;  ///< for people
};

struct RunFigures {
  std::array<std::uint64_t, fault_kinds> rounds{};
  std::uint64_t rounds_skipped{};          ///< of a kind that this host cannot do
  std::uint64_t rounds_without_kernels{};  ///< nothing ran on the victim, so nothing to time
  std::vector<KernelMoved> kernels_moved;  ///< not yet judged
  /// By what was done to their node. Time in which there was no room for them (vacancy.hpp) does
  /// not count; what it was with that is `kernels_with_waiting`.
  std::map<std::string, Samples> kernels_elsewhere;
  std::map<std::string, Samples> kernels_with_waiting;
  std::map<std::string, Samples> shard_accepts;  ///< by what was done to its leader
  history::Figures history;
  std::uint64_t histories{};
  std::uint64_t bytes_over_links{};
  double seconds{};
  std::vector<std::string> violations;

  void add(const RunFigures& other);
};

/// Times what has moved, by the history of the same run.
void judge_kernels(RunFigures& figures, const history::History& history,
                   const ChaosOptions& options);

/// For people; says of each target whether it was met.
std::string to_text(const RunFigures& figures, const ChaosOptions& options);

/// Targets that were missed. Those of a leader only where a shard has replicas.
std::vector<std::string> missed_targets(const RunFigures& figures, const ChaosOptions& options);

}  // namespace fastgpu::chaos
