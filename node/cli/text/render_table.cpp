#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "node/cli/text/quantities.hpp"
#include "node/cli/text/render.hpp"

namespace fastgpu::cli {
namespace {

using protocol::TaskState;
using std::chrono::nanoseconds;

/// Columns as wide as their widest cell, two blanks apart, no blanks at line ends.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { add(std::move(head)); }
  void add(std::vector<std::string> row) {
    widths_.resize(std::max(widths_.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i].empty()) {
        row[i] = "-";
      }
      widths_[i] = std::max(widths_[i], row[i].size());
    }
    rows_.push_back(std::move(row));
  }
  std::string text() const {
    std::string all;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        line += row[i];
        line += i + 1 < row.size() ? std::string(widths_[i] - row[i].size() + 2, ' ') : "";
      }
      line.erase(line.find_last_not_of(' ') + 1);
      all += line + "\n";
    }
    return all;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

std::uint32_t count_of(const protocol::JobSummary& summary, TaskState state) {
  return summary.counts[static_cast<std::size_t>(state)];
}

std::uint64_t total_of(const protocol::JobSummary& summary) {
  std::uint64_t total = 0;
  for (const std::uint32_t tasks : summary.counts) {
    total += tasks;
  }
  return total;
}

std::string joined(const std::vector<base::NodeId>& nodes, const Names& names) {
  std::string text;
  for (const base::NodeId node : nodes) {
    text += (text.empty() ? "" : ",") + names.of(node);
  }
  return text;
}

std::string age(std::int64_t from_ms, std::int64_t to_ms) {
  return show_duration(nanoseconds(std::max<std::int64_t>(0, to_ms - from_ms) * 1'000'000));
}

/// What a person wants to know of a live job: why it waits, or how its tasks fare.
std::string reason_of(const protocol::JobSummary& summary) {
  std::string text;
  for (const TaskState state : {TaskState::failed, TaskState::timed_out, TaskState::lost}) {
    if (count_of(summary, state) != 0 && total_of(summary) > 1) {
      text += (text.empty() ? "" : ", ") + std::to_string(count_of(summary, state)) + " " +
              protocol::to_word(state);
    }
  }
  if (summary.waiting.code != protocol::WaitingCode::none) {
    text += text.empty() ? "" : "; ";
    text += summary.waiting.sentence.empty() ? protocol::to_word(summary.waiting.code)
                                             : summary.waiting.sentence;
  }
  return text;
}

std::string done_of(const protocol::JobSummary& summary) {
  const std::uint64_t live =
      count_of(summary, TaskState::pending) + count_of(summary, TaskState::running);
  return std::to_string(total_of(summary) - live) + "/" + std::to_string(total_of(summary));
}

const char* state_of(const protocol::NodeView& node, const protocol::ClusterStatus& status) {
  if (node.info.state == protocol::MemberState::active || node.state != protocol::NodeState::up) {
    return protocol::to_word(node.state);
  }
  return protocol::is_drained(node, status.nodes) ? "drained" : protocol::to_word(node.info.state);
}

/// Replicas that vote and copies that are due, of a node that can say so now; else empty.
std::pair<std::string, std::string> duties_of(const protocol::NodeView& node) {
  if (!node.duties || node.state == protocol::NodeState::down) {
    return {};
  }
  const std::string due = std::to_string(node.duties->copies_due);
  return {std::to_string(node.duties->voting_replicas),
          node.duties->copies_counted ? due : "at least " + due};
}

/// Why a device does not do all that it is there for. A null device is not there for commands.
std::string unable_line(const protocol::DeviceBooks& books, const Names& names) {
  const std::string name = names.of(books.device);
  if (!books.healthy) {
    return name + " is unhealthy: " + books.unhealthy_why + "\n";
  }
  return books.no_commands_why.empty() || books.kind == protocol::DeviceKind::null
             ? ""
             : name + " takes no commands: " + books.no_commands_why + "\n";
}

/// What the drivers tell of the devices, for those of which they tell.
std::string telemetry_table(const protocol::ClusterStatus& status, const Names& names) {
  Table table({"GPU", "USED", "UTIL", "TEMP", "POWER", "ECC", "XID"});
  std::string remarks;
  bool any = false;
  for (const protocol::NodeView& node : status.nodes) {
    for (const protocol::DeviceBooks& books : node.devices) {
      if (!books.telemetry || node.state == protocol::NodeState::down) {
        continue;
      }
      const protocol::DeviceTelemetry& told = *books.telemetry;
      const auto with = [](const auto& number, const char* unit) {
        return number ? std::to_string(*number) + unit : std::string{};
      };
      table.add({names.of(books.device), show_size(told.memory_bytes_used),
                 with(told.utilisation_percent, " %"), with(told.temperature_celsius, " C"),
                 told.power_milliwatts ? std::to_string(*told.power_milliwatts / 1000) + " W" : "",
                 with(told.ecc_errors, ""),
                 told.last_xid == 0 ? "" : std::to_string(told.last_xid)});
      remarks += told.remark.empty() ? "" : names.of(books.device) + ": " + told.remark + "\n";
      any = true;
    }
  }
  return any ? "\n" + table.text() + remarks : "";
}

}  // namespace

