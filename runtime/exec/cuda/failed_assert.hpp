#pragma once

/// What the driver says of an assertion that failed: a line for each thread on standard error, of
/// which the first is told. Pure.
///
///   job.cu:5: void k(float *, int): block: [3,0,0], thread: [59,0,0] Assertion `n < 5` failed.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fastgpu::exec {

struct FailedAssert {
  std::string file;
  std::int32_t line{};
  std::array<std::uint32_t, 3> block{};
  std::array<std::uint32_t, 3> thread{};
  std::string condition;
};

/// Of the first line that has that form, if any does.
std::optional<FailedAssert> read_failed_assert(std::string_view text);

}  // namespace fastgpu::exec
