#pragma once

/// What a fastgpu::JobSpec holds, for the library's own sources. A plain value.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fastgpu/job_spec.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu {
inline namespace v1 {

struct JobSpec::Contents {
  /// A buffer whose data is still here: nothing has been uploaded.
  struct Buffer {
    protocol::BufferUse use{protocol::BufferUse::in};
    std::string name;
    std::uint64_t size_bytes{};
    std::vector<base::Bytes> data;
  };
  using Argument = std::variant<protocol::ScalarArgument, Buffer>;

  std::string name;
  std::string kernel;
  base::Bytes source;
  std::array<std::uint32_t, 3> grid{1, 1, 1};
  std::array<std::uint32_t, 3> block{1, 1, 1};
  std::uint32_t shared_bytes{};
  std::vector<std::pair<std::string, std::string>> defines;
  std::string standard{"c++17"};
  bool precise{false};
  std::vector<Argument> arguments;
  std::uint32_t tasks{1};
  std::string device{"any"};
  std::chrono::nanoseconds time_limit{base::limits::kernel_time_limit_default};
  std::uint32_t retries{0};
  bool wait_if_infeasible{false};
};

}  // namespace v1
}  // namespace fastgpu
