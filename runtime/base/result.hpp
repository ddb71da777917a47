#pragma once

/// Errors as values. A kind says how the receiver reacts; a code says what exactly happened and has
/// a stable anchor in docs/errors.md. Exceptions of libraries stop at the adapter that calls them.

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "runtime/base/check.hpp"

namespace fastgpu::base {

/// What the receiver does about it. schema/common.capnp holds the same list; a test compares them.
enum class ErrorKind : unsigned char {
  invalid,      ///< the input is wrong: mend it, do not send it again as it is
  rejected,     ///< understood and refused by a rule or a state: do not repeat unchanged
  unavailable,  ///< cannot be reached now, surely not done: try another node or later
  overloaded,   ///< a queue is full, surely not done: wait, then try again
  unknown,      ///< no answer: it may or may not have happened; ask again with the same request id
  lost,         ///< what was asked for is gone for good
  internal,     ///< a fault of FastGPU: report it
};

/// The closed list of exact causes; `FG` and the number are shown to users. Grows, never changes.
enum class ErrorCode : unsigned short {
  none = 0,
  // 1xxx: usage and specification
  usage = 1001,
  bad_job_spec = 1002,
  bad_argument = 1003,
  too_large = 1004,
  file_not_found = 1005,
  // 2xxx: placement
  infeasible = 2101,
  overloaded = 2201,
  disk_full = 2202,
  // 3xxx: state
  not_found = 3001,
  already_finished = 3002,
  name_taken = 3003,
  conflict = 3004,
  version_skew = 3005,
  wrong_cluster = 3006,
  // 4xxx: reach
  no_node_reachable = 4001,
  no_majority = 4002,
  timeout = 4003,
  shard_unavailable = 4004,
  object_missing = 4005,
  output_missing = 4006,
  node_down = 4007,
  // 5xxx: permission
  denied = 5001,
  listen_refused = 5002,
  // 6xxx: how a job ended badly
  job_failed = 6001,
  job_cancelled = 6002,
  job_timed_out = 6003,
  job_lost = 6004,
  // 9xxx: our own faults
  internal = 9001,
  corrupt = 9002,
};

struct Error {
  ErrorKind kind{ErrorKind::internal};
  ErrorCode code{ErrorCode::internal};
  std::string message;  ///< one sentence with the numbers that matter
  std::string hint;     ///< what to do about it; may be empty
  bool operator==(const Error&) const = default;
};

/// A value or an Error. Asking for the one that is not there aborts.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & {
    FASTGPU_CHECK(ok(), "value() of an error");
    return std::get<0>(state_);
  }
  const T& value() const& {
    FASTGPU_CHECK(ok(), "value() of an error");
    return std::get<0>(state_);
  }
  T&& value() && {
    FASTGPU_CHECK(ok(), "value() of an error");
    return std::get<0>(std::move(state_));
  }
  const Error& error() const {
    FASTGPU_CHECK(!ok(), "error() of a value");
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}
  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    FASTGPU_CHECK(error_.has_value(), "error() of success");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace fastgpu::base
