#pragma once

/// What the nodes of a cluster say of it, as a user of `fastgpu` sees it, and waits for what they
/// must come to say. Every wait has a deadline that matters only when something is broken.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/process/process_cluster.hpp"

namespace fastgpu::testing {

/// The bytes of an output that travelled in a record.
std::string decoded(const std::string& base64);

/// One job, as `fastgpu show --json` gives it; an empty object if it could not be read.
nlohmann::json job_of(const ProcessCluster& cluster, const std::string& job);

/// All task records of a job, by index.
std::vector<nlohmann::json> tasks_of(const ProcessCluster& cluster, const std::string& job);

/// True once the answer of node `asked` has an item that is so; asks until then.
bool await_item(const ProcessCluster& cluster, int asked, std::vector<std::string> words,
                const std::function<bool(const nlohmann::json&)>& is_so);

/// True once node `asked` sees the node of that name so: "up", "suspect", "down".
bool await_seen(const ProcessCluster& cluster, int asked, const std::string& name,
                const std::string& state = "up");

/// True once node `asked` sees that the devices of so many nodes, n1 and on, can be used.
bool await_devices(const ProcessCluster& cluster, int asked, int nodes);

/// True once it is so; looks again and again until then.
bool await(const std::function<bool()>& is_so, Seconds limit = patience);

/// The index of a node in its cluster, from its name.
inline int node_index(const std::string& name) {
  return std::stoi(name.substr(1)) - 1;
}

}  // namespace fastgpu::testing
