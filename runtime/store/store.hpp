#pragma once

/// A node's durable map from keys to values, written asynchronously with group commit.
///
/// Place: beneath the logs of all shards of a node; nothing of a shard is told to anybody before
/// its StoreDurable. Owned by the store actor; `write` is called on that one thread, the sink on
/// the store's own thread (RocksDbStore) or inside MemoryStore::run_until (simulation). Failure: a
/// write or sync that fails has an unknown outcome (the bytes may well be there after a restart),
/// so the process ends; there is no error to handle after `start`. Keys are ordered as unsigned
/// bytes. Limits: limits::store_pending_bytes_max waiting, then `full`.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/replicated_log.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::store {

/// Names a write to its writer. Chosen by the writer, from 1, each greater than the one before.
using StoreToken = base::Id<struct StoreTokenTag, std::uint64_t>;

struct KeyValue {
  std::string key;
  base::Bytes value;
  bool operator==(const KeyValue&) const = default;
};

/// One change. With `value`: put. Without: delete `key`, or all keys in [key, end) if `end` is set.
struct Write {
  std::string key;
  std::optional<base::Bytes> value;
  std::string end;
  bool operator==(const Write&) const = default;

  static Write put(std::string key, base::Bytes value) {
    return {std::move(key), std::move(value), {}};
  }
  static Write erase(std::string key) { return {std::move(key), std::nullopt, {}}; }
  static Write erase_range(std::string begin, std::string end) {
    return {std::move(begin), std::nullopt, std::move(end)};
  }
  std::size_t size_bytes() const { return key.size() + end.size() + (value ? value->size() : 0); }
};

/// All writes with tokens up to and including this one are on disk for good.
struct StoreDurable {
  StoreToken up_to;
  bool operator==(const StoreDurable&) const = default;
};

/// Since the store was opened. writes / syncs is the size of a group.
struct StoreCounters {
  std::uint64_t writes{};
  std::uint64_t syncs{};
  std::uint64_t bytes{};
  bool operator==(const StoreCounters&) const = default;
};

class Store {
 public:
  using Sink = std::function<void(StoreDurable)>;

  virtual ~Store() = default;
  /// All keys that begin with `prefix`, in order. Blocks; used before `start` only.
  virtual base::Result<std::vector<KeyValue>> scan(std::string_view prefix) const = 0;
  /// From now on writes are taken and `sink` is told what is durable. Call once.
  virtual void start(Sink sink) = 0;
  /// All of `writes` or none of them, after everything written before; later changes of the list
  /// win over earlier ones. Never blocks. `accepted` or `full`: if full, nothing was taken and the
  /// same token may be used again after the next StoreDurable, which is sure to come.
  virtual base::Admission write(StoreToken token, std::vector<Write> writes) = 0;
  virtual StoreCounters counters() const = 0;
  /// What its disk has free; UINT64_MAX where nobody can tell.
  virtual std::uint64_t bytes_free() const = 0;
};

}  // namespace fastgpu::store
