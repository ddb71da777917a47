#pragma once

/// The C++ client library of FastGPU: describe a kernel job, submit it to any node, wait, take the
/// results. No header of a third party comes with it.
///
///   auto client = fastgpu::Client::open({.credentials = "client.toml"}).value();
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
#include <compare>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "fastgpu/expected.hpp"
#include "fastgpu/job_spec.hpp"

namespace fastgpu {
inline namespace v1 {

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

/// How long the parts of one execution took.
struct Timings {
  std::chrono::nanoseconds queue{};
  std::chrono::nanoseconds compile{};
  std::chrono::nanoseconds copy_in{};
  std::chrono::nanoseconds run{};
  std::chrono::nanoseconds copy_out{};
  bool compile_cached{false};
};

/// An `out` or `inout` buffer after the kernel, or a file that a command left.
struct Output {
  std::string name;  ///< of a file: its path below the command's folder
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
  std::vector<Output> outputs;  ///< of `out` and `inout` arguments, in their order; or files
  int exit_code{};              ///< of a command
  int signal{};                 ///< that ended the command; 0: it exited
  std::string protection;       ///< how the command was kept apart: "bubblewrap", "uid", "none"
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
  /// Any nodes of one cluster: "127.0.0.1:7601". None: those that the credentials name.
  std::vector<std::string> servers{};
  /// The file of the key to connect with, such as client.toml in a node's folder. Empty: that of
  /// FASTGPU_CREDENTIALS, else ~/.config/fastgpu/credentials.toml.
  std::string credentials{};
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
