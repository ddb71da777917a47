#include "node/cli/text/log_text.hpp"

#include "node/cli/text/quantities.hpp"

namespace fastgpu::cli {
namespace {

std::string& stream_of(LogText& text, base::LogStream stream) {
  return stream == base::LogStream::output ? text.out : text.err;
}

}  // namespace

std::string LogLines::front_of(base::NodeId node, const base::LogRecord& record) const {
  std::string front;
  if (times_) {
    front += show_time(record.time_ns / 1'000'000) + " ";
  }
  if (prefix_) {
    front += "[" + std::to_string(record.task) + " " + names_.of(node) + "] ";
  }
  return front;
}

LogText LogLines::show(base::NodeId node, const base::LogRecord& record) {
  LogText text;
  if (record.stream == base::LogStream::notice) {
    text.err += std::string(record.bytes.text()) + "\n";
    return text;
  }
  if (base::is_mark(record.stream)) {
    return text;  // where attempts begin and end is told by the job itself
  }
  std::string& to = stream_of(text, record.stream);
  if (!prefix_ && !times_) {
    to += record.bytes.text();
    return text;
  }
  Line& line = lines_[{record.task, record.stream}];
  if (line.begun.empty()) {
    line.front = front_of(node, record);
  }
  for (const char c : record.bytes.text()) {
    line.begun += c;
    if (c == '\n') {
      to += line.front + std::exchange(line.begun, {});
      line.front = front_of(node, record);
    }
  }
  return text;
}

LogText LogLines::rest() {
  LogText text;
  for (auto& [key, line] : lines_) {
    if (!line.begun.empty()) {
      stream_of(text, key.second) += line.front + std::exchange(line.begun, {}) + "\n";
    }
  }
  return text;
}

Json json_log_record(base::NodeId node, const base::LogRecord& record, const Names& names) {
  return {{"schema", "fastgpu.log_record/1"},
          {"id", std::to_string(record.job.value)},
          {"task", record.task},
          {"attempt", record.attempt ? Json(base::to_string(record.attempt)) : Json(nullptr)},
          {"node", names.of(node)},
          {"stream", base::to_word(record.stream)},
          {"time", show_time(record.time_ns / 1'000'000)},
          {"text", std::string(record.bytes.text())}};
}

}  // namespace fastgpu::cli
