#pragma once

/// The stored records of a SoloLog, and their keys; pure functions of bytes.
///
/// Keys: 's' shard(be32), then 'H' the head, 'L' index(be64) an entry, 'S' the snapshot's
/// description, 'T' number(be32) a piece of its data. Integers in records are little-endian. Every
/// record ends with the crc32c of its key and all before. An entry also carries a chain: the
/// first 16 bytes of SHA-256 over the previous entry's chain, index, term, length and crc32c of the
/// command; so a hole, a swap or a record of another place is seen at load. Decoding fails with
/// ErrorCode::corrupt and names the key.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::store {

inline constexpr std::uint32_t solo_log_format = 1;
inline constexpr std::size_t snapshot_piece_bytes = 1u << 20;

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
  std::uint64_t size_bytes{};
  std::uint32_t data_crc32c{};
  std::uint32_t pieces{};
};

std::string log_prefix(base::ShardId shard);
std::string head_key(base::ShardId shard);
std::string entry_key(base::ShardId shard, base::LogIndex index);
std::string snapshot_key(base::ShardId shard);
std::string piece_key(base::ShardId shard, std::uint32_t number);
/// What a key of this shard's log holds: 'H', 'L', 'S', 'T', or 0 for none of them.
char record_kind(std::string_view key);
/// The index of an 'L' key, the number of a 'T' key.
std::uint64_t record_number(std::string_view key);

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
/// Puts the data together from its pieces in order, and checks them.
base::Result<base::Bytes> read_pieces(const SnapshotRecord& snapshot,
                                      std::span<const KeyValue> pieces);

base::Error corrupt(std::string_view key, std::string_view what);

}  // namespace fastgpu::store
