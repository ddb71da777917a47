#include "runtime/worker/run_times.hpp"

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crc32c.hpp"

namespace fastgpu::worker {

std::uint64_t program_of(const protocol::JobSpec& spec) {
  const auto& kernel = spec.kernel;
  std::string shape = kernel.name;
  for (std::size_t i = 0; i < 3; ++i)
    shape += "," + std::to_string(kernel.grid[i]) + "," + std::to_string(kernel.block[i]);
  for (const auto& word : spec.command.argv)
    shape += "," + word;
  const auto bytes = [](const std::string& text) {
    return std::span<const std::uint8_t>(reinterpret_cast<const std::uint8_t*>(text.data()),
                                         text.size());
  };
  return std::uint64_t{base::crc32c(kernel.source.span())} << 32 | base::crc32c(bytes(shape));
}

void RunTimes::hold(std::uint64_t program, std::uint32_t tasks) {
  Program& entry = programs_[program];
  entry.held += tasks;
  entry.used = ++uses_;
  if (programs_.size() > programs_max)
    forget_old();
}

void RunTimes::release(std::uint64_t program, std::uint32_t tasks) {
  Program& entry = programs_[program];
  FASTGPU_CHECK(entry.held >= tasks, "tasks released were held");
  entry.held -= tasks;
}

void RunTimes::ran(std::uint64_t program, std::int64_t ns) {
  Program& entry = programs_[program];
  const std::int64_t run = std::max<std::int64_t>(ns, 1);
  entry.mean_ns = entry.mean_ns == 0 ? run : entry.mean_ns + (run - entry.mean_ns) / 8;
}

std::int64_t RunTimes::mean_ns(std::uint64_t program) const {
  const auto found = programs_.find(program);
  return found == programs_.end() ? 0 : found->second.mean_ns;
}

void RunTimes::forget_old() {
  auto oldest = programs_.end();
  for (auto it = programs_.begin(); it != programs_.end(); ++it)
    if (it->second.held == 0 &&
        (oldest == programs_.end() || it->second.used < oldest->second.used))
      oldest = it;
  if (oldest != programs_.end())
    programs_.erase(oldest);
}

std::int64_t RunTimes::backlog_ns(protocol::DeviceKind kind) const {
  const std::int64_t guess = kind == protocol::DeviceKind::null ? guess_null_ns : guess_ns;
  std::int64_t sum = 0;
  for (const auto& [program, entry] : programs_)
    if (entry.held != 0)
      sum += entry.held * (entry.mean_ns != 0 ? entry.mean_ns : guess);
  return sum;
}

}  // namespace fastgpu::worker
