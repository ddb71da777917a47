#include "runtime/protocol/cluster.hpp"

namespace fastgpu::protocol {

const char* to_word(MemberState state) {
  static constexpr const char* words[] = {"active", "draining", "removed"};
  return words[static_cast<std::size_t>(state)];
}

const char* to_word(NodeState state) {
  static constexpr const char* words[] = {"up", "suspect", "down"};
  return words[static_cast<std::size_t>(state)];
}

}  // namespace fastgpu::protocol
