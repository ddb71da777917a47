#pragma once

/// A good history, and what can be wrong with it: each plant is one lie or fault of a cluster, put
/// into it on purpose. A checker that does not see one is no checker. Beside them stand
/// near-misses: strange, but allowed, and a checker that cries there is none either.

#include <functional>
#include <string>
#include <vector>

#include "tests/history/checker.hpp"

namespace fastgpu::history::testing {

/// Three nodes, two clients, arrays of kernels and commands, a node that dies, a request that is
/// repeated, one whose fate stays unknown, a cancel. Nothing is wrong with it.
History good_history();

struct Plant {
  Check caught_by{};
  std::string name;
  std::function<void(History&)> put;
};
std::vector<Plant> all_plants();

struct NearMiss {
  std::string name;
  std::function<void(History&)> put;
};
std::vector<NearMiss> all_near_misses();

}  // namespace fastgpu::history::testing
