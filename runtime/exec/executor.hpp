#pragma once

/// The port through which a node runs kernels on one device.
///
/// Place in the flow: the worker actor owns one Executor per device; it submits tasks whose inputs
/// are at hand and gets back events. Which task runs when, what a deadline is and who is to blame
/// after a crash is decided by the worker machine, not here.
/// Threads: every method may be called from any thread. The sink is called on the executor's own
/// thread, one event at a time, never from inside a method of this class; it must not block and
/// must not destroy the executor. Failures: a task that cannot run ends as ExecutorDone with a
/// reason. A device process that dies is told as ExecutorDied and comes back by itself with
/// ExecutorReady. No exceptions. Promise: a task for which submit() said true appears exactly once,
/// either in one ExecutorDone or in the list of one ExecutorDied; unless the executor is destroyed
/// first, then possibly never.

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/failure.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::exec {

/// Names a submitted task between worker and executor. Chosen by the submitter, not 0, never reused
/// in the life of one Executor.
using TaskToken = base::Id<struct TaskTokenTag, std::uint64_t>;

enum class ArgumentKind : std::uint8_t {
  scalar,   ///< a value, passed by copy
  in,       ///< bytes the kernel reads
  out,      ///< bytes the kernel writes; zero when it starts
  inout,    ///< both
  scratch,  ///< zeroed memory that is thrown away
};

enum class ScalarType : std::uint8_t { i32, u32, i64, u64, f32, f64 };

/// The word for people: "i32", "f64".
const char* to_word(ScalarType type);
/// 4 or 8.
std::size_t size_of(ScalarType type);

/// One argument of a kernel, in the order of its parameters.
struct ExecutorArgument {
  ArgumentKind kind{ArgumentKind::scalar};
  ScalarType scalar_type{ScalarType::i32};     ///< valid for scalar
  std::array<std::uint8_t, 8> scalar_value{};  ///< valid for scalar: the first size_of(type) bytes
  base::Bytes data;                            ///< valid for in and inout
  std::uint64_t size_bytes{};                  ///< valid for out and scratch

  static ExecutorArgument i32(std::int32_t value) { return of(ScalarType::i32, value); }
  static ExecutorArgument u32(std::uint32_t value) { return of(ScalarType::u32, value); }
  static ExecutorArgument i64(std::int64_t value) { return of(ScalarType::i64, value); }
  static ExecutorArgument u64(std::uint64_t value) { return of(ScalarType::u64, value); }
  static ExecutorArgument f32(float value) { return of(ScalarType::f32, value); }
  static ExecutorArgument f64(double value) { return of(ScalarType::f64, value); }
  static ExecutorArgument in(base::Bytes data);
  static ExecutorArgument inout(base::Bytes data);
  static ExecutorArgument out(std::uint64_t size_bytes);
  static ExecutorArgument scratch(std::uint64_t size_bytes);

  /// The bytes of memory that the argument needs on the device; 0 for a scalar.
  std::uint64_t buffer_bytes() const;
  bool operator==(const ExecutorArgument&) const = default;

 private:
  template <class Value>
  static ExecutorArgument of(ScalarType type, Value value) {
    ExecutorArgument argument;
    argument.scalar_type = type;
    std::memcpy(argument.scalar_value.data(), &value, sizeof(Value));
    return argument;
  }
};

enum class Standard : std::uint8_t { cpp17, cpp20 };

/// One launch of one kernel: everything the device needs to know.
struct ExecutorTask {
  TaskToken token;
  base::Bytes source;                ///< CUDA C++ text
  std::string kernel;                ///< name expression: "saxpy", "saxpy<float>", "a::b::k"
  std::vector<std::string> defines;  ///< "NAME" or "NAME=VALUE"
  Standard standard{Standard::cpp17};
  std::array<std::uint32_t, 3> grid{1, 1, 1};
  std::array<std::uint32_t, 3> block{1, 1, 1};
  std::uint32_t shared_bytes{};  ///< dynamic shared memory
  std::vector<ExecutorArgument> arguments;
  bool precise{false};  ///< slower; a fault names the exact thread
  bool operator==(const ExecutorTask&) const = default;
};

/// Where the time of a task went, as measured by the device process.
struct ExecutorTimings {
  std::uint64_t compile_ns{};  ///< until the kernel was loaded, look-up included
  bool compile_cached{false};  ///< no compiler was run for this task
  std::uint64_t copy_in_ns{};
  std::uint64_t run_ns{};
  std::uint64_t copy_out_ns{};
  bool operator==(const ExecutorTimings&) const = default;
};

struct ExecutorResult {
  TaskToken token;
  base::FailureReason reason{base::FailureReason::none};  ///< none = it succeeded
  std::string message;               ///< for people, empty on success; compile logs come here, cut
  std::string printed;               ///< what the kernel printed, cut at 32 KiB
  std::vector<base::Bytes> outputs;  ///< on success: out and inout buffers, in argument order
  ExecutorTimings timings;
  bool operator==(const ExecutorResult&) const = default;
};

enum class DeviceKind : std::uint8_t { cpu, null, cuda };

struct DeviceDescription {
  DeviceKind kind{DeviceKind::cpu};
  std::string model;             ///< "AMD EPYC 9575F, 2 threads"
  std::uint64_t memory_bytes{};  ///< what buffers may use in all
  std::string uuid;              ///< stable over restarts on the same host; empty if it has none
  std::uint32_t threads{};       ///< host threads that run kernels; 0 for a GPU
  /// What keeps kernels from the host's files: "landlock", "uid only", "none"; empty = not known.
  std::string walls{};
  bool operator==(const DeviceDescription&) const = default;
};

/// The device process is up: tasks are taken from now on. Also sent after each restart.
struct ExecutorReady {
  DeviceDescription device;
  bool operator==(const ExecutorReady&) const = default;
};

/// A task ended, well or badly. A task that crashed the device process by its own fault (wild
/// access, assert, abort) ends here too; the ExecutorDied with the other tasks follows.
struct ExecutorDone {
  ExecutorResult result;
  bool operator==(const ExecutorDone&) const = default;
};

/// The device process is gone, or could not be started. It is started again by itself, with a
/// growing pause; until ExecutorReady, submit() says false.
struct ExecutorDied {
  std::string reason;                ///< for people: "killed: time limit", "signal 9"
  std::vector<TaskToken> in_flight;  ///< what was submitted and not done, in submission order
  std::optional<TaskToken> running;  ///< the one of them whose kernel was running, if known
  bool charged{false};  ///< the task whose kernel did it was told as ExecutorDone just before
  /// And that it did is proven, by the address or the check at which it faulted: this says nothing
  /// against the device.
  bool proven{false};
  bool operator==(const ExecutorDied&) const = default;
};

/// The kernel of a task that was submitted has to be compiled or loaded first: it does not run yet;
/// later, that it runs now. Both are left out of a task whose kernel is at hand.
struct ExecutorMaking {
  TaskToken token;
  bool over{false};
  bool operator==(const ExecutorMaking&) const = default;
};

using ExecutorEvent = std::variant<ExecutorReady, ExecutorDone, ExecutorDied, ExecutorMaking>;

class Executor {
 public:
  using Sink = std::function<void(const ExecutorEvent&)>;

  /// Stops and reaps the device process and joins the thread. No event comes afterwards.
  virtual ~Executor() = default;
  /// Starts the device process and the thread. Once, before anything else. Never blocks: a device
  /// that cannot start is told as ExecutorDied.
  virtual void start(Sink sink) = 0;
  /// Hands over a task; takes no share in it when it says false: not ready, or the window is full.
  /// A task that is ready-made wrong (too large, bad shape) is accepted and ends as ExecutorDone.
  virtual bool submit(ExecutorTask task) = 0;
  /// Ends the device process at once, whatever it does; for deadlines and cancels. ExecutorDied
  /// with this reason follows, then the restart. Nothing happens if no process is there.
  virtual void kill(const char* why) = 0;
};

}  // namespace fastgpu::exec
