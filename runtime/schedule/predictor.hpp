#pragma once

/// How long a task will run, from what tasks of the same signature took on the same kind of device.
///
/// A weighted mean and a weighted mean deviation; p90 is the mean and 1.6 deviations, which holds
/// for anything that is not wild. Without history the guess is wide. Owned by the scheduler
/// machine. Wrong predictions cost time only. At most `known_max` pairs are remembered.

#include <cstdint>
#include <map>
#include <utility>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::schedule {

struct Prediction {
  std::int64_t mean_ns{};
  std::int64_t p90_ns{};
  bool known{false};  ///< from history
  bool operator==(const Prediction&) const = default;
};

class Predictor {
 public:
  static constexpr std::size_t known_max = 4096;
  static constexpr std::int64_t guess_ns = 10'000'000;
  static constexpr std::int64_t guess_p90_ns = 10'000'000'000;
  static constexpr std::int64_t guess_null_ns = 5'000;

  /// `tasks` ended; one of them took `run_ns` on average.
  void ran(const base::ObjectHash& signature, protocol::DeviceKind kind, std::uint32_t tasks,
           std::int64_t run_ns);
  Prediction predict(const base::ObjectHash& signature, protocol::DeviceKind kind) const;

 private:
  using Key = std::pair<base::ObjectHash, protocol::DeviceKind>;
  struct History {
    double mean_ns{};
    double deviation_ns{};
    std::uint64_t used{};
  };
  std::map<Key, History> known_;
  std::map<std::uint64_t, Key> by_use_;  ///< least recently fed first
  std::uint64_t uses_{0};
};

}  // namespace fastgpu::schedule
