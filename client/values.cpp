#include <array>

#include "fastgpu/client.hpp"

namespace fastgpu {
inline namespace v1 {

std::string Error::text() const {
  std::string line = "error[" + code + "]: " + message;
  if (!hint.empty()) {
    line += " (hint: " + hint + ")";
  }
  return line;
}

std::string_view to_word(JobState state) {
  static constexpr std::array<std::string_view, 7> words{
      "pending", "running", "succeeded", "failed", "cancelled", "timed_out", "lost"};
  return words[static_cast<std::size_t>(state)];
}

}  // namespace v1
}  // namespace fastgpu
