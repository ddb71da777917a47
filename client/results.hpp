#pragma once

/// All that the ledger and the object stores know of a job, page by page. Called on a caller's
/// thread; blocks.

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "client/connection.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::client {

/// The job with the reports of all its terminal tasks, in their order.
base::Result<protocol::JobDetail> fetch_detail(Connection& connection, base::JobId job,
                                               Time deadline);

/// Who looks on while a job is waited for. Each may be empty.
struct WaitWatch {
  std::function<void(const protocol::JobSummary&)> seen;  ///< after every step
  std::function<bool()> go_on;                            ///< false ends the wait
  /// How long nobody may answer before that is the wait's end; none: until the deadline.
  std::optional<std::chrono::seconds> silence_limit;
};

/// Waits in short steps until the job is terminal. Past the deadline: an Error of code timeout;
/// without one it waits as long as it takes.
base::Result<protocol::JobSummary> wait_for(Connection& connection, base::JobId job,
                                            std::optional<Time> deadline,
                                            const WaitWatch& watch = {});

/// The bytes of each piece, in order; those that are kept elsewhere are fetched, a few at a time.
base::Result<std::vector<base::Bytes>> fetch_all(Connection& connection,
                                                 const std::vector<protocol::Data>& pieces,
                                                 Time deadline);

}  // namespace fastgpu::client
