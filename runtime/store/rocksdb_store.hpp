#pragma once

/// The store on disk: RocksDB, with one write and one sync for all that waits.
///
/// Place: in `fastgpu-node` and embedded nodes, owned by the store actor. `write` may be called
/// from any one thread at a time; the store's own thread gathers everything pending into one
/// WriteBatch, writes it with sync=true, and calls the sink. The destructor writes out what was
/// accepted and stops the thread; no call of the sink comes after it. Failure: `open` gives an
/// Error (folder in use by another process, damaged, not writable, no room). Later any failed
/// write, sync or background error ends the process with a line that says why and what to do: the
/// outcome is unknown, RocksDB refuses to go on, and after a restart the write that "failed" may be
/// there. Limits: options.pending_bytes_max waiting; a single write above it is taken when nothing
/// waits.

#include <memory>
#include <string>

#include "runtime/base/limits.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::store {

struct RocksDbStoreOptions {
  std::string folder;  ///< made if it is not there, readable by its owner only
  std::size_t pending_bytes_max{base::limits::store_pending_bytes_max};
};

class RocksDbStore final : public Store {
 public:
  static base::Result<std::unique_ptr<RocksDbStore>> open(RocksDbStoreOptions options);
  ~RocksDbStore() override;
  RocksDbStore(const RocksDbStore&) = delete;
  RocksDbStore& operator=(const RocksDbStore&) = delete;

  base::Result<std::vector<KeyValue>> scan(std::string_view prefix) const override;
  void start(Sink sink) override;
  base::Admission write(StoreToken token, std::vector<Write> writes) override;
  StoreCounters counters() const override;
  std::uint64_t bytes_free() const override;

 private:
  class Database;
  RocksDbStore(std::string folder, std::unique_ptr<Database> database);
  const std::string folder_;
  std::unique_ptr<Database> database_;
};

}  // namespace fastgpu::store
