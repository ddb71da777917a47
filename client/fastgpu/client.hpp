#pragma once

/// The C++ client library of FastGPU: describe a kernel job, submit it to any node, wait, take the
/// results. No other header of the project or of a third party comes with it.
///
///   auto client = fastgpu::Client::open({.servers = {"127.0.0.1:7601"}}).value();
///   auto spec = fastgpu::JobSpec{}.kernel("saxpy<float>").source(text).grid(4).block(256)
///                   .arg(1024).arg(2.5f).in(x).inout(y);
///   auto result = client.submit(spec).value().result(std::chrono::seconds(30)).value();
///
/// Client and Job are handles: copies share one connection, and any thread may use them. A handle
/// that goes out of scope neither waits nor cancels. Every call ends by its deadline. What can fail
/// returns an Expected; only Expected::value() throws, and only when there is no value.
/// A call that was lost on its way is repeated through any known node under the same request
/// number, so a submit is done once; if its fate stays unknown, Error::outcome_unknown says so.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace fastgpu {
inline namespace v1 {

using Bytes = std::vector<std::uint8_t>;

struct Error {
  std::string code;             ///< "FG2101": a stable anchor in docs/errors.md
  std::string kind;             ///< "infeasible": the closed list of `fastgpu help exit-codes`
  std::string message;          ///< one sentence with the numbers that matter
  std::string hint;             ///< what to do about it; may be empty
  bool outcome_unknown{false};  ///< it may or may not have happened
  /// "error[FG2101]: this job ... (hint: ...)"
  std::string text() const;
};

/// Thrown by Expected::value() where there is an error instead.
class NoValue : public std::runtime_error {
 public:
  explicit NoValue(Error error) : std::runtime_error(error.text()), error_(std::move(error)) {}
  const Error& error() const { return error_; }

 private:
  Error error_;
};

/// A value or an Error.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & { return checked(), std::get<0>(state_); }
  const T& value() const& { return checked(), std::get<0>(state_); }
  T&& value() && { return checked(), std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  /// Only where there is no value.
  const Error& error() const { return std::get<1>(state_); }

 private:
  void checked() const {
    if (!has_value()) {
      throw NoValue(std::get<1>(state_));
    }
  }
  std::variant<T, Error> state_;
};

/// A job for life, in the whole cluster.
struct JobId {
  std::uint64_t value{};
  auto operator<=>(const JobId&) const = default;
};

enum class JobState : std::uint8_t {
  pending,
  running,
  succeeded,
  failed,
  cancelled,
  timed_out,
  lost,
};
constexpr bool is_terminal(JobState state) {
  return state >= JobState::succeeded;
}
/// "timed_out"
std::string_view to_word(JobState state);

enum class Scalar : std::uint8_t { i32, u32, i64, u64, f32, f64 };
template <class T>
concept ScalarValue = std::is_arithmetic_v<T> && !std::same_as<T, bool> &&
                      (sizeof(T) == 4 || sizeof(T) == 8) && !std::same_as<T, long double>;
/// What `in` and `inout` take: a vector, array or span of plain values.
template <class R>
concept PlainRange = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    std::is_trivially_copyable_v<std::ranges::range_value_t<R>>;

/// What to run. Each call adds to it and returns it; arguments are given in the order of the
/// kernel's parameters. Nothing is checked before `Client::submit`, which names what is wrong.
class JobSpec {
 public:
  JobSpec();
  ~JobSpec();
  JobSpec(const JobSpec& other);
  JobSpec(JobSpec&& other) noexcept;
  JobSpec& operator=(const JobSpec& other);
  JobSpec& operator=(JobSpec&& other) noexcept;

  JobSpec& name(std::string name);
  /// A name expression: `saxpy`, `saxpy<float>`, `ns::k<4>`.
  JobSpec& kernel(std::string name);
  /// CUDA C++ source text.
  JobSpec& source(std::string text);
  JobSpec& grid(std::uint32_t x, std::uint32_t y = 1, std::uint32_t z = 1);
  JobSpec& block(std::uint32_t x, std::uint32_t y = 1, std::uint32_t z = 1);
  /// Dynamic shared memory of a block.
  JobSpec& shared(std::uint32_t bytes);
  JobSpec& define(std::string name, std::string value = "1");
  /// "c++17" (the default) or "c++20".
  JobSpec& standard(std::string standard);
  /// On a CPU device: find the exact thread of an access out of bounds, slowly.
  JobSpec& precise(bool on = true);

  /// A scalar; the type of the value must be the type of the parameter.
  template <ScalarValue T>
  JobSpec& arg(T value) {
    if constexpr (std::is_floating_point_v<T>) {
      return arg_real(sizeof(T) == 4 ? Scalar::f32 : Scalar::f64, value);
    } else if constexpr (std::is_signed_v<T>) {
      return arg_signed(sizeof(T) == 4 ? Scalar::i32 : Scalar::i64, value);
    } else {
      return arg_unsigned(sizeof(T) == 4 ? Scalar::u32 : Scalar::u64, value);
    }
  }
  /// A scalar as text; "{}" becomes the task's index and "{n}" the number of tasks.
  JobSpec& arg_text(Scalar type, std::string text);

  /// A read-only buffer with these values, the same for all tasks. They are copied now.
  template <PlainRange R>
  JobSpec& in(const R& values, std::string name = {}) {
    return in_bytes(std::as_bytes(std::span(values)), std::move(name));
  }
  /// A read-only buffer, one for each task in their order.
  JobSpec& in_each(std::vector<Bytes> data, std::string name = {});
  /// A zeroed buffer that is a result.
  JobSpec& out(std::uint64_t size_bytes, std::string name = {});
  /// A buffer that starts with these values and is a result.
  template <PlainRange R>
  JobSpec& inout(const R& values, std::string name = {}) {
    return inout_bytes(std::as_bytes(std::span(values)), std::move(name));
  }
  JobSpec& inout_each(std::vector<Bytes> data, std::string name = {});
  /// A zeroed buffer that is thrown away.
  JobSpec& scratch(std::uint64_t size_bytes);

  /// An array of this many tasks (default 1).
  JobSpec& tasks(std::uint32_t count);
  /// "any" (the default), "gpu", "cpu", or "null", which executes nothing.
  JobSpec& device(std::string kind);
  /// Of one execution of one task. Default one hour.
  JobSpec& time_limit(std::chrono::nanoseconds limit);
  /// How often a task that failed by its own fault is tried again. Default 0.
  JobSpec& retries(std::uint32_t count);
  /// Queue it even where no present device could ever run it.
  JobSpec& wait_if_infeasible(bool on = true);

  struct Contents;
  const Contents& contents() const { return *contents_; }

 private:
  JobSpec& arg_signed(Scalar type, std::int64_t value);
  JobSpec& arg_unsigned(Scalar type, std::uint64_t value);
  JobSpec& arg_real(Scalar type, double value);
  JobSpec& in_bytes(std::span<const std::byte> data, std::string name);
  JobSpec& inout_bytes(std::span<const std::byte> data, std::string name);

  std::unique_ptr<Contents> contents_;
};

/// How long the parts of one execution took.
struct Timings {
  std::chrono::nanoseconds queue{};
  std::chrono::nanoseconds compile{};
  std::chrono::nanoseconds copy_in{};
  std::chrono::nanoseconds run{};
  std::chrono::nanoseconds copy_out{};
  bool compile_cached{false};
};

/// An `out` or `inout` buffer after the kernel.
struct Output {
  std::string name;
  Bytes data;

  /// The bytes as values; what is left over of the last one is dropped.
  template <class T>
  std::vector<T> as() const {
    static_assert(std::is_trivially_copyable_v<T>);
    std::vector<T> values(data.size() / sizeof(T));
    if (!values.empty()) {
      std::memcpy(values.data(), data.data(), values.size() * sizeof(T));
    }
    return values;
  }
};

struct TaskResult {
  std::uint32_t task{};
  JobState state{JobState::pending};
  std::string reason;   ///< "out_of_bounds"; "none" on success
  std::string message;  ///< why it failed, for people
  std::string node;     ///< "n2"; empty where it never ran
  std::uint32_t device{};
  std::string attempt;  ///< "1.1.3.42"
  Timings timings;
  std::vector<Output> outputs;  ///< of `out` and `inout` arguments, in their order
};

struct JobResult {
  JobId id;
  JobState state{JobState::pending};
  std::vector<TaskResult> tasks;  ///< all tasks, by index
};

/// A job at a glance.
struct JobStatus {
  JobId id;
  std::string name;
  JobState state{JobState::pending};
  std::uint32_t tasks{};
  std::uint32_t pending{};
  std::uint32_t running{};
  std::uint32_t succeeded{};
  std::vector<std::string> nodes;  ///< where tasks run or ran
  std::string waiting_code;        ///< why tasks wait: "capacity"; "none" where nothing waits
  std::string waiting_sentence;
};

struct DeviceStatus {
  std::uint32_t ordinal{};
  std::string kind;  ///< "gpu", "cpu", "null"
  std::string model;
  std::uint64_t memory_bytes_total{};
  std::uint64_t memory_bytes_free{};
  std::uint32_t slots_total{};
  std::uint32_t slots_free{};
  bool healthy{true};
};

struct NodeStatus {
  std::uint32_t id{};
  std::string name;
  std::string address;
  std::string state;  ///< "up", "suspect", "down", as the answering node sees it
  std::vector<DeviceStatus> devices;
};

struct ClientOptions {
  std::vector<std::string> servers;  ///< any nodes of one cluster: "127.0.0.1:7601"
  /// How long a call that is not given a time of its own may take.
  std::chrono::nanoseconds timeout{std::chrono::seconds(30)};
};

/// A submitted job.
class Job {
 public:
  JobId id() const;
  Expected<JobState> state() const;
  Expected<JobStatus> status() const;
  /// Until the job is terminal. Past `timeout`: an error of kind "timeout"; the job goes on.
  Expected<JobState> wait(std::chrono::nanoseconds timeout) const;
  /// Waits, then brings the outputs of all tasks. How the job ended stands in the result: a job
  /// that failed is no error of this call.
  Expected<JobResult> result(std::chrono::nanoseconds timeout) const;
  /// Asks that all its live tasks be cancelled. Finished already: an error of kind "conflict".
  Expected<JobState> cancel() const;

 private:
  friend class Client;
  struct Impl;
  explicit Job(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// A connection to a cluster.
class Client {
 public:
  /// Connects to the first server that answers.
  static Expected<Client> open(ClientOptions options);

  /// Uploads what is too large to travel with the job, once for equal bytes, then submits. On
  /// return the job is kept: it survives the loss of this program and of the node asked.
  Expected<Job> submit(const JobSpec& spec) const;
  /// A job that was submitted before, maybe by another program.
  Job job(JobId id) const;
  Expected<std::vector<JobStatus>> list(bool finished_too = false) const;
  Expected<JobStatus> show(JobId id) const;
  Expected<std::vector<NodeStatus>> cluster() const;

 private:
  friend class Job;
  struct Impl;
  explicit Client(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace v1
}  // namespace fastgpu
