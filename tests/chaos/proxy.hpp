#pragma once

/// The links between rooms. In every room, and outside where the clients are, it listens on the
/// addresses of all nodes that are not at home there, and carries the bytes to the room where that
/// node listens. What passes from one place to another is told by a Flow for each direction: held
/// back (as TCP does over a link that is down: nothing is lost, nothing comes), late, or open; and
/// connections can be broken. It knows nothing of frames: a cut falls wherever it falls.
///
/// One thread of its own carries; the other calls are for any thread. Buffers are bounded: who
/// sends faster than the other end takes is held up by TCP.

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "tests/chaos/rooms.hpp"

namespace fastgpu::chaos {

/// Where one can dial from: a room's number, or this.
inline constexpr int outside = -1;

struct Flow {
  bool held{false};
  std::int64_t passes_bytes{0};  ///< of a held one: so much more of each connection still passes
  int delay_ms{0};
};

class Proxy {
 public:
  /// `ports[i]` is what node i listens on, in room i.
  static base::Result<std::unique_ptr<Proxy>> start(const Rooms& rooms,
                                                    const std::vector<std::uint16_t>& ports);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  void set(int from, int to, Flow flow);
  /// Every flow.
  void open_all();
  /// Breaks all connections between the node and other nodes.
  void reset(int node);
  std::uint64_t bytes_carried() const;

 private:
  class Carrier;
  explicit Proxy(std::unique_ptr<Carrier> carrier);
  std::unique_ptr<Carrier> carrier_;
};

}  // namespace fastgpu::chaos
