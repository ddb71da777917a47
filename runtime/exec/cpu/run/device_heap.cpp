#include "runtime/exec/cpu/run/device_heap.hpp"

#include <atomic>
#include <cstdlib>
#include <mutex>

namespace fastgpu::exec {
namespace {

/// Stands before each piece; its size keeps the alignment that malloc promises.
struct alignas(16) Piece {
  Piece* before;
  Piece* after;
  std::size_t bytes;  ///< this header included
};

std::mutex mutex;
Piece* pieces = nullptr;
std::size_t used = 0;
std::atomic<std::uint64_t> refused_asked{0};
std::atomic<std::uint64_t> refused_used{0};

void unlink(Piece* piece) {
  if (piece->before != nullptr)
    piece->before->after = piece->after;
  else
    pieces = piece->after;
  if (piece->after != nullptr)
    piece->after->before = piece->before;
  used -= piece->bytes;
}

}  // namespace

void open_device_heap() {
  close_device_heap();
  refused_asked.store(0, std::memory_order_relaxed);
}

void close_device_heap() {
  std::lock_guard lock(mutex);
  while (pieces != nullptr) {
    Piece* const piece = pieces;
    unlink(piece);
    std::free(piece);
  }
}

void* device_malloc(std::size_t bytes) {
  std::lock_guard lock(mutex);
  const bool fits =
      bytes <= device_heap_bytes_max && used + sizeof(Piece) + bytes <= device_heap_bytes_max;
  auto* const piece = fits ? static_cast<Piece*>(std::malloc(sizeof(Piece) + bytes)) : nullptr;
  if (piece == nullptr) {
    refused_used.store(used, std::memory_order_relaxed);
    refused_asked.store(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  *piece = {nullptr, pieces, sizeof(Piece) + bytes};
  if (pieces != nullptr)
    pieces->before = piece;
  pieces = piece;
  used += piece->bytes;
  return piece + 1;
}

void device_free(void* memory) {
  if (memory == nullptr)
    return;
  std::lock_guard lock(mutex);
  Piece* const piece = static_cast<Piece*>(memory) - 1;
  unlink(piece);
  std::free(piece);
}

HeapRefusal last_heap_refusal() {
  return {refused_asked.load(std::memory_order_relaxed),
          refused_used.load(std::memory_order_relaxed)};
}

}  // namespace fastgpu::exec
