#pragma once

/// What happened to a cluster, as those tell who saw it: clients what they asked and were answered,
/// commands when they ran, nodes what they say of each job in the end, the tormentor what he did.
/// Plain values, written down one line each (history_text.hpp) and judged by `check` (checker.hpp).
/// All stamps are of one host's CLOCK_MONOTONIC, in nanoseconds, so they can be compared.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace fastgpu::history {

using Stamp = std::int64_t;

enum class Call : std::uint8_t { submit, cancel, read };
enum class Answer : std::uint8_t {
  ok,
  fail,     ///< certainly not done
  unknown,  ///< no answer, or one that does not know
};
enum class Kind : std::uint8_t { kernel, command };

/// The terminal record of one task.
struct TaskRecord {
  std::uint32_t task{};
  std::string state;    ///< "succeeded"
  std::string attempt;  ///< "1.1.3.42"; empty where it never ran
  std::string node;     ///< "n2"; empty where it never ran
  std::string content;  ///< of its result, in a form that can be compared; empty where it has none
  bool operator==(const TaskRecord&) const = default;
};

/// A job as the cluster tells of it.
struct JobView {
  std::uint64_t job{};
  std::string key;  ///< which the submit gave it
  std::uint32_t tasks{};
  std::vector<TaskRecord> ended;  ///< those that are terminal
  bool operator==(const JobView&) const = default;
};

/// A client asks. `op` pairs it with its Return and is used once.
struct Invoke {
  Stamp at{};
  std::uint64_t op{};
  std::string client;
  Call call{Call::read};
  std::string key;          ///< of a submit: the same for the same request, else never used again
  Kind kind{Kind::kernel};  ///< of a submit
  std::uint32_t tasks{};    ///< of a submit
  std::uint64_t value{};    ///< of a submit of kernels: task t computes value + t
  std::uint64_t job{};      ///< of a cancel or a read
  bool operator==(const Invoke&) const = default;
};

/// It is answered, or gives up.
struct Return {
  Stamp at{};
  std::uint64_t op{};
  Answer answer{Answer::unknown};
  std::uint64_t job{};  ///< of a submit that is ok
  std::string error;    ///< unless ok: "not_found"
  JobView view{};       ///< of a read that is ok
  bool operator==(const Return&) const = default;
};

enum class Moment : std::uint8_t {
  start,
  alive,
  end,  ///< it has written its result and ends well
};

/// A command writes down that it lives. One execution is told by its task and attempt.
struct Execution {
  Stamp at{};  ///< taken by the command, before it was written
  Moment moment{Moment::start};
  std::uint64_t job{};
  std::uint32_t task{};
  std::string attempt;
  std::string node;
  std::string content{};  ///< at `end`: of its result
  bool operator==(const Execution&) const = default;
};

/// In the end one node is asked for a job.
struct NodeSays {
  Stamp at{};
  std::string node;
  JobView view;
  bool operator==(const NodeSays&) const = default;
};

/// What was done to the cluster, and where a phase begins. The checker heeds "audit" only: from
/// then on every node was asked for every job that it knew; the text names the nodes, "n1 n2 n3".
struct Mark {
  Stamp at{};
  std::string what;  ///< "kill", "healed", "audit"
  std::string text;
  bool operator==(const Mark&) const = default;
};

using Entry = std::variant<Invoke, Return, Execution, NodeSays, Mark>;
/// In any order: the checker sorts by stamp.
using History = std::vector<Entry>;

inline Stamp stamp_of(const Entry& entry) {
  return std::visit([](const auto& it) { return it.at; }, entry);
}

}  // namespace fastgpu::history
