#pragma once

/// The few file operations that LogStore needs, so that it is the same code over a real folder
/// (FileLogs) and over one in memory (MemoryLogs).
///
/// Owned and called as the LogStore. A file is named by the job and the number of the segment.
/// Nothing is synced: what `append` returned lives in the operating system, survives the end of
/// the process by any signal, and may be lost from its tail in a power cut.
/// Failure: a change that could not be made is told with its reason and has changed nothing; a log
/// never stops the command that writes it. Reading gives an Error.

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::logs {

struct LogFileName {
  base::JobId job;
  std::uint32_t segment{};  ///< from 1
  auto operator<=>(const LogFileName&) const = default;
};

struct LogFileEntry {
  LogFileName name;
  std::uint64_t size_bytes{};
  bool operator==(const LogFileEntry&) const = default;
};

class LogFiles {
 public:
  virtual ~LogFiles() = default;
  /// All files, in the order of names.
  virtual base::Result<std::vector<LogFileEntry>> list() const = 0;
  /// Up to `length` bytes from `offset`; less at the end of the file.
  virtual base::Result<base::Bytes> read(const LogFileName& name, std::uint64_t offset,
                                         std::uint64_t length) = 0;
  /// Writes behind the file's present `size_bytes`, making the file if that is 0.
  virtual base::Status append(const LogFileName& name, std::uint64_t size_bytes,
                              std::span<const std::uint8_t> data) = 0;
  /// Writes over bytes that are there.
  virtual base::Status overwrite(const LogFileName& name, std::uint64_t offset,
                                 std::span<const std::uint8_t> data) = 0;
  /// A file that is not there is no failure.
  virtual void remove(const LogFileName& name) = 0;
};

}  // namespace fastgpu::logs
