#include "runtime/store/rocksdb_store.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>

#include "runtime/base/check.hpp"

namespace fastgpu::store {
namespace {

/// The log of RocksDB is small beside ours: a node keeps its memory for the jobs.
constexpr std::size_t write_buffer_bytes = 16u << 20;
constexpr std::size_t block_cache_bytes = 8u << 20;
constexpr std::size_t info_log_bytes = 4u << 20;
constexpr int open_files_max = 256;
constexpr std::uint64_t open_room_bytes = 1u << 20;

constexpr int exit_disk_full = 9;  ///< as docs/errors.md has it
constexpr int exit_internal = 1;

/// No abort: a core dump would be written to the disk that has failed.
[[noreturn]] void end_process(const char* action, const rocksdb::Status& status) {
  const bool full = status.IsNoSpace();
  std::fprintf(stderr,
               "fastgpu: %s of the ledger's store failed: %s -> this node ends; nothing that was "
               "acknowledged is lost: %s, then start it again\n",
               action, status.ToString().c_str(),
               full ? "free some room on the disk of its data folder (FG2202)"
                    : "see to the disk of its data folder (FG9001)");
  std::fflush(stderr);
  std::_Exit(full ? exit_disk_full : exit_internal);
}

/// A flush or compaction that fails leaves a database that refuses writes: the process ends
/// instead.
class EndOnError final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    end_process("background work", *error);
  }
};

rocksdb::Options database_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.track_and_verify_wals_in_manifest = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // What recovery finds is flushed and synced before anybody reads it: a process that died between
  // write and sync leaves bytes that only the page cache holds.
  options.avoid_flush_during_recovery = false;
  options.listeners.push_back(std::make_shared<EndOnError>());
  options.write_buffer_size = write_buffer_bytes;
  options.max_write_buffer_number = 2;
  options.max_background_jobs = 2;
  options.max_open_files = open_files_max;
  options.compression = rocksdb::kNoCompression;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_log_file_size = info_log_bytes;
  options.keep_log_file_num = 2;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(block_cache_bytes);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

base::Error no_room_error(const std::string& folder, const std::string& why) {
  return {base::ErrorKind::overloaded, base::ErrorCode::disk_full,
          "the disk has no room for opening the store in " + folder + ": " + why,
          "free some room on that disk and start again: nothing is lost"};
}

/// Opening writes into a table what the logs hold. Looked at before, since RocksDB may abort in the
/// middle of it.
base::Status check_room(const std::string& folder) {
  std::error_code failed;
  std::uint64_t needed = open_room_bytes;
  for (std::filesystem::directory_iterator file(folder, failed), end; !failed && file != end;
       file.increment(failed)) {
    std::error_code gone;
    needed += file->path().extension() == ".log" ? file->file_size(gone) : 0;
  }
  const std::uint64_t free = std::filesystem::space(folder, failed).available;
  if (!failed && free < needed) {
    return no_room_error(folder, std::to_string(needed) + " bytes are needed and " +
                                     std::to_string(free) + " are free");
  }
  return {};
}

base::Error open_error(const std::string& folder, const rocksdb::Status& status) {
  const std::string text = status.ToString();
  if (status.IsIOError() && text.find("/LOCK") != std::string::npos) {
    return {base::ErrorKind::rejected, base::ErrorCode::conflict,
            "the data folder " + folder + " is in use by another process (" + text + ")",
            "stop that process, or give this one a folder of its own"};
  }
  if (status.IsCorruption()) {
    return {base::ErrorKind::lost, base::ErrorCode::corrupt,
            "the store in " + folder + " is damaged: " + text,
            "keep the data folder for analysis and restore it from a copy"};
  }
  if (status.IsNoSpace()) {
    return no_room_error(folder, text);
  }
  return {base::ErrorKind::unavailable, base::ErrorCode::internal,
          "cannot open the store in " + folder + ": " + text, ""};
}

base::Status make_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::create_directories(folder, error)) {
    fs::permissions(folder, fs::perms::owner_all, error);
  }
  if (!error && !fs::is_directory(folder, error) && !error) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (error) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       "cannot make the data folder " + folder + ": " + error.message(), ""};
  }
  return {};
}

rocksdb::Slice slice(const base::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check(const rocksdb::Status& status, const char* action) {
  if (!status.ok()) {
    end_process(action, status);
  }
}

void add(rocksdb::WriteBatch& batch, const Write& write) {
  if (write.value) {
    check(batch.Put(write.key, slice(*write.value)), "a put");
  } else if (write.end.empty()) {
    check(batch.Delete(write.key), "a delete");
  } else {
    check(batch.DeleteRange(write.key, write.end), "a delete range");
  }
}

}  // namespace

/// The database, the queue before it and the thread between them.
class RocksDbStore::Database {
 public:
  Database(std::unique_ptr<rocksdb::DB> rocksdb, std::size_t pending_bytes_max)
      : rocksdb_(std::move(rocksdb)), pending_bytes_max_(pending_bytes_max) {}

