#pragma once

/// One connection to one other link, as the LinkMachine keeps it: the queue of what waits for
/// credit, and the credit account of both directions.
/// The account is in bytes since the channel opened. The receiver tells the sender a limit,
/// `received + window - held`, where `held` is what it has delivered and its consumer has not
/// finished. Both sides repeat their figures in every control frame, so lost, doubled or overtaken
/// frames bend the account only until the next one.
/// Pure values; owned by the LinkMachine.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/link/link.hpp"

namespace fastgpu::link {

/// A connection of the transport. Dialled ones are numbered by the machine, accepted ones by the
/// transport with `accepted_channel_bit` set; neither is reused.
using ChannelId = base::Id<struct ChannelTag, std::uint64_t>;
inline constexpr std::uint64_t accepted_channel_bit = 1ull << 63;
constexpr bool is_accepted(ChannelId channel) {
  return (channel.value & accepted_channel_bit) != 0;
}

/// The sending half: what waits, and how much of it may go.
class Outgoing {
 public:
  /// False when the queue would exceed `queue_bytes_max`. A frame that may go at once always fits.
  bool offer(base::Bytes frame, std::size_t queue_bytes_max) {
    const std::size_t bytes = frame.size();
    const bool goes_at_once = queue_.empty() && may_send(bytes);
    if (!goes_at_once && queued_bytes_ + bytes > queue_bytes_max) {
      return false;
    }
    queued_bytes_ += bytes;
    queue_.push_back(std::move(frame));
    return true;
  }
  /// The next frame that the receiver has credit for; nullopt when none waits or may go.
  std::optional<base::Bytes> release() {
    if (queue_.empty() || !may_send(queue_.front().size())) {
      return std::nullopt;
    }
    base::Bytes frame = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= frame.size();
    sent_bytes_ += frame.size();
    return frame;
  }
  /// A limit told by the receiver. Limits only grow.
  void raise_limit(std::uint64_t limit_bytes) {
    limit_bytes_ = std::max(limit_bytes_, limit_bytes);
  }
  std::uint64_t sent_bytes() const { return sent_bytes_; }
  std::size_t queued_bytes() const { return queued_bytes_; }
  std::size_t queued_frames() const { return queue_.size(); }

 private:
  bool may_send(std::size_t bytes) const {
    return limit_bytes_ >= sent_bytes_ && limit_bytes_ - sent_bytes_ >= bytes;
  }

  std::deque<base::Bytes> queue_;
  std::size_t queued_bytes_{0};
  std::uint64_t sent_bytes_{0};
  std::uint64_t limit_bytes_{0};
};

/// The receiving half: what has come, and up to where the sender has been told to go.
class Incoming {
 public:
  void arrived(std::size_t bytes) { received_bytes_ += bytes; }
  /// The sender says how much it has sent: what is missing is lost, what is over came twice.
  void correct(std::uint64_t sent_bytes) { received_bytes_ = sent_bytes; }
  /// The limit to tell now, given what the consumer still holds.
  std::uint64_t limit(std::size_t window_bytes, std::size_t held_bytes) const {
    return received_bytes_ + (window_bytes - std::min(window_bytes, held_bytes));
  }
  /// Whether that limit is news enough for a frame of its own: a quarter of the window.
  bool worth_telling(std::size_t window_bytes, std::size_t held_bytes) const {
    const std::uint64_t now_bytes = limit(window_bytes, held_bytes);
    return now_bytes > told_bytes_ && now_bytes - told_bytes_ >= window_bytes / 4;
  }
  void told(std::uint64_t limit_bytes) { told_bytes_ = limit_bytes; }

 private:
  std::uint64_t received_bytes_{0};
  std::uint64_t told_bytes_{0};
};

enum class ChannelStage : std::uint8_t {
  connecting,  ///< dialled, not connected
  greeting,    ///< connected, hello sent, no welcome yet
  open,
};

struct Channel {
  ChannelId id;
  Endpoint endpoint;
  ChannelStage stage{ChannelStage::connecting};
  LinkIdentity other;      ///< valid once open
  base::CallerPtr caller;  ///< who opened it, by its key; of accepted ones, with keys
  Outgoing outgoing;
  Incoming incoming;
  base::Time heard_at;       ///< when the other side last gave a sign
  base::Time next_alive_at;  ///< when we next give one (or repeat the hello)
  int bad_frames{0};
};

}  // namespace fastgpu::link
