#include "runtime/base/ids.hpp"

#include <cinttypes>
#include <cstdio>

namespace fastgpu::base {
namespace {

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, value);
  return text;
}

}  // namespace

std::string to_string(NodeId node) {
  return "n" + std::to_string(node.value);
}

std::string to_string(JobId job) {
  return std::to_string(job.value);
}

std::string to_string(const AttemptId& attempt) {
  return std::to_string(attempt.shard.value) + "." + std::to_string(attempt.epoch.value) + "." +
         std::to_string(attempt.term.value) + "." + std::to_string(attempt.sequence);
}

std::string to_string(const DeviceId& device) {
  return to_string(device.node) + "/" + std::to_string(device.ordinal);
}

std::string to_string(const ObjectHash& hash) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(hash.bytes.size() * 2);
  for (std::uint8_t byte : hash.bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string to_string(const ClusterId& cluster) {
  return hex(cluster.high) + hex(cluster.low);
}

std::string to_string(const RequestId& request) {
  return std::to_string(request.shard.value) + "-" + hex(request.high) + hex(request.low);
}

}  // namespace fastgpu::base
