#include "runtime/books/fit.hpp"

#include "runtime/base/limits.hpp"

namespace fastgpu::books {

namespace {

using protocol::DeviceBooks;
using protocol::DeviceKind;
using protocol::RefusalReason;
using protocol::ResourceRequest;

Fit refuse(RefusalReason reason, std::uint64_t asked = 0, std::uint64_t available = 0) {
  return {0, reason, asked, available};
}

}  // namespace

bool kind_matches(DeviceKind asked, DeviceKind device) {
  if (asked == DeviceKind::any)
    return device == DeviceKind::gpu || device == DeviceKind::cpu;
  return asked == device;
}

Fit could_ever_fit(const ResourceRequest& request, const DeviceBooks& books) {
  if (!kind_matches(request.kind, books.kind))
    return refuse(RefusalReason::wrong_device_kind);
  if (request.memory_bytes > books.memory_bytes_total)
    return refuse(RefusalReason::no_memory, request.memory_bytes, books.memory_bytes_total);
  if (books.slots_total == 0)
    return refuse(RefusalReason::queue_full, 1, 0);
  return {base::limits::device_queue_tasks_max, RefusalReason::none, 0, 0};
}

bool serves(const DeviceBooks& books, Work work) {
  return books.healthy && (work == Work::kernel || books.no_commands_why.empty());
}

Fit fit(const ResourceRequest& request, const DeviceBooks& books, Work work) {
  const Fit ever = could_ever_fit(request, books);
  if (!ever)
    return ever;
  if (!serves(books, work))
    return refuse(RefusalReason::unhealthy);
  if (books.queue_room == 0)
    return refuse(RefusalReason::queue_full, 1, 0);
  return {books.queue_room, RefusalReason::none, 0, 0};
}

Fit launch_fit(const ResourceRequest& request, const DeviceBooks& books) {
  const Fit ever = could_ever_fit(request, books);
  if (!ever)
    return ever;
  if (books.slots_free == 0)
    return refuse(RefusalReason::queue_full, 1, 0);
  if (request.memory_bytes > books.memory_bytes_free)
    return refuse(RefusalReason::no_memory, request.memory_bytes, books.memory_bytes_free);
  return {books.slots_free, RefusalReason::none, 0, 0};
}

}  // namespace fastgpu::books
