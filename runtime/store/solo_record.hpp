#pragma once

/// The stored records of a SoloLog, and their keys; pure functions of bytes.
///
/// Keys and checksums as in sealed_record. An entry also carries a chain: the first 16 bytes of
/// SHA-256 over the previous entry's chain, index, term, length and crc32c of the command; so a
/// hole, a swap or a record of another place is seen at load. Decoding fails with
/// ErrorCode::corrupt and names the key.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/store/sealed_record.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::store {

inline constexpr std::uint32_t solo_log_format = 1;

using ChainHash = std::array<std::uint8_t, 16>;

/// Where a log stands after an entry.
struct LogPosition {
  base::Term term;
  ChainHash chain{};
  bool operator==(const LogPosition&) const = default;
};

struct LogHead {
  base::Epoch epoch;
  base::Term term;
  base::LogIndex first_index;
  LogPosition before_first;
  base::LogIndex last_index;  ///< entries at least to here were written when the head was
  bool operator==(const LogHead&) const = default;
};

struct LogEntry {
  LogPosition position;
  base::Bytes command;
};

struct SnapshotRecord {
  base::LogIndex index;
  PiecesRecord data;
};

std::string log_prefix(base::ShardId shard);
std::string head_key(base::ShardId shard);
std::string entry_key(base::ShardId shard, base::LogIndex index);
std::string snapshot_key(base::ShardId shard);

ChainHash chain_after(const ChainHash& previous, base::LogIndex index, base::Term term,
                      const base::Bytes& command);

Write put_head(base::ShardId shard, const LogHead& head);
Write put_entry(base::ShardId shard, base::LogIndex index, const LogEntry& entry);
/// The snapshot's description and pieces; replaces those of an older one whole.
std::vector<Write> put_snapshot(base::ShardId shard, base::LogIndex index,
                                const base::Bytes& snapshot);

base::Result<LogHead> read_head(const KeyValue& record);
base::Result<LogEntry> read_entry(const KeyValue& record);
base::Result<SnapshotRecord> read_snapshot(const KeyValue& record);

}  // namespace fastgpu::store
