#pragma once

/// A pin: somebody's durable claim on an object of this node. An object is not removed while one
/// stands.
///
/// The owner is what the ledger of its shard can be asked about: the request of a submit, for its
/// inputs (the job's number is not known when they are pinned), or the job, for its outputs.

#include <compare>
#include <cstdint>
#include <string>

#include "runtime/base/ids.hpp"

namespace fastgpu::objects {

enum class PinOwnerKind : std::uint8_t { request, job };

struct PinOwner {
  base::ShardId shard;
  PinOwnerKind kind{PinOwnerKind::request};
  std::uint64_t high{};  ///< of the request; 0 of a job
  std::uint64_t low{};   ///< of the request; the number of a job
  constexpr auto operator<=>(const PinOwner&) const = default;
};

constexpr PinOwner owner_of(const base::RequestId& request) {
  return {request.shard, PinOwnerKind::request, request.high, request.low};
}
constexpr PinOwner owner_of(base::ShardId shard, base::JobId job) {
  return {shard, PinOwnerKind::job, 0, job.value};
}

struct Pin {
  base::ObjectHash hash;
  PinOwner owner;
  constexpr auto operator<=>(const Pin&) const = default;
};

}  // namespace fastgpu::objects
