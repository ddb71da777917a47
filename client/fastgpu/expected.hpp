#pragma once

/// Errors of the client library, and the type of every call that can fail. Plain values, usable
/// from any thread. Included by fastgpu/client.hpp.

#include <cstdint>
#include <stdexcept>
#include <string>
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
  /// By value, so that `for (auto& job : client.list().value())` does not outlive what it walks.
  T value() && { return checked(), std::get<0>(std::move(state_)); }
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

}  // namespace v1
}  // namespace fastgpu
