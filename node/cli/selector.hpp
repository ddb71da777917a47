#pragma once

/// How users name jobs: `17`, `17.3` (a task), `3-9`, `last`, `@name`. Parsing is pure; finding the
/// jobs asks the cluster only where a name or `last` is used.

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

/// The jobs that the selector names among these; of a range, all that exist.
std::vector<base::JobId> matches(const Selector& selector,
                                 const std::vector<protocol::JobSummary>& jobs);

/// Of verbs that act on whole jobs: a selector that names a task is an Error (usage), since acting
/// on its whole job would do more than was asked.
base::Status refuse_task(const Selector& selector, const std::string& text);

/// Leaves only what concerns this task; an Error (not_found) when the job has no such task.
base::Status keep_task(protocol::JobDetail& detail, std::uint32_t task);

/// All jobs that are named, each once, in the order typed. None found is an Error. The caller deals
/// with a selector's task.
base::Result<std::vector<base::JobId>> find_jobs(const Context& context,
                                                 client::Connection& connection,
                                                 const std::vector<std::string>& selectors);

}  // namespace fastgpu::cli
