#pragma once

/// What a job printed, as a terminal shows it: whole lines, with the task in front where there are
/// several, and a line of our own where an attempt began again. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "node/cli/text/render.hpp"
#include "runtime/base/log_record.hpp"

namespace fastgpu::cli {

/// Text for the two streams of this program.
struct LogText {
  std::string out;
  std::string err;
};

class LogLines {
 public:
  /// `prefix`: name the task in front of each line. `times`: name the moment too.
  LogLines(const Names& names, bool prefix, bool times)
      : names_(names), prefix_(prefix), times_(times) {}

  LogText show(base::NodeId node, const base::LogRecord& record);
  /// What is left of lines without an end.
  LogText rest();

 private:
  struct Line {
    std::string begun;  ///< of a line that has no end yet
    std::string front;
  };
  using Key = std::pair<std::uint32_t, base::LogStream>;
  std::string front_of(base::NodeId node, const base::LogRecord& record) const;

  const Names& names_;
  bool prefix_;
  bool times_;
  std::map<Key, Line> lines_;
};

/// One record as a document of its own.
Json json_log_record(base::NodeId node, const base::LogRecord& record, const Names& names);

}  // namespace fastgpu::cli
