#pragma once

/// Values that the tests of the log store share, and its two kinds of files.

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/logs/file_logs.hpp"
#include "runtime/logs/log_store.hpp"
#include "runtime/logs/memory_logs.hpp"

namespace fastgpu::logs::test {

inline base::AttemptId attempt(std::uint64_t sequence) {
  return {{1}, {1}, {2}, sequence};
}

inline base::LogRecord record(std::uint64_t job, std::uint32_t task, std::string_view text,
                              base::LogStream stream = base::LogStream::output) {
  return {{job},
          task,
          attempt(task + 1),
          stream,
          1'700'000'000'000'000'000 + task,
          base::Bytes::copy_of(text)};
}

inline std::vector<std::string> texts(const LogPiece& piece) {
  std::vector<std::string> all;
  for (const base::LogRecord& one : piece.records) {
    all.emplace_back(one.bytes.text());
  }
  return all;
}

/// Real files in a folder that goes with the test.
class RealFiles {
 public:
  RealFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "fastgpu-logs.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~RealFiles() { std::filesystem::remove_all(folder_); }
  RealFiles(const RealFiles&) = delete;
  RealFiles& operator=(const RealFiles&) = delete;

  /// As the next life of the node finds them.
  std::shared_ptr<LogFiles> files() { return std::move(FileLogs::open(folder_ / "logs")).value(); }
  /// A byte of a file changes, or the file loses its end.
  void damage(const LogFileName& name, std::uint64_t offset) {
    auto files = this->files();
    std::vector<std::uint8_t> byte(1);
    byte[0] = static_cast<std::uint8_t>(files->read(name, offset, 1).value().data()[0] ^ 0x40);
    ASSERT_TRUE(files->overwrite(name, offset, byte).ok());
  }
  void cut(const LogFileName& name, std::uint64_t size_bytes) {
    ASSERT_TRUE(files()->append(name, size_bytes, {}).ok());
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder_)) {
      if (file.path().filename() ==
          std::to_string(name.job.value) + "." + std::to_string(name.segment)) {
        std::filesystem::resize_file(file.path(), size_bytes);
      }
    }
  }

 private:
  std::filesystem::path folder_;
};

class SimulatedFiles {
 public:
  std::shared_ptr<LogFiles> files() { return memory_; }
  void damage(const LogFileName& name, std::uint64_t offset) { memory_->damage(name, offset); }
  void cut(const LogFileName& name, std::uint64_t size_bytes) {
    ASSERT_TRUE(memory_->append(name, size_bytes, {}).ok());
  }

 private:
  std::shared_ptr<MemoryLogs> memory_ = std::make_shared<MemoryLogs>();
};

}  // namespace fastgpu::logs::test
