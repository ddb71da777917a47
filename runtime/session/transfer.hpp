#pragma once

/// Objects in pieces: which chunk to send or ask for next, and what the answers mean. The client
/// machine keeps one for each upload or download and steps it; neither knows servers or time.
/// Chunks are limits::object_chunk_bytes long, the last one shorter, and at most
/// limits::transfer_chunks_in_flight_max of them are unanswered.

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::session {

/// Sends chunks in order. The first one asks as well what the node has already, so that an upload
/// goes on where it was cut off, and an object that the node has travels no further.
class Upload {
 public:
  Upload(const base::ObjectHash& hash, base::Bytes data) : hash_(hash), data_(std::move(data)) {}

  /// The next chunk to send now; none while the window is full or all is sent.
  std::optional<protocol::PutChunk> next();
  /// The answer to one of the chunks. True when the node has more than it ever said before, or all.
  bool take(const protocol::PutReply& reply);
  /// Begin again, at a node that may have nothing: no answers to earlier chunks are expected.
  void restart();
  std::size_t unanswered() const { return unanswered_; }

 private:
  base::ObjectHash hash_;
  base::Bytes data_;
  bool asked_{false};     ///< the first chunk was answered
  std::uint64_t has_{0};  ///< bytes that the node surely has, from the start
  std::uint64_t next_{0};
  std::size_t unanswered_{0};
};

/// Asks for chunks; answers may come in any order.
class Download {
 public:
  explicit Download(const protocol::ObjectRef& object) : object_(object) {}

  std::optional<protocol::GetChunk> next();
  /// The answer to one of the chunks. An Error (code corrupt) when it is not what was asked for.
  base::Status take(const protocol::Chunk& chunk);
  /// Ask again for what was not answered.
  void restart();
  bool complete() const { return received_bytes_ == object_.size_bytes; }
  std::size_t unanswered() const { return asked_.size(); }
  /// All of the object, once complete and only once; an Error when its hash is another.
  base::Result<protocol::Chunk> result();

 private:
  std::uint64_t length_at(std::uint64_t offset) const;

  protocol::ObjectRef object_;
  std::vector<std::uint8_t> data_;  ///< grows with what comes, not with what was promised
  std::uint64_t next_{0};
  std::uint64_t received_bytes_{0};
  std::set<std::uint64_t> asked_;  ///< offsets
  std::set<std::uint64_t> again_;  ///< offsets asked before the last restart and not answered
};

}  // namespace fastgpu::session
