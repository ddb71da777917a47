#pragma once

/// What a user asks for and what comes of it: plain values, spoken by every conversation and kept
/// in the ledger. schema/job.capnp is their wire and disk form. Nothing here fails or blocks.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/failure.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/protocol/command.hpp"
#include "runtime/protocol/data.hpp"

namespace fastgpu::protocol {

/// What a device is, or, in a request, what it must be. `any` stands in requests only and never
/// matches `null`, which executes nothing and must be asked for by name.
enum class DeviceKind : std::uint8_t { any, gpu, cpu, null };

enum class ScalarType : std::uint8_t { i32, u32, i64, u64, f32, f64 };

/// A kernel parameter passed by value. In `text` "{}" becomes the task's index and "{n}" the number
/// of tasks; then it must parse as `type`.
struct ScalarArgument {
  ScalarType type{ScalarType::i32};
  std::string text;
  bool operator==(const ScalarArgument&) const = default;
};

enum class BufferUse : std::uint8_t {
  in,       ///< read only, filled from data
  out,      ///< zeroed, kept afterwards
  inout,    ///< filled from data, kept afterwards
  scratch,  ///< zeroed, thrown away
};

/// A kernel parameter that is a pointer to device memory.
struct BufferArgument {
  BufferUse use{BufferUse::in};
  std::string name;            ///< the file that the user named, for people; may hold "{}"
  std::uint64_t size_bytes{};  ///< `out` and `scratch`: the size; else the size of the largest data
  std::vector<Data> data;      ///< `in` and `inout`: one for all tasks, or one for each task
  bool operator==(const BufferArgument&) const = default;
};

using Argument = std::variant<ScalarArgument, BufferArgument>;

/// CUDA C++ source and the launch of one kernel in it.
struct KernelSpec {
  base::Bytes source;
  std::string name;  ///< an NVRTC name expression: `saxpy`, `saxpy<float>`, `ns::k<4>`
  std::array<std::uint32_t, 3> grid{1, 1, 1};
  std::array<std::uint32_t, 3> block{1, 1, 1};
  std::uint32_t shared_bytes{};
  std::vector<std::pair<std::string, std::string>> defines;
  std::string standard{"c++17"};
  std::vector<Argument> arguments;
  bool precise{false};  ///< CPU device: find the exact thread of a bad access, slowly
  bool operator==(const KernelSpec&) const = default;
};

/// What one task needs of one device.
struct ResourceRequest {
  DeviceKind kind{DeviceKind::any};
  std::uint64_t memory_bytes{};  ///< device memory that its buffers take together
  bool operator==(const ResourceRequest&) const = default;
  auto operator<=>(const ResourceRequest&) const = default;
};

/// Words of the user's by which jobs are found again: name and value.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Of a job that does again tasks of another one: which. Its own tasks count from 0 on, as those of
/// any job; what they do goes by the numbers that they had there.
struct TaskItems {
  base::JobId job;
  std::vector<base::TaskRange> ranges{};  ///< ascending, apart; none: tasks go by their own numbers
  std::uint32_t count{};                  ///< how many tasks there were at first
  bool operator==(const TaskItems&) const = default;
};

/// A job is a command or a kernel: one of the two is empty.
struct JobSpec {
  std::string name;
  KernelSpec kernel;
  std::uint32_t tasks{1};
  ResourceRequest request;
  std::int64_t time_limit_ns{base::limits::kernel_time_limit_default.count()};
  std::uint32_t retries{0};  ///< of failures that are the job's own
  std::uint32_t crash_limit{base::limits::retries_node_loss_default};  ///< of lost nodes
  bool wait_if_infeasible{false};
  CommandSpec command;
  std::int64_t lease_ns{};  ///< a command ends when its node has no leader for so long; 0 = default
  std::vector<Dependency> after;
  Labels labels;
  TaskItems items;

  /// What "{}" stands for in a task, and "{n}".
  std::uint32_t item_of(std::uint32_t task) const;
  std::uint32_t item_count() const { return items.ranges.empty() ? tasks : items.count; }
  bool is_command() const { return !command.argv.empty(); }
  /// Two executions of a task at once do no harm: only the recorded finish of a kernel counts. A
  /// command can change the world outside.
  bool safe_to_overlap() const { return !is_command(); }
  /// For how long a command outlives its last word from the shard's leader.
  std::chrono::nanoseconds command_lease() const {
    return lease_ns > 0 ? std::chrono::nanoseconds(lease_ns) : base::limits::lease_command;
  }
  bool operator==(const JobSpec&) const = default;
};

/// The job has all of these.
bool has_labels(const JobSpec& spec, const Labels& wanted);

/// A spec that many messages share; compared by what it says.
struct SharedSpec {
  std::shared_ptr<const JobSpec> value;
  const JobSpec& operator*() const { return *value; }
  const JobSpec* operator->() const { return value.get(); }
  explicit operator bool() const { return value != nullptr; }
  friend bool operator==(const SharedSpec& a, const SharedSpec& b) {
    return a.value == b.value || (a.value && b.value && *a.value == *b.value);
  }
};

/// The words that users see. The first two are live, the others terminal.
enum class TaskState : std::uint8_t {
  pending,
  running,
  succeeded,
  failed,
  cancelled,
  timed_out,
  lost,
};
inline constexpr std::size_t task_state_count = 7;
constexpr bool is_terminal(TaskState state) {
  return state >= TaskState::succeeded;
}
const char* to_word(TaskState state);
const char* to_word(DeviceKind kind);
const char* to_word(ScalarType type);
const char* to_word(BufferUse use);

/// How long the parts of one execution took.
struct Timings {
  std::int64_t queue_ns{};  ///< from the grant to the launch
  std::int64_t compile_ns{};
  std::int64_t copy_in_ns{};
  std::int64_t run_ns{};
  std::int64_t copy_out_ns{};
  bool compile_cached{false};
  bool operator==(const Timings&) const = default;
};

/// What became of one execution of one task.
struct TaskOutcome {
  TaskState state{TaskState::succeeded};  ///< terminal
  base::FailureReason reason{base::FailureReason::none};
  std::string message;  ///< for people: a sentence, a compiler's log; empty on success
  base::AttemptId attempt;
  base::DeviceId device;
  std::vector<Data> outputs;  ///< of `out` and `inout` arguments in their order; or files
  Timings timings;
  CommandEnd command;
  bool operator==(const TaskOutcome&) const = default;
};

/// One outcome that all tasks of a range share.
struct TaskReport {
  base::TaskRange range;
  TaskOutcome outcome;
  bool operator==(const TaskReport&) const = default;
};

/// Why work waits, and the numbers to it; interface words in `to_word`.
enum class WaitingCode : std::uint8_t {
  none,
  not_yet_considered,
  capacity,
  infeasible,
  staging,
  retry_backoff,
  no_majority,
  dependency,
};
const char* to_word(WaitingCode code);

struct WaitingReason {
  WaitingCode code{WaitingCode::none};
  std::string sentence;  ///< with its numbers, for people
  bool operator==(const WaitingReason&) const = default;
};

}  // namespace fastgpu::protocol
