#include "runtime/protocol/records.hpp"

namespace fastgpu::protocol {

const char* to_word(PlaceCause cause) {
  static constexpr const char* words[] = {"first", "user_retry", "node_failure", "refused"};
  return words[static_cast<std::size_t>(cause)];
}

}  // namespace fastgpu::protocol