  ~Database() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) {
      thread_.join();
    }
    check(rocksdb_->Close(), "closing");
  }

  base::Result<std::vector<KeyValue>> scan(std::string_view prefix) const {
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at(rocksdb_->NewIterator(options));
    std::vector<KeyValue> found;
    for (at->Seek(rocksdb::Slice(prefix.data(), prefix.size())); at->Valid(); at->Next()) {
      const std::string_view key(at->key().data(), at->key().size());
      if (!key.starts_with(prefix)) {
        break;
      }
      const std::string_view value(at->value().data(), at->value().size());
      found.push_back({std::string(key), base::Bytes::copy_of(value)});
    }
    if (!at->status().ok()) {
      return base::Error{base::ErrorKind::lost, base::ErrorCode::corrupt,
                         "cannot read the store: " + at->status().ToString(), ""};
    }
    return found;
  }

  void start(Sink sink) {
    FASTGPU_CHECK(!thread_.joinable(), "a store starts once");
    sink_ = std::move(sink);
    thread_ = std::thread([this] { run(); });
  }

  base::Admission write(StoreToken token, std::vector<Write> writes) {
    std::size_t bytes = 0;
    for (const auto& each : writes) {
      bytes += each.size_bytes();
    }
    {
      const std::lock_guard lock(mutex_);
      FASTGPU_CHECK(sink_ && token > last_token_, "tokens grow, after start");
      if (waiting_bytes_ > 0 && waiting_bytes_ + bytes > pending_bytes_max_) {
        return base::Admission::full;
      }
      last_token_ = token;
      waiting_bytes_ += bytes;
      pending_.push_back({token, std::move(writes), bytes});
    }
    wake_.notify_one();
    return base::Admission::accepted;
  }

  StoreCounters counters() const {
    return {writes_.load(std::memory_order_relaxed), syncs_.load(std::memory_order_relaxed),
            bytes_.load(std::memory_order_relaxed)};
  }

 private:
  struct Pending {
    StoreToken token;
    std::vector<Write> writes;
    std::size_t bytes{};
  };

  void run() {
    std::vector<Pending> group;
    while (take(group)) {
      commit(group);
      release(group);  // before the sink, so that who was refused finds room when told
      sink_({group.back().token});
    }
  }

  /// Waits for work and takes all of it. False: nothing is left and the store stops.
  bool take(std::vector<Pending>& group) {
    std::unique_lock lock(mutex_);
    group.clear();
    wake_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    group.swap(pending_);
    return !group.empty();
  }

  void release(const std::vector<Pending>& group) {
    const std::lock_guard lock(mutex_);
    for (const auto& done : group) {
      waiting_bytes_ -= done.bytes;
    }
  }

  void commit(const std::vector<Pending>& group) {
    rocksdb::WriteBatch batch;
    std::uint64_t bytes = 0;
    for (const auto& pending : group) {
      for (const auto& each : pending.writes) {
        add(batch, each);
      }
      bytes += pending.bytes;
    }
    rocksdb::WriteOptions options;
    options.sync = true;
    check(rocksdb_->Write(options, &batch), "a synced write");
    writes_.fetch_add(group.size(), std::memory_order_relaxed);
    syncs_.fetch_add(1, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }

  const std::unique_ptr<rocksdb::DB> rocksdb_;
  const std::size_t pending_bytes_max_;
  Sink sink_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Pending> pending_;  ///< guarded by mutex_
  std::size_t waiting_bytes_{0};  ///< guarded by mutex_; pending and being written
  StoreToken last_token_;         ///< guarded by mutex_
  bool stopping_{false};          ///< guarded by mutex_
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::thread thread_;
};

base::Result<std::unique_ptr<RocksDbStore>> RocksDbStore::open(RocksDbStoreOptions options) {
  try {
    if (auto status = make_folder(options.folder); !status.ok()) {
      return status.error();
    }
    if (auto status = check_room(options.folder); !status.ok()) {
      return status.error();
    }
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(database_options(), options.folder, &opened);
    if (!status.ok()) {
      return open_error(options.folder, status);
    }
    auto database =
        std::make_unique<Database>(std::unique_ptr<rocksdb::DB>(opened), options.pending_bytes_max);
    return std::unique_ptr<RocksDbStore>(new RocksDbStore(options.folder, std::move(database)));
  } catch (const std::exception& exception) {
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::internal,
                       "cannot open the store in " + options.folder + ": " + exception.what(), ""};
  }
}

RocksDbStore::RocksDbStore(std::string folder, std::unique_ptr<Database> database)
    : folder_(std::move(folder)), database_(std::move(database)) {}
RocksDbStore::~RocksDbStore() = default;

base::Result<std::vector<KeyValue>> RocksDbStore::scan(std::string_view prefix) const {
  return database_->scan(prefix);
}
void RocksDbStore::start(Sink sink) {
  database_->start(std::move(sink));
}
base::Admission RocksDbStore::write(StoreToken token, std::vector<Write> writes) {
  return database_->write(token, std::move(writes));
}
StoreCounters RocksDbStore::counters() const {
  return database_->counters();
}
std::uint64_t RocksDbStore::bytes_free() const {
  std::error_code failed;
  const std::filesystem::space_info space = std::filesystem::space(folder_, failed);
  return failed ? UINT64_MAX : space.available;
}

}  // namespace fastgpu::store
