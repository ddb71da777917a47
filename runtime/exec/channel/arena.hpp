#pragma once

/// Which parts of the arena are in use. Only the node allocates; the executor is told the places.
///
/// Lowest address first, neighbours joined when freed: the same few pages are used again and again,
/// warm, and the rest of the arena is never touched. Pure bookkeeping; not thread-safe.

#include <cstdint>
#include <optional>
#include <vector>

namespace fastgpu::exec {

class Arena {
 public:
  static constexpr std::uint64_t unit_bytes = 4096;

  explicit Arena(std::uint64_t bytes);
  std::uint64_t size() const { return bytes_; }
  std::uint64_t free_bytes() const;
  /// The offset of a free part, rounded up to whole units; none when there is no such part now.
  std::optional<std::uint64_t> take(std::uint64_t bytes);
  /// Exactly what take() was asked for.
  void give_back(std::uint64_t offset, std::uint64_t bytes);

 private:
  struct Part {
    std::uint64_t begin;
    std::uint64_t end;
  };
  std::uint64_t bytes_;
  std::vector<Part> free_;  ///< by address
};

}  // namespace fastgpu::exec
