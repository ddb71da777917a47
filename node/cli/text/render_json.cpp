#include <algorithm>
#include <cstdint>
#include <utility>

#include "client/error_table.hpp"
#include "client/error_words.hpp"
#include "client/failure_table.hpp"
#include "node/cli/text/quantities.hpp"
#include "node/cli/text/render.hpp"

namespace fastgpu::cli {
namespace {

using protocol::TaskState;

std::string id_text(base::JobId job) {
  return std::to_string(job.value);
}

double seconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;  // rounded once: 0.051 stays 0.051
}

Json time_or_null(std::int64_t milliseconds) {
  return milliseconds == 0 ? Json(nullptr) : Json(show_time(milliseconds));
}

/// An empty source: no node was asked.
Json document(const char* schema, const std::string& source, Stamp stamp, bool stale = false) {
  return {{"schema", schema},
          {"as_of", show_time(stamp.now_ms - stamp.age_ms)},
          {"source", source.empty() ? Json(nullptr) : Json(source)},
          {"stale", stale}};
}

std::string base64(std::span<const std::uint8_t> data) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < data.size(); at += 3) {
    std::uint32_t three = 0;
    const std::size_t there = std::min<std::size_t>(3, data.size() - at);
    for (std::size_t i = 0; i < 3; ++i) {
      three = three << 8 | (i < there ? data[at + i] : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= there ? digits[three >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

Json task_counts(const protocol::JobSummary& summary) {
  Json counts;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < protocol::task_state_count; ++i) {
    total += summary.counts[i];
  }
  counts["total"] = total;
  for (std::size_t i = 0; i < protocol::task_state_count; ++i) {
    counts[protocol::to_word(static_cast<TaskState>(i))] = summary.counts[i];
  }
  return counts;
}

void add_summary(Json& to, const protocol::JobSummary& summary, const Names& names) {
  to["id"] = id_text(summary.job);
  to["name"] = summary.name;
  to["state"] = protocol::to_word(summary.state);
  to["device"] = protocol::to_word(summary.kind);
  to["task_counts"] = task_counts(summary);
  to["nodes"] = Json::array();
  for (const base::NodeId node : summary.nodes) {
    to["nodes"].push_back(names.of(node));
  }
  to["submitted_at"] = time_or_null(summary.submitted_at_ms);
  to["finished_at"] = time_or_null(summary.finished_at_ms);
  to["device_seconds"] = seconds(summary.device_ns);
  to["labels"] = Json::object();
  for (const auto& [name, value] : summary.labels) {
    to["labels"][name] = value;
  }
  if (summary.waiting.code == protocol::WaitingCode::none) {
    to["waiting"] = nullptr;
  } else {
    to["waiting"] = {{"reason", protocol::to_word(summary.waiting.code)},
                     {"message", summary.waiting.sentence}};
  }
}

Json output_record(const protocol::Data& data, const std::string& name) {
  Json record{{"name", name}};
  if (const auto* bytes = std::get_if<base::Bytes>(&data)) {
    record["size_bytes"] = bytes->size();
    record["data_base64"] = base64(bytes->span());
  } else {
    const auto& object = std::get<protocol::ObjectRef>(data);
    record["size_bytes"] = object.size_bytes;
    record["sha256"] = base::to_string(object.hash);
  }
  return record;
}

Json timings_record(const protocol::Timings& timings) {
  return {{"queue_seconds", seconds(timings.queue_ns)},
          {"compile_seconds", seconds(timings.compile_ns)},
          {"compile_cached", timings.compile_cached},
          {"copy_in_seconds", seconds(timings.copy_in_ns)},
          {"run_seconds", seconds(timings.run_ns)},
          {"copy_out_seconds", seconds(timings.copy_out_ns)}};
}

Json command_end_record(const protocol::CommandEnd& end) {
  return {{"exit_code", end.signal == 0 ? Json(end.exit_code) : Json(nullptr)},
          {"signal", end.signal == 0 ? Json(nullptr) : Json(end.signal)},
          {"protection", end.protection},
          {"cpu_seconds", seconds(end.cpu_ns)},
          {"peak_memory_bytes", end.peak_memory_bytes},
          {"log_bytes_dropped", end.log_bytes_dropped}};
}

Json task_record(std::uint32_t task, const protocol::TaskOutcome& outcome,
                 const std::vector<std::string>& output_files, const Names& names) {
  Json record;
  record["task"] = task;
  record["state"] = protocol::to_word(outcome.state);
  record["reason"] = outcome.reason == base::FailureReason::none
                         ? Json(nullptr)
                         : Json(base::to_word(outcome.reason));
  record["code"] = outcome.reason == base::FailureReason::none
                       ? Json(nullptr)
                       : Json(client::code_text(outcome.reason));
  record["message"] = outcome.message;
  record["attempt"] = outcome.attempt ? Json(base::to_string(outcome.attempt)) : Json(nullptr);
  record["node"] = outcome.device.node ? Json(names.of(outcome.device.node)) : Json(nullptr);
  record["device"] = outcome.device.node ? Json(outcome.device.ordinal) : Json(nullptr);
  record["outputs"] = Json::array();
  for (std::size_t i = 0; i < outcome.outputs.size(); ++i) {
    record["outputs"].push_back(
        output_record(outcome.outputs[i], i < output_files.size() ? output_files[i] : ""));
  }
  record["timings"] = timings_record(outcome.timings);
  if (outcome.command != protocol::CommandEnd{}) {
    record["command"] = command_end_record(outcome.command);
  }
  return record;
}

Json ranges_record(const std::vector<base::TaskRange>& ranges) {
  Json record = Json::array();
  for (const base::TaskRange& range : ranges) {
    record.push_back({{"first", range.first}, {"count", range.count}});
  }
  return record;
}

Json attempt_record(const protocol::AttemptInfo& attempt, const Names& names) {
  return {{"attempt", base::to_string(attempt.attempt)},
          {"node", names.of(attempt.device.node)},
          {"device", attempt.device.ordinal},
          {"cause", protocol::to_word(attempt.cause)},
          {"tasks", ranges_record(attempt.ranges)}};
}

Json kernel_record(const protocol::JobSpec& spec) {
  return {{"name", spec.kernel.name},
          {"grid", spec.kernel.grid},
          {"block", spec.kernel.block},
          {"shared_bytes", spec.kernel.shared_bytes},
          {"standard", spec.kernel.standard},
          {"time_limit_seconds", seconds(spec.time_limit_ns)},
          {"memory_bytes", spec.request.memory_bytes}};
}

Json command_record(const protocol::JobSpec& spec) {
  Json inputs = Json::array();
  for (const protocol::InputFile& input : spec.command.inputs) {
    inputs.push_back(input.path);
  }
  Json environment = Json::array();  // names only: values may be secrets
  for (const auto& [name, value] : spec.command.environment) {
    environment.push_back(name);
  }
  return {{"argv", spec.command.argv},
          {"environment", std::move(environment)},
          {"cwd", spec.command.cwd},
          {"inputs", std::move(inputs)},
          {"outputs", spec.command.outputs},
          {"host_memory_bytes", spec.command.host_memory_bytes},
          {"network", spec.command.network},
          {"time_limit_seconds", seconds(spec.time_limit_ns)},
          {"lease_seconds", seconds(spec.command_lease().count())}};
}

template <class Number>
Json known(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json telemetry_record(const std::optional<protocol::DeviceTelemetry>& telemetry) {
  if (!telemetry) {
    return nullptr;
  }
  return {{"memory_bytes_used", telemetry->memory_bytes_used},
          {"utilisation_percent", known(telemetry->utilisation_percent)},
          {"temperature_celsius", known(telemetry->temperature_celsius)},
          {"power_milliwatts", known(telemetry->power_milliwatts)},
          {"ecc_errors", known(telemetry->ecc_errors)},
          {"last_xid", telemetry->last_xid == 0 ? Json(nullptr) : Json(telemetry->last_xid)},
          {"remark", telemetry->remark}};
}

Json device_record(const protocol::DeviceBooks& books, const protocol::NodeView& node) {
  return {{"id", node.info.name + "/" + std::to_string(books.device.ordinal)},
          {"node", node.info.name},
          {"device", books.device.ordinal},
          {"kind", protocol::to_word(books.kind)},
          {"model", books.model},
          {"uuid", books.uuid},
          {"memory_bytes", books.memory_bytes_total},
          {"memory_bytes_free", books.memory_bytes_free},
          {"slots", books.slots_total},
          {"slots_free", books.slots_free},
          {"queued_tasks", books.queued_tasks},
          {"healthy", books.healthy},
          {"unhealthy_why", books.unhealthy_why},
          {"no_commands_why", books.no_commands_why},
          {"telemetry", telemetry_record(books.telemetry)},
          {"node_state", protocol::to_word(node.state)}};
}

void add_job(Json& job, const protocol::JobDetail& detail, const Names& names) {
  add_summary(job, detail.summary, names);
  if (detail.spec) {
    const bool is_command = detail.spec->is_command();
    job[is_command ? "command" : "kernel"] =
        is_command ? command_record(*detail.spec) : kernel_record(*detail.spec);
  }
  if (detail.spec && !detail.spec->items.ranges.empty()) {
    const protocol::TaskItems& items = detail.spec->items;
    job["again"] = {
        {"id", id_text(items.job)}, {"tasks", ranges_record(items.ranges)}, {"of", items.count}};
  }
  job["tasks"] = Json::array();
  for (const protocol::TaskReport& report : detail.reports) {
    for (std::uint32_t task = report.range.first; task < report.range.end(); ++task) {
      job["tasks"].push_back(task_record(task, report.outcome, output_files(detail, task), names));
    }
  }
  job["attempts"] = Json::array();
  for (const protocol::AttemptInfo& attempt : detail.attempts) {
    job["attempts"].push_back(attempt_record(attempt, names));
  }
}

}  // namespace

Json error_record(const base::Error& error) {
  return {{"code", client::code_text(error.code)},
          {"kind", client::kind_word(error)},
          {"message", error.message},
          {"hint", error.hint},
          {"outcome_unknown", error.kind == base::ErrorKind::unknown},
          {"docs", "docs/errors.md#" + client::anchor_of(error.code)}};
}

Json json_error(const base::Error& error, const std::string& source, Stamp stamp) {
  Json all = document("fastgpu.error/1", source, stamp);
  all["error"] = error_record(error);
  return all;
}

Json json_job_list(const protocol::JobList& list, const Names& names, Stamp stamp) {
  Json all =
      document("fastgpu.job_list/1", names.of(list.source), stamp, list.shards_unanswered != 0);
  all["finished_hidden"] = list.finished_hidden;
  all["shards_unanswered"] = list.shards_unanswered;
  all["items"] = Json::array();
  for (const protocol::JobSummary& summary : list.jobs) {
    Json item;
    add_summary(item, summary, names);
    all["items"].push_back(std::move(item));
  }
  return all;
}

Json json_job(const protocol::JobDetail& detail, const Names& names, Stamp stamp) {
  Json job = document("fastgpu.job/1", names.of(detail.source), stamp);
  add_job(job, detail, names);
  return job;
}

Json json_jobs(const std::vector<protocol::JobDetail>& details, const Names& names, Stamp stamp) {
  protocol::JobList none;
  none.source = details.empty() ? base::NodeId{} : details.front().source;
  Json all = json_job_list(none, names, stamp);
  for (const protocol::JobDetail& detail : details) {
    Json job;
    add_job(job, detail, names);
    all["items"].push_back(std::move(job));
  }
  return all;
}

Json json_retried(const std::vector<Retried>& all, const std::optional<base::Error>& first_error,
                  const std::string& source, Stamp stamp) {
  Json list = document("fastgpu.retried/1", source, stamp);
  list["items"] = Json::array();
  for (const Retried& retried : all) {
    list["items"].push_back(
        {{"id", id_text(retried.job)}, {"of", id_text(retried.of)}, {"tasks", retried.tasks}});
  }
  if (first_error) {
    list["error"] = error_record(*first_error);
  }
  return list;
}

Json json_accepted(base::JobId job, std::uint32_t tasks, const std::string& source, Stamp stamp) {
  Json all = document("fastgpu.submitted/1", source, stamp);
  all["id"] = id_text(job);
  all["tasks"] = tasks;
  return all;
}

Json json_detached(const std::vector<base::JobId>& jobs, const std::vector<base::JobId>& cancelled,
                   Stamp stamp) {
  Json all = document("fastgpu.detached/1", "", stamp);
  all["items"] = Json::array();
  for (const base::JobId job : jobs) {
    const bool stopped = std::find(cancelled.begin(), cancelled.end(), job) != cancelled.end();
    all["items"].push_back({{"id", id_text(job)}, {"cancelled", stopped}});
  }
  return all;
}

Json json_copied(const Copied& copied, const std::string& source, Stamp stamp) {
  Json all = document("fastgpu.copied/1", source, stamp);
  all["id"] = id_text(copied.job);
  all["path"] = copied.path;
  all["to"] = copied.to;
  all["files"] = copied.files;
  all["size_bytes"] = copied.size_bytes;
  return all;
}

Json json_version(const std::string& version, Stamp stamp) {
  Json all = document("fastgpu.version/1", "", stamp);
  all["version"] = version;
  return all;
}

Json json_token(const std::string& token, const std::string& source, Stamp stamp) {
  Json all = document("fastgpu.node_token/1", source, stamp);
  all["token"] = token;
  return all;
}

Json json_help(const std::string& topic, const std::string& text, Stamp stamp) {
  Json all = document("fastgpu.help/1", "", stamp);
  all["topic"] = topic;
  all["text"] = text;
  return all;
}

Json json_cluster(const protocol::ClusterStatus& status, const protocol::JobList& jobs,
                  const Names& names, Stamp stamp) {
  const ClusterCounts counts = count(status, jobs);
  Json all = document("fastgpu.cluster/1", names.of(status.source), stamp_of(status, stamp),
                      jobs.shards_unanswered != 0);
  all["cluster"] = base::to_string(status.cluster);
  all["nodes"] = {{"total", counts.nodes},
                  {"up", counts.nodes_up},
                  {"suspect", counts.nodes_suspect},
                  {"down", counts.nodes - counts.nodes_up - counts.nodes_suspect}};
  all["devices"] = {{"total", counts.devices}, {"busy", counts.devices_busy}};
  all["jobs"] = {{"pending", counts.jobs_pending},
                 {"running", counts.jobs_running},
                 {"finished", jobs.finished_hidden}};
  all["shards_unanswered"] = jobs.shards_unanswered;
  all["copies_due"] = counts.copies_due;
  return all;
}

Json json_node_list(const protocol::ClusterStatus& status, const Names& names, Stamp stamp) {
  Json all = document("fastgpu.node_list/1", names.of(status.source), stamp_of(status, stamp));
  all["items"] = Json::array();
  for (const protocol::NodeView& node : status.nodes) {
    Json leads = Json::array();
    for (const protocol::LedShard& led : node.leads) {
      leads.push_back(std::to_string(led.shard.value));
    }
    all["items"].push_back(
        {{"id", std::to_string(node.info.node.value)},
         {"name", node.info.name},
         {"address", node.info.address},
         {"state", protocol::to_word(node.state)},
         {"member", protocol::to_word(node.info.state)},
         {"age_seconds", seconds(node.age_ns)},
         {"devices", node.devices.size()},
         {"leads_shards", std::move(leads)},
         {"voting_replicas", node.duties ? Json(node.duties->voting_replicas) : Json(nullptr)},
         {"copies_due", node.duties ? Json(node.duties->copies_due) : Json(nullptr)},
         {"copies_counted", node.duties && node.duties->copies_counted},
         {"drained", protocol::is_drained(node, status.nodes)}});
  }
  return all;
}

Json json_device_list(const protocol::ClusterStatus& status, const Names& names, Stamp stamp) {
  Json all = document("fastgpu.device_list/1", names.of(status.source), stamp_of(status, stamp));
  all["items"] = Json::array();
  for (const protocol::NodeView& node : status.nodes) {
    for (const protocol::DeviceBooks& books : node.devices) {
      all["items"].push_back(device_record(books, node));
    }
  }
  return all;
}

}  // namespace fastgpu::cli
