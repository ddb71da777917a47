// What tables and JSON documents have in common.

#include "node/cli/text/render.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "node/cli/text/quantities.hpp"
#include "runtime/protocol/arguments.hpp"

namespace fastgpu::cli {

Names::Names(const protocol::ClusterStatus& status) {
  for (const protocol::NodeView& node : status.nodes) {
    names_[node.info.node] = node.info.name;
    for (const protocol::DeviceBooks& books : node.devices) {
      devices_[books.device] =
          std::string(protocol::to_word(books.kind)) + ":" + std::to_string(books.device.ordinal);
    }
  }
}

std::string Names::of(base::NodeId node) const {
  const auto found = names_.find(node);
  if (found != names_.end() && !found->second.empty()) {
    return found->second;
  }
  return node ? base::to_string(node) : std::string();
}

std::string Names::of(base::DeviceId device) const {
  if (!device.node) {
    return {};
  }
  const auto found = devices_.find(device);
  const std::string which =
      found == devices_.end() ? "device " + std::to_string(device.ordinal) : found->second;
  return of(device.node) + " " + which;
}

Stamp stamp_of(const protocol::ClusterStatus& status, Stamp stamp) {
  std::int64_t oldest_ns = 0;
  for (const protocol::NodeView& node : status.nodes) {
    if (node.state != protocol::NodeState::down && node.info.node != status.source) {
      oldest_ns = std::max(oldest_ns, node.age_ns);
    }
  }
  stamp.age_ms += oldest_ns / 1'000'000;
  return stamp;
}

std::string as_of_line(Stamp stamp, const std::string& source) {
  const std::chrono::milliseconds old(stamp.age_ms);
  std::array<char, 32> tenths{};
  std::snprintf(tenths.data(), tenths.size(), "%.1f s", static_cast<double>(stamp.age_ms) / 1e3);
  return "as of " +
         (old < std::chrono::minutes(1) ? std::string(tenths.data()) : show_duration(old)) +
         " ago (" + source + ")";
}

ClusterCounts count(const protocol::ClusterStatus& status, const protocol::JobList& jobs) {
  ClusterCounts counts;
  for (const protocol::NodeView& node : status.nodes) {
    ++counts.nodes;
    counts.nodes_up += node.state == protocol::NodeState::up ? 1 : 0;
    counts.nodes_suspect += node.state == protocol::NodeState::suspect ? 1 : 0;
    if (node.state == protocol::NodeState::down) {
      continue;  // its devices are away with it
    }
    counts.copies_due += node.duties ? node.duties->copies_due : 0;
    for (const protocol::DeviceBooks& books : node.devices) {
      ++counts.devices;
      counts.devices_busy += books.slots_free < books.slots_total ? 1 : 0;
    }
  }
  for (const protocol::JobSummary& job : jobs.jobs) {
    counts.jobs_pending += job.state == protocol::TaskState::pending ? 1 : 0;
    counts.jobs_running += job.state == protocol::TaskState::running ? 1 : 0;
  }
  return counts;
}

std::string ranges_text(const std::vector<base::TaskRange>& ranges) {
  std::string text;
  for (const base::TaskRange& range : ranges) {
    text += (text.empty() ? "" : ",") + std::to_string(range.first);
    text += range.count > 1 ? "-" + std::to_string(range.end() - 1) : "";
  }
  return text;
}

std::string labels_text(const protocol::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += (text.empty() ? "" : " ") + name + "=" + value;
  }
  return text;
}

std::string command_line(const std::vector<std::string>& argv) {
  static constexpr const char* plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%{}";
  std::string line;
  for (const std::string& word : argv) {
    line += line.empty() ? "" : " ";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) {
      line += c == '\'' ? "'\\''" : std::string(1, c);
    }
    line += '\'';
  }
  return line;
}

std::vector<std::string> output_files(const protocol::JobDetail& detail, std::uint32_t task) {
  std::vector<std::string> files;
  if (!detail.spec) {
    return files;
  }
  if (detail.spec->is_command()) {
    for (const protocol::TaskReport& report : detail.reports) {
      if (report.range.contains(task)) {
        files = report.outcome.command.output_paths;
      }
    }
    return files;
  }
  for (const protocol::Argument& argument : detail.spec->kernel.arguments) {
    const auto* buffer = std::get_if<protocol::BufferArgument>(&argument);
    if (buffer &&
        (buffer->use == protocol::BufferUse::out || buffer->use == protocol::BufferUse::inout)) {
      files.push_back(protocol::fill_in(buffer->name, *detail.spec, task));
    }
  }
  return files;
}

}  // namespace fastgpu::cli
