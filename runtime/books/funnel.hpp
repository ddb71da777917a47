#pragma once

/// Why a request finds no device: many refusals of the fit code, counted and put into words.
/// Used by the scheduler for waiting reasons and by the gateway for the refusal of a hopeless job.
/// Pure; nothing fails.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/books/fit.hpp"

namespace fastgpu::books {

class Funnel {
 public:
  explicit Funnel(protocol::ResourceRequest request, Work work = Work::kernel)
      : request_(request), work_(work) {}

  /// Counts a device. `reachable`: its node answers and we may send work there now; `room`: so many
  /// tasks would be sent there at once, 0 for a device that has enough ahead.
  void add(const protocol::DeviceBooks& books, bool reachable, std::uint32_t room);
  /// Counts a device by its books alone.
  void add(const protocol::DeviceBooks& books, bool reachable);

  std::uint32_t looked_at() const { return looked_at_; }
  /// Devices were looked at, and none could run such a task even when idle.
  bool infeasible() const;
  /// Some device would take a task now.
  bool fits() const { return fits_ != 0; }
  /// "capacity" or "infeasible" with the counts; not_yet_considered when there are no devices.
  protocol::WaitingReason waiting() const;
  /// What a hopeless submit is answered: rejected, with the nearest device as hint.
  base::Error error() const;

 private:
  std::string asked() const;
  std::string counts() const;
  std::string nearest() const;

  protocol::ResourceRequest request_;
  Work work_;
  std::uint32_t looked_at_{0};
  std::uint32_t wrong_kind_{0};
  std::uint32_t too_small_{0};
  std::uint32_t away_{0};         ///< not healthy, or on a node that does not answer
  std::uint32_t no_commands_{0};  ///< healthy and reachable, but these are commands
  std::string no_commands_why_;   ///< of the first of them
  std::uint32_t full_{0};
  std::uint32_t fits_{0};
  std::optional<protocol::DeviceBooks> largest_;  ///< of the right kind
  std::optional<protocol::DeviceBooks> other_;    ///< of another kind, the largest
};

/// All devices of the view.
Funnel look_at(const protocol::ResourceRequest& request,
               const std::vector<protocol::NodeView>& nodes);

}  // namespace fastgpu::books
