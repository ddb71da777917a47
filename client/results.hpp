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

/// Told each piece in order; what it answers but success ends the fetching.
using TakePiece = std::function<base::Status(std::size_t index, const base::Bytes& data)>;

/// Brings the pieces that are kept elsewhere, a few at a time: no more of them is in memory than
/// the window holds, or one piece that is larger.
base::Status fetch_each(Connection& connection, const std::vector<protocol::Data>& pieces,
                        Time deadline, const TakePiece& take);

/// The bytes of each piece, in order.
base::Result<std::vector<base::Bytes>> fetch_all(Connection& connection,
                                                 const std::vector<protocol::Data>& pieces,
                                                 Time deadline);

}  // namespace fastgpu::client
