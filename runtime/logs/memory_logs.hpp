#pragma once

/// The in-memory twin of FileLogs, for simulation and tests. Owned by the harness, per simulated
/// node; it outlives the node's lives. One thread. `crash` plays a power cut.

#include <map>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/logs/log_files.hpp"

namespace fastgpu::logs {

class MemoryLogs final : public LogFiles {
 public:
  base::Result<std::vector<LogFileEntry>> list() const override;
  base::Result<base::Bytes> read(const LogFileName& name, std::uint64_t offset,
                                 std::uint64_t length) override;
  base::Status append(const LogFileName& name, std::uint64_t size_bytes,
                      std::span<const std::uint8_t> data) override;
  base::Status overwrite(const LogFileName& name, std::uint64_t offset,
                         std::span<const std::uint8_t> data) override;
  void remove(const LogFileName& name) override;

  /// Each file keeps a drawn part of its last 4 KiB, perhaps filled up with zeros.
  void crash(base::Random& random);
  /// From now on what needs more than this in all finds the disk full.
  void set_capacity(std::uint64_t bytes) { capacity_bytes_ = bytes; }
  /// Changes a byte behind everybody's back.
  void damage(const LogFileName& name, std::uint64_t offset);

 private:
  std::map<LogFileName, std::vector<std::uint8_t>> files_;
  std::uint64_t capacity_bytes_{UINT64_MAX};
};

}  // namespace fastgpu::logs
