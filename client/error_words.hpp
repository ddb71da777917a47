#pragma once

/// How errors are told to users: the closed list of kinds, the exit code; the library and the
/// command line take both from error_table. Pure.

#include <optional>
#include <string>

#include "client/error_table.hpp"
#include "fastgpu/expected.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::client {

/// "infeasible"
const char* kind_word(const base::Error& error);
/// Of verbs that are not the remote program's own: 7 for "infeasible".
int exit_code(const base::Error& error);

/// The exit code of `wait` and `run` for a job that ended so; 0 while it is live.
int exit_code(protocol::TaskState state);

/// What to tell of a job that ended otherwise than well; nothing of any other.
std::optional<base::Error> error_of(const protocol::JobSummary& job);

v1::Error to_public(const base::Error& error);
/// The caller's own time is over, whatever goes on in the cluster.
base::Error time_is_over(const std::string& what);

}  // namespace fastgpu::client
