#pragma once

/// How a job stands for those that wait for it: what the leader of its shard tells of it, and what
/// the ledger of a waiting job records. A plain value; schema/job.capnp is its form.

#include <cstdint>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::protocol {

/// What a job's own ledger has of it. The last two can be told of no job that is live.
enum class JobKnowledge : std::uint8_t {
  known,
  forgotten,  ///< it ended, and has made room since: how it ended is not known any more
  never,      ///< no job of this id was ever accepted
};

struct JobStanding {
  base::JobId job;
  JobKnowledge knowledge{JobKnowledge::known};
  TaskState state{TaskState::pending};  ///< of a known job; the gravest of its tasks' once it ended
  bool operator==(const JobStanding&) const = default;

  /// Whoever waits for the job need not go on waiting.
  bool is_final() const { return knowledge != JobKnowledge::known || is_terminal(state); }
};

}  // namespace fastgpu::protocol
