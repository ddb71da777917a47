#include "tests/system/cluster_views.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace fastgpu::testing {

using nlohmann::json;

std::string decoded(const std::string& base64) {
  static const std::string digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int held = 0;
  for (const char c : base64) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string::npos) {
      break;
    }
    bits = bits << 6 | static_cast<unsigned>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(bits >> held & 0xff);
    }
  }
  return bytes;
}

json job_of(const ProcessCluster& cluster, const std::string& job) {
  const json document = json::parse(cluster.fastgpu({"show", job, "--json"}).out, nullptr, false);
  return document.is_object() ? document : json::object();
}

std::vector<json> tasks_of(const ProcessCluster& cluster, const std::string& job) {
  const json document = job_of(cluster, job);
  EXPECT_TRUE(document.contains("tasks")) << document.dump();
  return document.contains("tasks") ? document["tasks"].get<std::vector<json>>()
                                    : std::vector<json>{};
}

bool await(const std::function<bool()>& is_so, Seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

bool await_item(const ProcessCluster& cluster, int asked, std::vector<std::string> words,
                const std::function<bool(const json&)>& is_so) {
  words.push_back("--json");
  return await([&] {
    const Finished listed = cluster.fastgpu_at(asked, words);
    const json document = json::parse(listed.out, nullptr, false);
    const json items = document.is_object() ? document.value("items", json::array()) : json();
    return std::any_of(items.begin(), items.end(), is_so);
  });
}

bool await_seen(const ProcessCluster& cluster, int asked, const std::string& name,
                const std::string& state) {
  return await_item(cluster, asked, {"node", "list"}, [&](const json& node) {
    return node.value("name", "") == name && node.value("state", "") == state;
  });
}

bool await_devices(const ProcessCluster& cluster, int asked, int nodes) {
  bool all = true;
  for (int node = 0; node < nodes; ++node) {
    all = all && await_item(cluster, asked, {"gpus"}, [node](const json& device) {
            return device.value("node", "") == "n" + std::to_string(node + 1) &&
                   device.value("node_state", "") == "up" && device.value("healthy", false);
          });
  }
  return all;
}

}  // namespace fastgpu::testing
