#pragma once

/// What a job prints, as it is printed or afterwards, from all nodes that run it. Between the
/// command line (or the library) and session::LogFollower, which decides; here a thread asks and
/// waits for it. Called on a caller's thread; blocks until the end. The sink is called on that
/// thread too: as long as it takes its time, no more is asked for.

#include <functional>
#include <optional>
#include <string>

#include "client/connection.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/log_record.hpp"
#include "runtime/base/result.hpp"
#include "runtime/session/log_follower.hpp"

namespace fastgpu::client {

/// Who shows it. Each may be empty.
struct LogSink {
  /// Output, or a mark (base::is_mark) that began, ended or interrupted it.
  std::function<void(base::NodeId, const base::LogRecord&)> record;
  /// A line about the log itself, in brackets.
  std::function<void(const std::string&)> notice;
};

/// What may stop it before its own end. Each may be empty.
struct LogStop {
  std::optional<Time> deadline;
  std::function<bool()> go_on;  ///< looked at several times a second; false stops
};

/// How it ended; nothing if `stop` stopped it. Names of nodes that `options` lacks are asked for.
std::optional<session::FollowDone> follow_logs(Connection& connection,
                                               session::LogFollowOptions options,
                                               const LogSink& sink, const LogStop& stop = {});

/// What the end means for an exit code: an Error unless all that was kept of the log has been
/// shown, of code node_down where a node could not be asked. How the job ended is another matter.
base::Status status_of(const session::FollowDone& done);

}  // namespace fastgpu::client
