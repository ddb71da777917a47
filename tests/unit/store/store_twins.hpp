#pragma once

/// Both stores behind one face, so that one contract is checked on each.

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/store/memory_store.hpp"
#include "runtime/store/rocksdb_store.hpp"

namespace fastgpu::store {

/// A folder of its own, gone with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fastgpu-store-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// What a sink was told, waited for with a deadline that only matters on failure.
class DurableLog {
 public:
  void add(StoreDurable durable) {
    {
      const std::lock_guard lock(mutex_);
      told_.push_back(durable.up_to);
    }
    changed_.notify_all();
  }
  bool wait_for(StoreToken token) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30),
                             [&] { return !told_.empty() && told_.back() >= token; });
  }
  std::vector<StoreToken> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<StoreToken> told_;
};

class StoreTwin {
 public:
  virtual ~StoreTwin() = default;
  /// A life of the store; ends the one before in good order.
  virtual Store& open(std::size_t pending_bytes_max) = 0;
  /// Waits until `token` is reported durable.
  virtual void settle(DurableLog& log, StoreToken token) = 0;
};

class RocksDbTwin final : public StoreTwin {
 public:
  Store& open(std::size_t pending_bytes_max) override {
    store_.reset();
    auto opened = RocksDbStore::open({folder_.path(), pending_bytes_max});
    EXPECT_TRUE(opened.ok());
    store_ = std::move(opened).value();
    return *store_;
  }
  void settle(DurableLog& log, StoreToken token) override { ASSERT_TRUE(log.wait_for(token)); }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<RocksDbStore> store_;
};

class MemoryTwin final : public StoreTwin {
 public:
  Store& open(std::size_t pending_bytes_max) override {
    MemoryStoreOptions options;
    options.pending_bytes_max = pending_bytes_max;
    store_ = std::make_unique<MemoryStore>(disk_, options, base::Random(7));
    now_ = {};
    return *store_;
  }
  void settle(DurableLog& log, StoreToken token) override {
    while (store_->next_event()) {
      now_ = std::max(now_, *store_->next_event());
      store_->run_until(now_);
    }
    ASSERT_TRUE(log.wait_for(token));
  }

 private:
  MemoryDisk disk_;
  std::unique_ptr<MemoryStore> store_;
  base::Time now_{};
};

inline base::Bytes bytes(std::string_view text) {
  return base::Bytes::copy_of(text);
}

}  // namespace fastgpu::store
