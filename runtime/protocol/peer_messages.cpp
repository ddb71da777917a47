#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::protocol {

const char* to_word(RefusalReason reason) {
  static constexpr const char* words[] = {"none",      "stale_incarnation", "stale_attempt",
                                          "no_memory", "queue_full",        "wrong_device_kind",
                                          "unhealthy", "draining"};
  return words[static_cast<std::size_t>(reason)];
}

}  // namespace fastgpu::protocol
