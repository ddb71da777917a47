#pragma once

/// All that the ledger and the object stores know of a job, page by page. Called on a caller's
/// thread; blocks.

#include <functional>
#include <vector>

#include "client/connection.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::client {

/// The job with the reports of all its terminal tasks, in their order.
base::Result<protocol::JobDetail> fetch_detail(Connection& connection, base::JobId job,
                                               Time deadline);

/// Waits in short steps until the job is terminal; `look` sees every step and may end the wait by
/// returning false. Past the deadline: an Error of code timeout.
base::Result<protocol::JobSummary> wait_for(
    Connection& connection, base::JobId job, Time deadline,
    const std::function<bool(const protocol::JobSummary&)>& look = {});

/// The bytes of each piece, in order; those that are kept elsewhere are fetched, a few at a time.
base::Result<std::vector<base::Bytes>> fetch_all(Connection& connection,
                                                 const std::vector<protocol::Data>& pieces,
                                                 Time deadline);

}  // namespace fastgpu::client
