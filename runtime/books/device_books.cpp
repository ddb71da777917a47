#include "runtime/books/device_books.hpp"

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"

namespace fastgpu::books {

DeviceLedger::DeviceLedger(base::DeviceId device, base::Incarnation incarnation) {
  books_.device = device;
  books_.incarnation = incarnation;
  books_.slots_total = 0;
  books_.slots_free = 0;
  books_.healthy = false;
  books_.unhealthy_why = "the device's process has not started yet";
  books_.version = 1;
  books_.queue_room = base::limits::device_queue_tasks_max;
}

void DeviceLedger::changed() {
  const std::uint32_t bound = base::limits::device_queue_tasks_max;
  books_.version += 1;
  books_.queue_room = bound - std::min(bound, held());
  books_.memory_bytes_free =
      books_.memory_bytes_total - std::min(books_.memory_bytes_total, memory_bytes_used_);
}

void DeviceLedger::describe(const DeviceShape& shape) {
  FASTGPU_CHECK(shape.slots >= running(), "a device loses no slot that is in use");
  const std::uint32_t used = running();
  books_.kind = shape.kind;
  books_.model = shape.model;
  books_.uuid = shape.uuid;
  books_.memory_bytes_total = shape.memory_bytes;
  books_.slots_total = shape.slots;
  books_.slots_free = shape.slots - used;
  changed();
}

void DeviceLedger::set_health(const std::string& unhealthy_why) {
  if (unhealthy_why == books_.unhealthy_why && books_.healthy == unhealthy_why.empty())
    return;
  books_.healthy = unhealthy_why.empty();
  books_.unhealthy_why = unhealthy_why;
  changed();
}

void DeviceLedger::set_no_commands(const std::string& why) {
  if (why == books_.no_commands_why)
    return;
  books_.no_commands_why = why;
  changed();
}

void DeviceLedger::set_telemetry(const protocol::DeviceTelemetry& telemetry) {
  if (books_.telemetry == telemetry)
    return;
  books_.telemetry = telemetry;
  changed();
}

void DeviceLedger::set_backlog(std::int64_t backlog_ns) {
  if (backlog_ns == books_.backlog_ns)
    return;
  books_.backlog_ns = backlog_ns;
  changed();
}

void DeviceLedger::grant(const protocol::ResourceRequest& request, std::uint32_t tasks) {
  FASTGPU_CHECK(tasks > 0 && fit(request, books_).tasks >= tasks, "a grant fits the books");
  books_.queued_tasks += tasks;
  changed();
}

void DeviceLedger::launch(const protocol::ResourceRequest& request) {
  FASTGPU_CHECK(books_.queued_tasks > 0, "what is launched was granted");
  FASTGPU_CHECK(launch_fit(request, books_).tasks > 0, "a launch fits the books");
  books_.queued_tasks -= 1;
  books_.slots_free -= 1;
  memory_bytes_used_ += request.memory_bytes;
  changed();
}

void DeviceLedger::give_back(const protocol::ResourceRequest& request) {
  FASTGPU_CHECK(running() > 0, "what ends was running");
  FASTGPU_CHECK(memory_bytes_used_ >= request.memory_bytes, "memory given back was taken");
  books_.slots_free += 1;
  memory_bytes_used_ -= request.memory_bytes;
}

void DeviceLedger::requeue(const protocol::ResourceRequest& request) {
  give_back(request);
  books_.queued_tasks += 1;
  changed();
}

void DeviceLedger::release_queued(std::uint32_t tasks) {
  FASTGPU_CHECK(books_.queued_tasks >= tasks, "what is released was queued");
  if (tasks == 0)
    return;
  books_.queued_tasks -= tasks;
  changed();
}

void DeviceLedger::release_running(const protocol::ResourceRequest& request) {
  give_back(request);
  changed();
}

}  // namespace fastgpu::books
