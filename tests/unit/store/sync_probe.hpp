#pragma once

/// Stands between the database and the system's fdatasync, for the whole test program: counts the
/// syncs of write-ahead logs, and can make them fail as a bad disk does.

#include <atomic>
#include <cstdint>

namespace fastgpu::store {

struct SyncProbe {
  std::atomic<std::uint64_t> log_syncs{0};
  std::atomic<bool> log_syncs_fail{false};
};

SyncProbe& sync_probe();

}  // namespace fastgpu::store
