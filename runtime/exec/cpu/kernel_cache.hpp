#pragma once

/// Kernels that are compiled and loaded, by what they were made from.
///
/// Place in the flow: a device asks for each task's kernel here. In memory first, then in the
/// folder, then by compiling; on threads of its own, so that a task whose kernel is there does not
/// wait for one whose kernel is being made. One compile per key and process however many ask;
/// several processes may share the folder: a file appears whole, by rename, and is checked when it
/// is read. Threads: any. Failures live in the entry, as reason and message; those that are the
/// source's own are remembered for `failure_kept`, so that an array of a wrong kernel compiles once
/// and a host whose compiler was mended is not held to its past; the others are tried again by the
/// next who asks.
/// Limits: `loaded_max` entries in memory, least recently used first out, `failures_max` of them
/// failures; `folder_bytes_max` on disk, oldest first out, looked at when the cache starts.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "runtime/exec/cpu/compiler.hpp"
#include "runtime/exec/cpu/module.hpp"

namespace fastgpu::exec {

struct KernelCacheOptions {
  CompilerOptions compiler;  ///< its folder is the cache's folder
  std::size_t threads{2};
  std::size_t loaded_max{256};
  std::uint64_t folder_bytes_max{1ull << 30};
  std::size_t failures_max{64};
  std::chrono::milliseconds failure_kept{30'000};
  std::function<std::chrono::steady_clock::time_point()> now{std::chrono::steady_clock::now};
};

/// What is known of one kernel; on failure it is empty. Immutable once `done()`.
class KernelEntry : public LoadedKernel {
 public:
  bool done() const { return done_.load(std::memory_order_acquire); }
  base::FailureReason reason{base::FailureReason::none};
  std::string message;
  bool compiled{false};     ///< a compiler ran for it
  std::uint64_t made_ns{};  ///< wall time of making it: look-up, compile, load
  std::uint64_t compiler_cpu_ns{};

 private:
  friend class KernelCache;
  std::atomic<bool> done_{false};
};

class KernelCache {
 public:
  /// `changed` is called on a thread of the cache whenever an entry is done.
  KernelCache(KernelCacheOptions options, std::function<void()> changed);
  /// With a maker of another device's; of `options.compiler` it takes the folder alone.
  KernelCache(KernelCacheOptions options, std::unique_ptr<KernelMaker> maker,
              std::function<void()> changed);
  ~KernelCache();
  KernelCache(const KernelCache&) = delete;
  KernelCache& operator=(const KernelCache&) = delete;

  /// Never blocks for a compile. The entry is done, or will be.
  std::shared_ptr<const KernelEntry> request(const KernelRequest& request);
  /// Waits until the entry is done.
  std::shared_ptr<const KernelEntry> wait(std::shared_ptr<const KernelEntry> entry);

 private:
  struct Slot {
    std::string name;
    std::shared_ptr<KernelEntry> entry;
    std::optional<std::chrono::steady_clock::time_point> failed;
  };
  using Slots = std::list<Slot>;
  struct Order {
    KernelRequest request;
    std::string name;
    std::shared_ptr<KernelEntry> entry;
  };
  void serve();
  base::Status prepare();
  void make(const Order& order);
  bool load_from_folder(const base::ObjectHash& key, KernelEntry& entry);
  void compile(const base::ObjectHash& key, const KernelRequest& request, KernelEntry& entry);
  std::string path_of(const base::ObjectHash& key) const;
  void note_end(const Order& order);
  void forget(Slots::iterator slot);
  void forget_oldest();
  void clean_folder() const;

  const KernelCacheOptions options_;
  const std::function<void()> changed_;
  const std::unique_ptr<KernelMaker> maker_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable finished_;
  Slots used_;  ///< most recently used first
  std::unordered_map<std::string, Slots::iterator> by_name_;
  std::deque<Order> orders_;
  bool stop_{false};
  std::mutex preparing_;
  bool prepared_{false};  ///< the compiler is usable and stays so
  std::vector<std::thread> threads_;
};

}  // namespace fastgpu::exec
