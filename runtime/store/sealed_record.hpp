#pragma once

/// What the stored records of all logs have in common: keys, checksum, a snapshot in pieces, words
/// for damage; pure functions of bytes.
///
/// Place: beneath the records of SoloLog (solo_record) and of a group's log (actors/replica). Keys:
/// the log's letter, shard(be32), then the kind: 'H' the head, 'L' index(be64) an entry, 'S' the
/// snapshot's description, 'T' number(be32) a piece of its data. Integers in records are
/// little-endian. Every record ends with the crc32c of its key and all before. Decoding fails with
/// ErrorCode::corrupt and names the key. Limits: pieces of snapshot_piece_bytes.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::store {

inline constexpr std::size_t snapshot_piece_bytes = 1u << 20;

/// The first byte of a log's keys.
enum class LogKind : char {
  solo = 's',   ///< one replica
  group = 'r',  ///< a replica of several
};

std::string log_prefix(LogKind log, base::ShardId shard);
/// Of the one record of its kind: 'H' or 'S'.
std::string log_key(LogKind log, base::ShardId shard, char kind);
/// 'L' with an index.
std::string log_key(LogKind log, base::ShardId shard, base::LogIndex index);
/// What a key of a log holds: 'H', 'L', 'S', 'T', or 0 for none of them.
char record_kind(std::string_view key);
/// The index of an 'L' key, the number of a 'T' key.
std::uint64_t record_number(std::string_view key);

/// Little-endian integers and raw bytes, closed with the crc over the key and all before it.
class RecordWriter {
 public:
  explicit RecordWriter(std::size_t reserve);
  template <class Integer>
  RecordWriter& integer(Integer value) {
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      data_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    return *this;
  }
  RecordWriter& bytes(std::span<const std::uint8_t> data) {
    data_.insert(data_.end(), data.begin(), data.end());
    return *this;
  }
  Write seal(std::string key);

 private:
  std::vector<std::uint8_t> data_;
};

/// The other way. `ok` tells at the end whether all was there.
class RecordReader {
 public:
  explicit RecordReader(std::span<const std::uint8_t> data) : rest_(data) {}
  template <class Integer>
  Integer integer() {
    Integer value{};
    const auto data = bytes(sizeof(Integer));
    for (std::size_t i = 0; i < data.size(); ++i) {
      value |= static_cast<Integer>(Integer{data[i]} << (8 * i));
    }
    return value;
  }
  /// Empty where there are fewer left.
  std::span<const std::uint8_t> bytes(std::size_t count);
  std::span<const std::uint8_t> rest() { return bytes(rest_.size()); }
  std::size_t left() const { return rest_.size(); }
  bool ok() const { return ok_ && rest_.empty(); }

 private:
  std::span<const std::uint8_t> rest_;
  bool ok_{true};
};

/// The record without its crc, where that is right.
base::Result<std::span<const std::uint8_t>> unseal(const KeyValue& record);

/// How the data of a snapshot lies in its pieces.
struct PiecesRecord {
  std::uint64_t size_bytes{};
  std::uint32_t data_crc32c{};
  std::uint32_t pieces{};
};
/// Appends the writes that replace all pieces that are there with those of `data`.
PiecesRecord put_pieces(LogKind log, base::ShardId shard, const base::Bytes& data,
                        std::vector<Write>& writes);
/// Puts the data together from its pieces in order, and checks them.
base::Result<base::Bytes> read_pieces(const PiecesRecord& about, std::span<const KeyValue> pieces);

/// The records of one log by kind; entries and pieces in the order of their numbers.
struct LogRecords {
  std::optional<KeyValue> head;
  std::optional<KeyValue> snapshot;
  std::vector<KeyValue> entries;
  std::vector<KeyValue> pieces;
};
/// `contents` is a scan of the log's prefix.
base::Result<LogRecords> sort_out(std::vector<KeyValue> contents, std::string_view prefix);

base::Error corrupt(std::string_view key, std::string_view what);
/// Of the log as a whole.
base::Error corrupt_log(std::string message);

}  // namespace fastgpu::store
