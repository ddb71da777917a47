#pragma once

/// What a fastgpu::JobSpec holds, for the library's own sources. A plain value.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
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
  /// A file or folder of this host that is read when the job is submitted, or bytes.
  struct Input {
    std::string path;  ///< below the command's folder; empty: the file's own name
    std::string file;  ///< of this host; empty: `data` holds the bytes
    std::vector<base::Bytes> data;
  };
  struct After {
    std::uint64_t job{};
    std::string how;
  };

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
  std::optional<std::chrono::nanoseconds> time_limit;
  std::uint32_t retries{0};
  std::uint32_t crash_limit{base::limits::retries_node_loss_default};
  bool wait_if_infeasible{false};
  std::vector<After> after;
  protocol::Labels labels;

  std::vector<std::string> argv;  ///< empty: a kernel
  std::vector<std::pair<std::string, std::string>> environment;
  std::string cwd;
  std::vector<Input> inputs;
  std::vector<std::string> outputs;
  std::uint64_t host_memory_bytes{};
  std::uint64_t device_memory_bytes{};
  std::uint64_t folder_bytes_max{};
  bool network{true};
  std::chrono::nanoseconds lease{};
};

}  // namespace v1
}  // namespace fastgpu
