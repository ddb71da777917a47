#pragma once

/// How users name jobs: `17`, `17.3` (a task), `3-9`, `1-3,7`, `last`, `@name`, `--label k=v`.
/// Parsing is pure; finding the jobs asks the cluster only where a range, a name, `last` or a label
/// is used.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/cli/context.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::cli {

struct Selector {
  std::optional<base::JobId> first;  ///< none: by name, or the last
  base::JobId last;                  ///< equal to `first` unless a range was given
  std::optional<std::uint32_t> task;
  std::string name;  ///< with neither: the last job submitted
  bool operator==(const Selector&) const = default;
};

base::Result<Selector> parse_selector(const std::string& text);

/// "1-3,7" is two selectors; a name is one, whatever it holds.
std::vector<std::string> split_selector(const std::string& text);

/// "17.3:out/y.f32" as two parts; nothing where no job stands in front of a colon.
struct JobPath {
  std::string job;  ///< a selector: "17", "17.3", "last", "@name"
  std::string path;
  bool operator==(const JobPath&) const = default;
};
std::optional<JobPath> parse_job_path(const std::string& text);

/// The jobs that the selector names among these; of a range, all that exist.
std::vector<base::JobId> matches(const Selector& selector,
                                 const std::vector<protocol::JobSummary>& jobs);

/// Of verbs that act on whole jobs: a selector that names a task is an Error (usage), since acting
/// on its whole job would do more than was asked.
base::Status refuse_task(const Selector& selector, const std::string& text);

/// Leaves only what concerns this task; an Error (not_found) when the job has no such task.
base::Status keep_task(protocol::JobDetail& detail, std::uint32_t task);

/// A job, or one task of it.
struct Target {
  base::JobId job;
  std::optional<std::uint32_t> task{};
  bool operator==(const Target&) const = default;
};

/// What a command is to act on, as typed.
struct Choice {
  std::vector<std::string> selectors;  ///< none: all jobs that have the labels
  std::vector<std::string> labels{};   ///< NAME=VALUE; only jobs that have all of them
  bool live_only{false};               ///< of those found by labels alone
};

/// The job with the reports of all its ended tasks, or what of it concerns the one task.
base::Result<protocol::JobDetail> fetch_target(const Context& context,
                                               client::Connection& connection,
                                               const Target& target);

/// All that is named, each once, in the order typed. None found is an Error. So is a choice among
/// listed jobs where not all are listed: parts of the ledger are silent, or there are too many.
base::Result<std::vector<Target>> find_targets(const Context& context,
                                               client::Connection& connection,
                                               const Choice& choice);
/// The same for commands that show one job: several are an Error (usage) that names some.
base::Result<Target> find_single(const Context& context, client::Connection& connection,
                                 const Choice& choice);
/// The same for commands that act on whole jobs.
base::Result<std::vector<base::JobId>> find_jobs(const Context& context,
                                                 client::Connection& connection,
                                                 const Choice& choice);

}  // namespace fastgpu::cli
