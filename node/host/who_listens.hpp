#pragma once

/// Who listens at these addresses now? Asked before an operator declares nodes for lost: one that
/// listens may be alive. Opens a connection to each at once and closes it again; says nothing.

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace fastgpu::node {

/// Those of `addresses` ("10.0.0.11:7600") that take a connection within `limit`; blocks at most so
/// long. What is no address listens nowhere.
std::set<std::string> who_listens(const std::vector<std::string>& addresses,
                                  std::chrono::milliseconds limit);

}  // namespace fastgpu::node
