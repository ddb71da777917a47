#pragma once

/// Free ports of the loopback, and nobody else's while this lives: for clusters that are started
/// where no ports were given, `fastgpu up` and the tests. A port that is found free and let go may
/// be anyone's when its node comes to listen, or while the node is restarted: with the next
/// outgoing connection the system hands it out again.
///
/// It keeps a socket bound to each port and never listens on it. A node may listen there all the
/// same, one after the other, since both sides allow the reuse of the address (ZeroMQ always does).
/// A value that only moves; used by one thread. An Error where the system has no port left.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/base/result.hpp"

namespace fastgpu::link {

class ReservedPorts {
 public:
  static base::Result<ReservedPorts> take(std::size_t count);
  ReservedPorts() = default;
  ReservedPorts(ReservedPorts&& other) noexcept;
  ReservedPorts& operator=(ReservedPorts&& other) noexcept;
  ~ReservedPorts();

  /// All different.
  const std::vector<std::uint16_t>& ports() const { return ports_; }

 private:
  base::Status add();

  std::vector<int> sockets_;
  std::vector<std::uint16_t> ports_;
};

}  // namespace fastgpu::link
