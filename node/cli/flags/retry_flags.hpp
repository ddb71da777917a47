#pragma once

/// The flags of `retry`: which tasks, and what is to be different this time. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::cli {

/// As typed; empty where not given: that stays as it was.
struct RetryFlags {
  bool all{false};
  bool failed{false};
  bool lost{false};
  std::string name;
  std::string device;
  std::string time_limit;
  std::optional<std::uint32_t> retries;
  std::optional<std::uint32_t> crash_limit;
  std::string memory;
  std::string disk;
  std::string lease;
  std::vector<std::string> environment;
  std::vector<std::string> labels;  ///< that the new job gets
  std::string if_infeasible;
};

/// Changes the spec as the flags say; a variable or label of the same name is replaced. An Error
/// names the flag that is wrong.
base::Status change(protocol::JobSpec& spec, const RetryFlags& flags);

}  // namespace fastgpu::cli
