// The lines between the watching child and the node, and what they mean.

#include <charconv>
#include <sstream>
#include <vector>

#include "runtime/exec/cuda/gpu_watch.hpp"

namespace fastgpu::exec {
namespace {

constexpr const char* unknown = "-";

template <class Number>
std::string field(const std::optional<Number>& value) {
  return value ? std::to_string(*value) : unknown;
}

/// False for text that is no number.
template <class Number>
bool read(const std::string& text, Number& value) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ec == std::errc{} && end.ptr == text.data() + text.size();
}

template <class Number>
bool read(const std::string& text, std::optional<Number>& value) {
  if (text == unknown)
    return true;
  value.emplace();
  return read(text, *value);
}

struct ToLine {
  std::string operator()(const GpuSample& sample) const {
    return "sample\t" + sample.uuid + "\t" + (sample.lost ? "lost" : "there") + "\t" +
           std::to_string(sample.memory_used_bytes) + "\t" +
           std::to_string(sample.memory_total_bytes) + "\t" + field(sample.utilisation_percent) +
           "\t" + field(sample.temperature_celsius) + "\t" + field(sample.power_milliwatts) + "\t" +
           field(sample.ecc_errors);
  }
  /// "processes", the device, then "pid:bytes" of each.
  std::string operator()(const GpuProcesses& list) const {
    std::string line = "processes\t" + list.uuid;
    for (const GpuProcess& one : list.processes)
      line += "\t" + std::to_string(one.process) + ":" + field(one.memory_bytes);
    return line;
  }
  std::string operator()(const GpuXid& xid) const {
    return "xid\t" + xid.uuid + "\t" + std::to_string(xid.number);
  }
  std::string operator()(const GpuWatchTrouble& trouble) const { return "trouble\t" + trouble.why; }
};

std::optional<GpuNews> read_processes(const std::vector<std::string>& fields) {
  GpuProcesses list{fields[1], {}};
  for (std::size_t i = 2; i < fields.size(); ++i) {
    const std::size_t colon = fields[i].find(':');
    GpuProcess one;
    if (colon == std::string::npos || !read(fields[i].substr(0, colon), one.process) ||
        !read(fields[i].substr(colon + 1), one.memory_bytes))
      return std::nullopt;
    list.processes.push_back(one);
  }
  return list;
}

}  // namespace

std::string to_line(const GpuNews& news) {
  return std::visit(ToLine{}, news);
}

std::optional<GpuNews> parse_gpu_news(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string one; std::getline(in, one, '\t');)
    fields.push_back(std::move(one));
  if (fields.size() == 9 && fields[0] == "sample") {
    GpuSample sample;
    sample.uuid = fields[1];
    sample.lost = fields[2] == "lost";
    if (read(fields[3], sample.memory_used_bytes) && read(fields[4], sample.memory_total_bytes) &&
        read(fields[5], sample.utilisation_percent) &&
        read(fields[6], sample.temperature_celsius) && read(fields[7], sample.power_milliwatts) &&
        read(fields[8], sample.ecc_errors))
      return sample;
  } else if (fields.size() >= 2 && fields[0] == "processes") {
    return read_processes(fields);
  } else if (fields.size() == 3 && fields[0] == "xid") {
    GpuXid xid{fields[1], 0};
    if (read(fields[2], xid.number))
      return xid;
  } else if (fields.size() == 2 && fields[0] == "trouble") {
    return GpuWatchTrouble{fields[1]};
  }
  return std::nullopt;
}

bool blames_device(std::uint64_t xid) {
  switch (xid) {
    case 13:   // graphics engine exception: as a rule a wild access
    case 31:   // memory page fault
    case 43:   // the program's channel was stopped
    case 45:   // the program was ended before
    case 68:   // video processor exception
    case 109:  // context switch timeout
      return false;
    default:
      return true;
  }
}

}  // namespace fastgpu::exec
