#pragma once

/// Input objects of the tasks of one device, in memory: each is asked for once, kept while tasks
/// near the head of the queue want it, and for later ones as long as there is room.
/// Owned by the worker machine. Limits: `asked_max` questions under way; `kept_bytes_max` kept
/// beyond what was wanted since the last `trim()`. A failure is remembered until `trim()`, so that
/// all tasks that wait for it learn of it, and later ones try anew.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/worker/arguments.hpp"

namespace fastgpu::worker {

class StagingCache final : public StagedInputs {
 public:
  static constexpr std::size_t asked_max = 16;
  static constexpr std::uint64_t kept_bytes_max = 256ull << 20;

  enum class State : std::uint8_t { ready, waiting, failed };

  /// Marks the object as wanted; `ask` is then set when it must be asked for under `token`.
  State want(const protocol::ObjectRef& object, protocol::StageToken token, bool& ask);
  /// The answer to a question. False: nobody asked.
  bool staged(const protocol::Staged& answer);
  /// Why the object failed; valid when want() said so.
  const base::Error& error_of(const protocol::ObjectRef& object) const;
  /// Valid when want() said ready and trim() was not called since.
  base::Bytes bytes_of(const protocol::ObjectRef& object) const override;
  /// Forgets failures, and the least recently wanted objects beyond the limit.
  void trim();

  std::uint64_t kept_bytes() const { return kept_bytes_; }
  std::size_t asked() const { return asked_.size(); }

 private:
  struct Entry {
    State state{State::waiting};
    base::Bytes data;
    base::Error error;
    std::uint64_t wanted{0};  ///< the turn in which it was wanted last
  };

  std::map<base::ObjectHash, Entry> entries_;
  std::map<protocol::StageToken, base::ObjectHash> asked_;
  std::vector<base::ObjectHash> failed_;
  std::uint64_t kept_bytes_{0};
  std::uint64_t turn_{1};
};

}  // namespace fastgpu::worker
