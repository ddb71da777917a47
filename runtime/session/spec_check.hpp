#pragma once

/// Is this job one that any cluster could run? The gateway asks before anything is proposed, so
/// what lies in the ledger is always well formed. Whether a present device could run it is another
/// question (runtime/books/fit.hpp). Pure; one answer for one spec, wherever it is asked.
/// What is wrong is told with its number and what to do about it: codes bad_job_spec,
/// bad_argument and too_large, kind invalid.

#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::session {

base::Status check_spec(const protocol::JobSpec& spec);

}  // namespace fastgpu::session
