#pragma once

/// The pins of a BlobStore, on the disk as one log of pins and unpins, so that a group of them
/// costs one write and one sync; in memory as what stands.
///
///     entry:  crc (4) | what (1) | hash (32) | kind (1) | shard (4) | high, low (16)
///     what:   1: pin, 2: unpin, 3: pin of a copy; then its home (4) follows
///
/// A torn end is cut off at the start. When most of the log is past, it is written anew beside the
/// old one and renamed. Failure as BlobFolder tells it: `add` is false for a full disk.

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/objects/blob_folder.hpp"
#include "runtime/objects/pins/pin.hpp"

namespace fastgpu::objects {

class PinLog {
 public:
  /// A log of so many entries, of which less than half stand, is written anew.
  PinLog(BlobFolder& folder, std::size_t entries_min)
      : folder_(folder), entries_min_(entries_min) {}

  base::Status load(std::span<const FileEntry> entries);

  bool has(const Pin& pin) const { return pins_.contains(pin); }
  bool is_pinned(const base::ObjectHash& hash) const;
  const std::set<Pin>& all() const { return pins_; }
  /// Who has pins, and how many each.
  const std::map<PinOwner, std::set<base::ObjectHash>>& owners() const { return owners_; }

  /// The node that sees to the copies; 0: this one, or it was never told.
  base::NodeId home_of(const Pin& pin) const;

  /// Durable when true; nothing is changed when false. `home` is 0 where it is this node: what was
  /// pinned as a copy is its own from then on, and never the other way.
  [[nodiscard]] bool add(std::span<const Pin> pins, base::NodeId home = {});
  /// Those that stand are durably gone. On a full disk, in this life only.
  void drop(std::span<const Pin> pins);

 private:
  void apply(const Pin& pin, bool stands, base::NodeId home = {});
  [[nodiscard]] bool append(std::span<const std::uint8_t> entries);
  void rewrite();

  BlobFolder& folder_;
  const std::size_t entries_min_;
  std::set<Pin> pins_;
  std::map<PinOwner, std::set<base::ObjectHash>> owners_;
  std::map<Pin, base::NodeId> homes_;  ///< of copies
  std::uint64_t log_bytes_{0};
  bool named_{false};  ///< the log's name is durable
};

}  // namespace fastgpu::objects
