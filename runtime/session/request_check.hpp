#pragma once

/// What users ask, checked before anybody else is asked, so that what lies in the ledger is always
/// well formed. Pure: one answer for one question, wherever it is asked. What is wrong is told with
/// its number and what to do about it.

#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/session/cluster_map.hpp"

namespace fastgpu::session {

/// Is this job one that any cluster could run? Codes bad_job_spec, bad_argument and too_large, kind
/// invalid. (spec_check.cpp)
base::Status check_spec(const protocol::JobSpec& spec);

base::Status check_hello(const protocol::Hello& hello);

/// Limits and shape of every request; of a Submit its specification, and whether any device of the
/// cluster could ever run it (code infeasible), unless it asks to wait for one.
base::Status check_request(const protocol::ClientRequest& request, const ClusterMap& map);

}  // namespace fastgpu::session
