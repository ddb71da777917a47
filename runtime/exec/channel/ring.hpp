#pragma once

/// A ring between one writer and one reader, in memory that two processes share.
///
/// Place in the flow: node and executor hold one end each of two rings. Wait-free; full and empty
/// are answers, never waits. Each side keeps its own position in private memory and believes of the
/// other's only what is possible: a position that is not ends the conversation (`broken`).

#include <atomic>
#include <cstdint>

namespace fastgpu::exec {

/// The shared part. All zero is an empty ring.
template <class Entry, std::uint32_t Count>
struct RingStorage {
  static_assert((Count & (Count - 1)) == 0, "positions wrap by masking");
  alignas(64) std::atomic<std::uint64_t> written;
  alignas(64) std::atomic<std::uint64_t> read;
  alignas(64) Entry entries[Count];
};

template <class Entry, std::uint32_t Count>
class RingWriter {
 public:
  explicit RingWriter(RingStorage<Entry, Count>* storage = nullptr) : storage_(storage) {}

  /// False when the ring is full.
  bool push(const Entry& entry) {
    if (written_ - read_seen_ >= Count) {
      read_seen_ = storage_->read.load(std::memory_order_acquire);
      if (written_ - read_seen_ >= Count)
        return false;
    }
    storage_->entries[written_ & (Count - 1)] = entry;
    storage_->written.store(++written_, std::memory_order_release);
    return true;
  }

 private:
  RingStorage<Entry, Count>* storage_;
  std::uint64_t written_{0};
  std::uint64_t read_seen_{0};
};

template <class Entry, std::uint32_t Count>
class RingReader {
 public:
  explicit RingReader(RingStorage<Entry, Count>* storage = nullptr) : storage_(storage) {}

  /// False when there is nothing.
  bool pop(Entry& entry) {
    const std::uint64_t written = storage_->written.load(std::memory_order_acquire);
    if (written == read_ || broken_)
      return false;
    if (written - read_ > Count) {
      broken_ = true;
      return false;
    }
    entry = storage_->entries[read_ & (Count - 1)];
    storage_->read.store(++read_, std::memory_order_release);
    return true;
  }
  bool empty() const { return storage_->written.load(std::memory_order_acquire) == read_; }
  /// The other side has written nonsense: no entry can be trusted any more.
  bool broken() const { return broken_; }

 private:
  RingStorage<Entry, Count>* storage_;
  std::uint64_t read_{0};
  bool broken_{false};
};

}  // namespace fastgpu::exec