std::string table_job_list(const protocol::JobList& list, const Names& names, Stamp stamp) {
  Table table({"ID", "NAME", "STATE", "DEVICE", "NODE", "DONE", "AGE", "REASON"});
  for (const protocol::JobSummary& job : list.jobs) {
    const std::int64_t end = job.finished_at_ms != 0 ? job.finished_at_ms : stamp.now_ms;
    table.add({std::to_string(job.job.value), job.name, protocol::to_word(job.state),
               protocol::to_word(job.kind), joined(job.nodes, names), done_of(job),
               age(job.submitted_at_ms, end), reason_of(job)});
  }
  std::string text = list.jobs.empty() ? "no active jobs\n" : table.text();
  if (list.finished_hidden != 0) {
    text += std::to_string(list.finished_hidden) + " finished (fastgpu ps -a)     ";
  }
  text += as_of_line(stamp, names.of(list.source)) + "\n";
  if (list.shards_unanswered != 0) {
    text +=
        "INCOMPLETE: " + std::to_string(list.shards_unanswered) +
        " parts of the ledger did not answer; their jobs are missing here (fastgpu node list)\n";
  }
  return text;
}

std::string table_job(const protocol::JobDetail& detail, const Names& names, Stamp stamp) {
  const protocol::JobSummary& job = detail.summary;
  std::string text = "job " + line_of_counts(job) + "\n";
  text += "state      " + std::string(protocol::to_word(job.state)) + "\n";
  if (detail.spec && detail.spec->is_command()) {
    text += "command    " + command_line(detail.spec->command.argv) + "\n";
  } else if (detail.spec) {
    const auto& kernel = detail.spec->kernel;
    const auto sides = [](const std::array<std::uint32_t, 3>& side) {
      return std::to_string(side[0]) + " x " + std::to_string(side[1]) + " x " +
             std::to_string(side[2]);
    };
    text += "kernel     " + kernel.name + "  grid " + sides(kernel.grid) + "  block " +
            sides(kernel.block) + "\n";
  }
  if (detail.spec && !detail.spec->items.ranges.empty()) {
    const protocol::TaskItems& items = detail.spec->items;
    text += "again      " + ranges_text(items.ranges) + " of the " + std::to_string(items.count) +
            " tasks of job " + base::to_string(items.job) + "\n";
  }
  if (!job.labels.empty()) {
    text += "labels     " + labels_text(job.labels) + "\n";
  }
  text += "submitted  " + show_time(job.submitted_at_ms) + "\n";
  const std::int64_t end = job.finished_at_ms != 0 ? job.finished_at_ms : stamp.now_ms;
  text += (job.finished_at_ms != 0 ? "took       " : "age        ") +
          age(job.submitted_at_ms, end) + "; " + show_duration(nanoseconds(job.device_ns)) +
          " of device time\n";
  if (const std::string reason = reason_of(job); !reason.empty()) {
    text += "reason     " + reason + "\n";
  }
  if (!detail.reports.empty()) {
    Table table({"TASK", "STATE", "WHERE", "ATTEMPT", "QUEUE", "COMPILE", "RUN", "REASON"});
    for (const protocol::TaskReport& report : detail.reports) {
      const protocol::TaskOutcome& outcome = report.outcome;
      const protocol::Timings& took = outcome.timings;
      const bool failed = outcome.reason != base::FailureReason::none;
      table.add({ranges_text({report.range}), protocol::to_word(outcome.state),
                 names.of(outcome.device), outcome.attempt ? base::to_string(outcome.attempt) : "",
                 show_duration(nanoseconds(took.queue_ns)),
                 took.compile_cached ? "cached" : show_duration(nanoseconds(took.compile_ns)),
                 show_duration(nanoseconds(took.run_ns)),
                 failed ? std::string(base::to_word(outcome.reason)) + ": " +
                              outcome.message.substr(0, outcome.message.find('\n'))
                        : ""});
    }
    text += "\n" + table.text();
  }
  return text + as_of_line(stamp, names.of(detail.source)) + "\n";
}

std::string table_cluster(const protocol::ClusterStatus& status, const protocol::JobList& jobs,
                          const Names& names, Stamp stamp) {
  const ClusterCounts counts = count(status, jobs);
  const std::string id = base::to_string(status.cluster);
  std::string text = "cluster " + id.substr(0, 8) + "   " + std::to_string(counts.nodes_up) + "/" +
                     std::to_string(counts.nodes) + " nodes up   " +
                     as_of_line(stamp_of(status, stamp), names.of(status.source)) + "\n";
  text += "devices    " + std::to_string(counts.devices) + " total   " +
          std::to_string(counts.devices_busy) + " busy   " +
          std::to_string(counts.devices - counts.devices_busy) + " free\n";
  text += "jobs       " + std::to_string(counts.jobs_pending) + " pending   " +
          std::to_string(counts.jobs_running) + " running   " +
          std::to_string(jobs.finished_hidden) + " finished\n";
  if (jobs.shards_unanswered != 0) {
    text += "INCOMPLETE: " + std::to_string(jobs.shards_unanswered) +
            " parts of the ledger did not answer; their jobs are not counted\n";
  }
  if (counts.copies_due != 0) {
    text += std::to_string(counts.copies_due) +
            (counts.copies_due == 1
                 ? " object has fewer copies than wanted; it is being copied\n"
                 : " objects have fewer copies than wanted; they are being copied\n");
  }
  return text;
}

