#include "runtime/worker/worker_text.hpp"

#include <array>
#include <cstdio>

namespace fastgpu::worker {

namespace {

std::string triple(const std::array<std::uint32_t, 3>& v) {
  return "(" + std::to_string(v[0]) + "," + std::to_string(v[1]) + "," + std::to_string(v[2]) + ")";
}

}  // namespace

std::string seconds_text(std::int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g s", static_cast<double>(ns) / 1e9);
  return text;
}

std::string milliseconds_text(std::int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g ms", static_cast<double>(ns) / 1e6);
  return text;
}

std::string launch_text(const protocol::JobSpec& spec) {
  return "kernel " + spec.kernel.name + ", grid " + triple(spec.kernel.grid) + ", block size " +
         triple(spec.kernel.block);
}

}  // namespace fastgpu::worker
