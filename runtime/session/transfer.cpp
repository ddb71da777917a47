#include "runtime/session/transfer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::session {
namespace {

constexpr std::uint64_t chunk_bytes = base::limits::object_chunk_bytes;
constexpr std::size_t window = base::limits::transfer_chunks_in_flight_max;

base::Error corrupt(const base::ObjectHash& hash, const char* what) {
  return {base::ErrorKind::lost, base::ErrorCode::corrupt,
          "object " + base::to_string(hash) + " came " + what, "run the job again"};
}

}  // namespace

std::optional<protocol::PutChunk> Upload::next() {
  const bool nothing_left = asked_ ? next_ >= data_.size() : unanswered_ != 0;
  if (nothing_left || unanswered_ >= window) {
    return std::nullopt;
  }
  const std::uint64_t length = std::min<std::uint64_t>(chunk_bytes, data_.size() - next_);
  protocol::PutChunk chunk{hash_, data_.size(), next_,
                           base::Bytes::copy_of(data_.span().subspan(next_, length))};
  next_ += length;
  ++unanswered_;
  return chunk;
}

bool Upload::take(const protocol::PutReply& reply) {
  unanswered_ -= unanswered_ != 0 ? 1 : 0;
  const bool more = reply.complete || !asked_ || reply.received_bytes > has_;
  asked_ = true;
  has_ = std::max(has_, std::min<std::uint64_t>(reply.received_bytes, data_.size()));
  next_ = std::max(next_, has_);
  if (unanswered_ == 0) {
    next_ = has_;  // what was sent beyond that did not arrive in order: send it again
  }
  return more;
}

void Upload::restart() {
  asked_ = false;
  has_ = 0;
  next_ = 0;
  unanswered_ = 0;
}

std::uint64_t Download::length_at(std::uint64_t offset) const {
  return std::min(chunk_bytes, object_.size_bytes - offset);
}

std::optional<protocol::GetChunk> Download::next() {
  if (asked_.size() >= window) {
    return std::nullopt;
  }
  std::uint64_t offset = next_;
  if (!again_.empty()) {
    offset = *again_.begin();
    again_.erase(again_.begin());
  } else if (next_ < object_.size_bytes) {
    next_ += length_at(next_);
  } else {
    return std::nullopt;
  }
  asked_.insert(offset);
  return protocol::GetChunk{object_, offset, static_cast<std::uint32_t>(length_at(offset))};
}

base::Status Download::take(const protocol::Chunk& chunk) {
  if (asked_.erase(chunk.offset) == 0) {
    return {};  // asked for twice and answered before
  }
  if (chunk.data.size() != length_at(chunk.offset)) {
    return corrupt(object_.hash, "in a piece of the wrong length");
  }
  data_.resize(std::max<std::size_t>(data_.size(), chunk.offset + chunk.data.size()));
  std::memcpy(data_.data() + chunk.offset, chunk.data.data(), chunk.data.size());
  received_bytes_ += chunk.data.size();
  return {};
}

void Download::restart() {
  again_.merge(asked_);
  asked_.clear();
}

base::Result<protocol::Chunk> Download::result() {
  base::Bytes data(std::exchange(data_, {}));
  if (base::sha256(data.span()) != object_.hash) {
    return corrupt(object_.hash, "damaged: its hash is another");
  }
  return protocol::Chunk{object_, 0, std::move(data)};
}

}  // namespace fastgpu::session
