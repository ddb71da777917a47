#pragma once

/// Where a history is written down while it happens. HistoryFile takes the lines of this program;
/// Recorder listens in every room for the commands of the nodes, whose lines it writes as they
/// come: the stamps in them are the commands' own. A command that is killed leaves no half a line
/// behind.

#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/result.hpp"
#include "tests/chaos/rooms.hpp"
#include "tests/history/history.hpp"

namespace fastgpu::chaos {

/// CLOCK_MONOTONIC, as all stamps.
history::Stamp now();

/// Appends to one file. Any thread.
class HistoryFile {
 public:
  explicit HistoryFile(const std::string& path) : file_(path) {}
  void add(const history::Entry& entry);
  void add_line(const std::string& line);

 private:
  std::mutex mutex_;
  std::ofstream file_;
};

class Recorder {
 public:
  /// Listens on this port of each room; outside, where there are none.
  static base::Result<std::unique_ptr<Recorder>> start(const Rooms& rooms, int count,
                                                       std::uint16_t port, HistoryFile& file);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

 private:
  struct Writer {
    int fd{};
    std::string rest;
  };
  explicit Recorder(HistoryFile& file);
  base::Status listen(std::uint16_t port);
  void record();
  bool read(Writer& writer);

  HistoryFile& file_;
  int wake_;
  std::vector<int> listeners_;
  std::vector<Writer> writers_;
  std::thread thread_;
};

}  // namespace fastgpu::chaos
