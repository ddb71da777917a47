#pragma once

/// What a shard says when it cannot do what it is asked.

#include <cstdint>
#include <string>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::ledger {

inline base::Error shard_not_leading() {
  return {base::ErrorKind::unavailable, base::ErrorCode::shard_unavailable,
          "this node does not lead the shard", "ask again: another node leads it, or will"};
}
inline base::Error outcome_unknown() {
  return {base::ErrorKind::unknown, base::ErrorCode::timeout,
          "the leadership ended before the request was decided: it may have been done",
          "send the same request again: it is done at most once"};
}
inline base::Error shard_overloaded(const std::string& what) {
  return {base::ErrorKind::overloaded, base::ErrorCode::overloaded, what, "try again shortly"};
}
inline base::Error job_not_found(base::JobId job) {
  return {base::ErrorKind::rejected, base::ErrorCode::not_found,
          base::to_string(job) + " is not known",
          "finished jobs are forgotten after a while; list them with ps"};
}
inline base::Error parent_not_found(base::JobId parent) {
  return {base::ErrorKind::rejected, base::ErrorCode::not_found,
          "job " + base::to_string(parent) + " is not known, so nothing can run after it",
          "list jobs with ps -a, and name one of them with --after"};
}

inline base::Error disk_too_full(std::uint64_t free_bytes, std::uint64_t reserve_bytes) {
  const auto mebibytes = [](std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; };
  return {base::ErrorKind::overloaded, base::ErrorCode::disk_full,
          "the disk of the node that leads the shard has " + mebibytes(free_bytes) +
              " free; new work is taken from " + mebibytes(reserve_bytes) + " on",
          "free some room on that disk, or submit through another node: what was accepted goes on"};
}

}  // namespace fastgpu::ledger
