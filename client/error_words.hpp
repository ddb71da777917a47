#pragma once

/// How errors are told to users: the number, the closed list of kinds, the exit code. One table for
/// the library and the command line. Pure.

#include <string>

#include "fastgpu/expected.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::client {

/// "FG2101"
std::string code_text(base::ErrorCode code);
/// "infeasible"
const char* kind_word(const base::Error& error);
/// Of verbs that are not the remote program's own: 7 for "infeasible".
int exit_code(const base::Error& error);

/// The exit code of `wait` and `run` for a job that ended so; 0 while it is live.
int exit_code(protocol::TaskState state);

v1::Error to_public(const base::Error& error);
/// The caller's own time is over, whatever goes on in the cluster.
base::Error time_is_over(const std::string& what);

}  // namespace fastgpu::client
