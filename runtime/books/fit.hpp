#pragma once

/// The one fit code: may a device take tasks with this request?
///
/// The worker grants with it on its own exact books, the scheduler guesses with it on the view, the
/// gateway refuses hopeless jobs with it: all three give the same answer for the same books.
/// A grant is a place in the device's bounded queue; memory and a slot are taken at the launch. So
/// what a device holds for others now makes a task wait, only what it has in all can forbid it.
/// A device may take kernels and, for now, no commands: another process starts them.
/// Pure functions; nothing fails.

#include <cstdint>

#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::books {

/// What the request is for.
enum class Work : std::uint8_t { kernel, command };
inline Work work_of(const protocol::JobSpec& spec) {
  return spec.is_command() ? Work::command : Work::kernel;
}

struct Fit {
  std::uint32_t tasks{};  ///< that would be granted now; 0 = refused
  protocol::RefusalReason refused{protocol::RefusalReason::none};
  std::uint64_t asked{};      ///< bytes for no_memory, tasks for queue_full; else 0
  std::uint64_t available{};  ///< of the same
  explicit operator bool() const { return tasks != 0; }
  bool operator==(const Fit&) const = default;
};

/// `any` is a gpu or a cpu; `null` must be asked for by name.
bool kind_matches(protocol::DeviceKind asked, protocol::DeviceKind device);

/// Could the device run such a task when nothing else is on it? `tasks` is then its queue's bound.
Fit could_ever_fit(const protocol::ResourceRequest& request, const protocol::DeviceBooks& books);

/// Would the device grant such tasks now, and how many?
Fit fit(const protocol::ResourceRequest& request, const protocol::DeviceBooks& books,
        Work work = Work::kernel);

/// It is healthy, and starts work of this sort.
bool serves(const protocol::DeviceBooks& books, Work work);

/// Could one more such task be launched beside what runs now?
Fit launch_fit(const protocol::ResourceRequest& request, const protocol::DeviceBooks& books);

}  // namespace fastgpu::books
