#pragma once

/// A ReplicatedLog over a node's store, as the shard actor drives it, whichever it is: SoloLog, or
/// the log of a group.
///
/// Place: owned by the shard actor and called on it only. The owner passes every StoreDurable for
/// this log to `on_durable`, calls `tick` when `next_deadline` has come, and `pump` (from a message
/// to itself) whenever `has_events()`; the log's events come out of these calls only, and the sink
/// may call the log again. Failure: as each log says.

#include <optional>
#include <vector>

#include "runtime/base/replicated_log.hpp"
#include "runtime/base/time.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::store {

/// How a log reaches the store: the store itself, or the shard actor's messages to the store actor.
class StoreWriter {
 public:
  virtual ~StoreWriter() = default;
  /// As Store::write. Tokens grow from 1 in each log's life, so one for many logs translates them.
  /// After `full` the log tries the same writes again at the next `on_durable` or `pump`.
  virtual base::Admission write(StoreToken token, std::vector<Write> writes) = 0;
};

class StoredLog : public base::ReplicatedLog {
 public:
  /// True when `pump` has something to give out.
  virtual bool has_events() const = 0;
  /// True when the writer was full and no StoreDurable of this log is to come: `pump` as soon as
  /// the store may have room again.
  virtual bool waits_for_room() const = 0;
  /// When `tick` is due, if nothing happens before.
  virtual std::optional<base::Time> next_deadline() const { return std::nullopt; }

  /// Everything written with tokens up to `up_to` is durable.
  virtual void on_durable(StoreToken up_to) = 0;
  virtual void tick() {}
  /// Gives out events that wait for no write, and offers again what the writer had refused.
  virtual void pump() = 0;
};

}  // namespace fastgpu::store
