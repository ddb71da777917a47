#pragma once

/// The LogFiles on a real file system: one folder of this node, owned by its LogStore's actor. The
/// file of job 17's segment 2 is `11/17.2`, under the last two hexadecimal digits of the job.
/// At most limits::log_files_open_max files are kept open.

#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "runtime/logs/log_files.hpp"

namespace fastgpu::logs {

class FileLogs final : public LogFiles {
 public:
  /// Makes `path` if it is not there, readable by its owner only.
  static base::Result<std::unique_ptr<FileLogs>> open(std::string path);
  ~FileLogs() override;
  FileLogs(const FileLogs&) = delete;
  FileLogs& operator=(const FileLogs&) = delete;

  base::Result<std::vector<LogFileEntry>> list() const override;
  base::Result<base::Bytes> read(const LogFileName& name, std::uint64_t offset,
                                 std::uint64_t length) override;
  base::Status append(const LogFileName& name, std::uint64_t size_bytes,
                      std::span<const std::uint8_t> data) override;
  base::Status overwrite(const LogFileName& name, std::uint64_t offset,
                         std::span<const std::uint8_t> data) override;
  void remove(const LogFileName& name) override;

 private:
  using Open = std::list<std::pair<LogFileName, int>>;  ///< the one used last in front

  explicit FileLogs(std::string path) : path_(std::move(path)) {}
  std::string folder_of(const LogFileName& name) const;
  std::string full(const LogFileName& name) const;
  /// The file descriptor of an open file; -1 with errno set where it cannot be opened.
  int use(const LogFileName& name, bool make);
  void forget(Open::iterator file);

  const std::string path_;
  Open open_;
  std::map<LogFileName, Open::iterator> by_name_;
};

}  // namespace fastgpu::logs
