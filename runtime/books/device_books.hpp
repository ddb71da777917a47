#pragma once

/// The exact books of one device: what is granted and what runs on it.
///
/// Owned by the worker machine of the device, which asks the fit code before it grants or launches.
/// Over-booking, or giving back what was not taken, is our own bug and aborts the process.
/// `queued + running <= limits::device_queue_tasks_max`, `running <= slots_total`, and what runs
/// together takes no more memory than there is.

#include <cstdint>
#include <string>

#include "runtime/books/fit.hpp"

namespace fastgpu::books {

/// What a device is; known once its executor is up.
struct DeviceShape {
  protocol::DeviceKind kind{protocol::DeviceKind::cpu};
  std::string model;
  std::string uuid;
  std::uint64_t memory_bytes{};
  std::uint32_t slots{1};  ///< tasks launched at the same time
  bool operator==(const DeviceShape&) const = default;
};

class DeviceLedger {
 public:
  /// Not healthy at first.
  DeviceLedger(base::DeviceId device, base::Incarnation incarnation);

  const protocol::DeviceBooks& books() const { return books_; }
  std::uint32_t running() const { return books_.slots_total - books_.slots_free; }
  std::uint32_t held() const { return books_.queued_tasks + running(); }

  /// The device as its driver or its executor reports it. A smaller memory than before counts for
  /// what is launched from now on.
  void describe(const DeviceShape& shape);
  /// Healthy, or why it is not.
  void set_health(const std::string& unhealthy_why);
  /// Commands are taken, or why they are not; at first they are.
  void set_no_commands(const std::string& why);
  void set_telemetry(const protocol::DeviceTelemetry& telemetry);
  void set_backlog(std::int64_t backlog_ns);

  /// `tasks` places in the queue.
  void grant(const protocol::ResourceRequest& request, std::uint32_t tasks);
  /// A queued task starts.
  void launch(const protocol::ResourceRequest& request);
  /// A running task goes back to the queue, to be run again.
  void requeue(const protocol::ResourceRequest& request);
  /// Queued tasks will not run here.
  void release_queued(std::uint32_t tasks);
  /// A running task has ended.
  void release_running(const protocol::ResourceRequest& request);

 private:
  void changed();
  void give_back(const protocol::ResourceRequest& request);

  protocol::DeviceBooks books_;
  std::uint64_t memory_bytes_used_{0};
};

}  // namespace fastgpu::books
