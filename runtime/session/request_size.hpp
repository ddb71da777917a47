#pragma once

/// How much memory a request holds while it waits: what the bounds in bytes are counted in. Pure;
/// within a small factor of the truth, since allocators and maps add to it.

#include <cstdint>

#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::session {

struct SpecSize {
  std::uint64_t common_bytes{};  ///< source, names and values: they travel with every assignment
  std::uint64_t data_bytes{};    ///< the job's own data, and references to data
};
SpecSize size_of(const protocol::JobSpec& spec);

/// Never 0: a request without any text takes room too.
std::uint64_t held_bytes(const protocol::ClientRequest& request);

}  // namespace fastgpu::session
