#include "runtime/link/channel.hpp"

#include <algorithm>
#include <utility>

namespace fastgpu::link {

bool Outgoing::may_send(std::size_t bytes) const {
  return limit_bytes_ >= sent_bytes_ && limit_bytes_ - sent_bytes_ >= bytes;
}

bool Outgoing::offer(base::Bytes frame, std::size_t queue_bytes_max) {
  const std::size_t bytes = frame.size();
  const bool goes_at_once = queue_.empty() && may_send(bytes);
  if (!goes_at_once && queued_bytes_ + bytes > queue_bytes_max) {
    return false;
  }
  queued_bytes_ += bytes;
  queue_.push_back(std::move(frame));
  return true;
}

std::optional<base::Bytes> Outgoing::release() {
  if (queue_.empty() || !may_send(queue_.front().size())) {
    return std::nullopt;
  }
  base::Bytes frame = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= frame.size();
  sent_bytes_ += frame.size();
  return frame;
}

void Outgoing::raise_limit(std::uint64_t limit_bytes) {
  limit_bytes_ = std::max(limit_bytes_, limit_bytes);
}

std::uint64_t Incoming::limit(std::size_t window_bytes, std::size_t held_bytes) const {
  return received_bytes_ + (window_bytes - std::min(window_bytes, held_bytes));
}

bool Incoming::worth_telling(std::size_t window_bytes, std::size_t held_bytes) const {
  const std::uint64_t now_bytes = limit(window_bytes, held_bytes);
  return now_bytes > told_bytes_ && now_bytes - told_bytes_ >= window_bytes / 4;
}

}  // namespace fastgpu::link
