#include "runtime/protocol/job.hpp"

#include <algorithm>

namespace fastgpu::protocol {

std::uint32_t JobSpec::item_of(std::uint32_t task) const {
  std::uint32_t left = task;
  for (const base::TaskRange& range : items.ranges) {
    if (left < range.count) {
      return range.first + left;
    }
    left -= range.count;
  }
  return task;
}

bool has_labels(const JobSpec& spec, const Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    return std::find(spec.labels.begin(), spec.labels.end(), label) != spec.labels.end();
  });
}

const char* to_word(TaskState state) {
  static constexpr const char* words[] = {"pending",   "running",   "succeeded", "failed",
                                          "cancelled", "timed_out", "lost"};
  return words[static_cast<std::size_t>(state)];
}

const char* to_word(DeviceKind kind) {
  static constexpr const char* words[] = {"any", "gpu", "cpu", "null"};
  return words[static_cast<std::size_t>(kind)];
}

const char* to_word(ScalarType type) {
  static constexpr const char* words[] = {"i32", "u32", "i64", "u64", "f32", "f64"};
  return words[static_cast<std::size_t>(type)];
}

const char* to_word(BufferUse use) {
  static constexpr const char* words[] = {"in", "out", "inout", "scratch"};
  return words[static_cast<std::size_t>(use)];
}

const char* to_word(DependencyKind kind) {
  static constexpr const char* words[] = {"ok", "any", "fail"};
  return words[static_cast<std::size_t>(kind)];
}

const char* to_word(WaitingCode code) {
  static constexpr const char* words[] = {
      "none",    "not_yet_considered", "capacity",    "infeasible",
      "staging", "retry_backoff",      "no_majority", "dependency"};
  return words[static_cast<std::size_t>(code)];
}

}  // namespace fastgpu::protocol
