#pragma once

/// What was typed, after parsing: every verb finds its flags here. Plain values.

#include <cstdint>
#include <string>
#include <vector>

#include "node/cli/flags/job_flags.hpp"
#include "node/cli/flags/retry_flags.hpp"

namespace fastgpu::cli {

struct GlobalFlags {
  std::vector<std::string> servers;
  std::string folder;       ///< of a node on this machine: use its address and credentials
  std::string credentials;  ///< file
  std::string output{"table"};
  bool json{false};
  bool quiet{false};
  bool no_color{false};
  std::string timeout;
};

struct Invocation {
  GlobalFlags global;
  JobFlags job;
  bool detach{false};
  std::string progress{"auto"};
  std::vector<std::string> selectors;
  std::vector<std::string> labels;  ///< only jobs that have all of these
  RetryFlags retry;
  bool finished_too{false};
  bool follow{false};
  bool all_attempts{false};
  bool times{false};
  std::string copy_from;
  std::string copy_to;
  std::uint32_t nodes{1};
  std::uint32_t devices{1};
  std::uint32_t replicas{3};
  std::string topic;
  std::string valid{"1h"};  ///< how long a join token lets in
  bool force{false};
};

}  // namespace fastgpu::cli