std::string table_nodes(const protocol::ClusterStatus& status, const Names& names, Stamp stamp) {
  Table table({"NAME", "ADDRESS", "STATE", "DEVICES", "SHARDS", "REPLICAS", "COPIES DUE", "HEARD"});
  for (const protocol::NodeView& node : status.nodes) {
    std::string shards;
    for (const protocol::LedShard& led : node.leads) {
      shards += (shards.empty() ? "" : ",") + std::to_string(led.shard.value);
    }
    const bool self = node.info.node == status.source;
    const auto [replicas, copies_due] = duties_of(node);
    table.add({node.info.name, node.info.address, state_of(node, status),
               std::to_string(node.devices.size()), shards, replicas, copies_due,
               self ? "now" : show_duration(nanoseconds(node.age_ns)) + " ago"});
  }
  return table.text() + as_of_line(stamp_of(status, stamp), names.of(status.source)) + "\n";
}

std::string table_devices(const protocol::ClusterStatus& status, const Names& names, Stamp stamp) {
  Table table({"NODE", "DEVICE", "MODEL", "MEMORY", "FREE", "SLOTS", "QUEUED", "STATE"});
  std::string notes;
  for (const protocol::NodeView& node : status.nodes) {
    for (const protocol::DeviceBooks& books : node.devices) {
      const bool away = node.state == protocol::NodeState::down;
      const bool busy = books.slots_free < books.slots_total;
      table.add(
          {node.info.name,
           std::string(protocol::to_word(books.kind)) + ":" + std::to_string(books.device.ordinal),
           books.model, show_size(books.memory_bytes_total), show_size(books.memory_bytes_free),
           std::to_string(books.slots_free) + "/" + std::to_string(books.slots_total),
           std::to_string(books.queued_tasks),
           away             ? "away"
           : !books.healthy ? "unhealthy"
           : busy           ? "busy"
                            : "free"});
      notes += away ? "" : unable_line(books, names);
    }
  }
  return table.text() + notes + telemetry_table(status, names) +
         as_of_line(stamp_of(status, stamp), names.of(status.source)) + "\n";
}

std::string line_of_counts(const protocol::JobSummary& summary) {
  std::string counts;
  for (const TaskState state :
       {TaskState::succeeded, TaskState::failed, TaskState::timed_out, TaskState::lost,
        TaskState::cancelled, TaskState::running, TaskState::pending}) {
    if (count_of(summary, state) != 0) {
      counts += (counts.empty() ? "" : ", ") + std::to_string(count_of(summary, state)) + " " +
                protocol::to_word(state);
    }
  }
  const std::string name = summary.name.empty() ? "" : " " + summary.name;
  return std::to_string(summary.job.value) + name + ": " + counts + " of " +
         std::to_string(total_of(summary));
}

std::string lines_of_timings(const protocol::JobDetail& detail, const Names& names) {
  std::map<std::string, std::uint32_t> where;
  std::vector<std::int64_t> run_ns;
  std::uint32_t compiled = 0;
  std::int64_t compile_ns = 0;
  for (const protocol::TaskReport& report : detail.reports) {
    if (!report.outcome.device.node) {
      continue;
    }
    const protocol::Timings& took = report.outcome.timings;
    where[names.of(report.outcome.device)] += report.range.count;
    run_ns.insert(run_ns.end(), report.range.count, took.run_ns);
    compiled += took.compile_cached ? 0 : report.range.count;
    compile_ns = std::max(compile_ns, took.compile_ns);
  }
  if (run_ns.empty()) {
    return {};
  }
  if (run_ns.size() == 1) {
    const protocol::Timings& took = detail.reports.front().outcome.timings;
    return "ran on " + where.begin()->first + ": queue " +
           show_duration(nanoseconds(took.queue_ns)) + ", compile " +
           show_duration(nanoseconds(took.compile_ns)) + (took.compile_cached ? " (cached)" : "") +
           ", copy in " + show_duration(nanoseconds(took.copy_in_ns)) + ", run " +
           show_duration(nanoseconds(took.run_ns)) + ", copy out " +
           show_duration(nanoseconds(took.copy_out_ns)) + "\n";
  }
  std::sort(run_ns.begin(), run_ns.end());
  std::string text = "ran on";
  for (const auto& [device, tasks] : where) {
    text += (text == "ran on" ? " " : ", ") + device + " " + std::to_string(tasks);
  }
  return text + "\nrun " + show_duration(nanoseconds(run_ns[run_ns.size() / 2])) + " median, " +
         show_duration(nanoseconds(run_ns.back())) + " longest; compiled " +
         std::to_string(compiled) + " of " + std::to_string(run_ns.size()) + " times, " +
         show_duration(nanoseconds(compile_ns)) + " longest\n";
}

}  // namespace fastgpu::cli
