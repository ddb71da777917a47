#pragma once

/// What commands print, from what nodes answered: tables for people, JSON documents for programs.
/// Pure: the same answers give the same text. Every document and table says how old it is and which
/// node it is from.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::cli {

using Json = nlohmann::ordered_json;

/// Nodes by the names that people gave them.
class Names {
 public:
  Names() = default;
  explicit Names(const protocol::ClusterStatus& status);
  /// "n2"; empty for none.
  std::string of(base::NodeId node) const;
  /// "n2 cpu:0"
  std::string of(base::DeviceId device) const;

 private:
  std::map<base::NodeId, std::string> names_;
  std::map<base::DeviceId, std::string> devices_;
};

/// When it is printed, on this machine's clock, and how old the answer is by then at most.
struct Stamp {
  std::int64_t now_ms{};
  std::int64_t age_ms{};
};
/// The stamp of what a node says of the others: as old as what it heard last of the slowest one
/// that is not down.
Stamp stamp_of(const protocol::ClusterStatus& status, Stamp stamp);
/// "as of 0.2 s ago (n1)"
std::string as_of_line(Stamp stamp, const std::string& source);

/// The cluster in a few numbers.
struct ClusterCounts {
  std::uint32_t nodes{};
  std::uint32_t nodes_up{};
  std::uint32_t nodes_suspect{};
  std::uint32_t devices{};  ///< of nodes that are not down
  std::uint32_t devices_busy{};
  std::uint32_t jobs_pending{};
  std::uint32_t jobs_running{};
  std::uint64_t copies_due{};  ///< of objects, as nodes that are not down have said
};
ClusterCounts count(const protocol::ClusterStatus& status, const protocol::JobList& jobs);

/// "0-2,5"
std::string ranges_text(const std::vector<base::TaskRange>& ranges);
/// "stage=train team=vision"
std::string labels_text(const protocol::Labels& labels);

/// The words as a shell would take them.
std::string command_line(const std::vector<std::string>& argv);

/// The files that a task's outputs are for, as the user named them, in their order.
std::vector<std::string> output_files(const protocol::JobDetail& detail, std::uint32_t task);

// --- JSON (render_json.cpp) ----------------------------------------------------------------------

// Each is a document of its own, described by docs/schema: schema, as_of, source, stale, and what
// was asked for. `source` is null where no node was asked.

/// The `error` of a document; `unknown` where it may have happened all the same.
Json error_record(const base::Error& error);
/// What a command prints that failed. `source`: the node that was asked, if any.
Json json_error(const base::Error& error, const std::string& source, Stamp stamp);
Json json_job_list(const protocol::JobList& list, const Names& names, Stamp stamp);
/// With a record for each terminal task and all attempts.
Json json_job(const protocol::JobDetail& detail, const Names& names, Stamp stamp);
Json json_why(const protocol::JobDetail& detail, const Names& names, Stamp stamp);
/// A list of jobs whose items are as full as json_job.
Json json_jobs(const std::vector<protocol::JobDetail>& details, const Names& names, Stamp stamp);
/// One job: as json_why; several: a list of them.
Json json_why(const std::vector<protocol::JobDetail>& details, const Names& names, Stamp stamp);
/// A new job that does again tasks of another one.
struct Retried {
  base::JobId job;
  base::JobId of;
  std::uint32_t tasks{};
};
Json json_retried(const std::vector<Retried>& all, const std::optional<base::Error>& first_error,
                  const std::string& source, Stamp stamp);
Json json_accepted(base::JobId job, std::uint32_t tasks, const std::string& source, Stamp stamp);
Json json_detached(const std::vector<base::JobId>& jobs, const std::vector<base::JobId>& cancelled,
                   Stamp stamp);
/// What was copied out of a job.
struct Copied {
  base::JobId job;
  std::string path;
  std::string to;
  std::size_t files{};
  std::uint64_t size_bytes{};
};
Json json_copied(const Copied& copied, const std::string& source, Stamp stamp);
Json json_version(const std::string& version, Stamp stamp);
Json json_token(const std::string& token, const std::string& source, Stamp stamp);
Json json_help(const std::string& topic, const std::string& text, Stamp stamp);
Json json_cluster(const protocol::ClusterStatus& status, const protocol::JobList& jobs,
                  const Names& names, Stamp stamp);
Json json_node_list(const protocol::ClusterStatus& status, const Names& names, Stamp stamp);
Json json_device_list(const protocol::ClusterStatus& status, const Names& names, Stamp stamp);

// --- tables (render_table.cpp) -------------------------------------------------------------------

std::string table_job_list(const protocol::JobList& list, const Names& names, Stamp stamp);
std::string table_job(const protocol::JobDetail& detail, const Names& names, Stamp stamp);
std::string table_cluster(const protocol::ClusterStatus& status, const protocol::JobList& jobs,
                          const Names& names, Stamp stamp);
std::string table_nodes(const protocol::ClusterStatus& status, const Names& names, Stamp stamp);
std::string table_devices(const protocol::ClusterStatus& status, const Names& names, Stamp stamp);

/// Why a job waits, or why its tasks failed: with what is missing where, and what to do about it.
/// (render_why.cpp)
std::string text_why(const protocol::JobDetail& detail, const protocol::ClusterStatus& status,
                     const Names& names, Stamp stamp);

/// "424 sweep: 198 succeeded, 2 failed, 3 running of 203"
std::string line_of_counts(const protocol::JobSummary& summary);
/// Where the tasks ran and how long the parts took, in one line or two.
std::string lines_of_timings(const protocol::JobDetail& detail, const Names& names);

}  // namespace fastgpu::cli
