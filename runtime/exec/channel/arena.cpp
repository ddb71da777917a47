#include "runtime/exec/channel/arena.hpp"

#include <algorithm>

#include "runtime/base/check.hpp"

namespace fastgpu::exec {
namespace {

std::uint64_t rounded(std::uint64_t bytes) {
  return (bytes + Arena::unit_bytes - 1) / Arena::unit_bytes * Arena::unit_bytes;
}

}  // namespace

Arena::Arena(std::uint64_t bytes) : bytes_(bytes / unit_bytes * unit_bytes) {
  free_.push_back({0, bytes_});
}

std::uint64_t Arena::free_bytes() const {
  std::uint64_t sum = 0;
  for (const Part& part : free_)
    sum += part.end - part.begin;
  return sum;
}

std::optional<std::uint64_t> Arena::take(std::uint64_t bytes) {
  if (bytes == 0 || bytes > bytes_)
    return std::nullopt;
  const std::uint64_t wanted = rounded(bytes);
  const auto part = std::find_if(free_.begin(), free_.end(), [wanted](const Part& candidate) {
    return candidate.end - candidate.begin >= wanted;
  });
  if (part == free_.end())
    return std::nullopt;
  const std::uint64_t offset = part->begin;
  part->begin += wanted;
  if (part->begin == part->end)
    free_.erase(part);
  return offset;
}

void Arena::give_back(std::uint64_t offset, std::uint64_t bytes) {
  const Part part{offset, offset + rounded(bytes)};
  auto next = std::find_if(free_.begin(), free_.end(),
                           [&part](const Part& other) { return other.begin >= part.begin; });
  FASTGPU_CHECK(next == free_.end() || part.end <= next->begin, "given back twice");
  FASTGPU_CHECK(next == free_.begin() || std::prev(next)->end <= part.begin, "given back twice");
  next = free_.insert(next, part);
  if (const auto after = std::next(next); after != free_.end() && after->begin == next->end) {
    next->end = after->end;
    free_.erase(after);
  }
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->end == next->begin) {
      before->end = next->end;
      free_.erase(next);
    }
  }
}

}  // namespace fastgpu::exec
