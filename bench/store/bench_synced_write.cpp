/// The synced-write rate of this machine through the store: the yardstick of every durable figure.
///
/// bench_synced_write [FOLDER] [SECONDS]: works in a new folder inside FOLDER (default: the current
/// one; mind that a memory file system syncs nothing) and removes it.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/store/rocksdb_store.hpp"

namespace {

using namespace fastgpu;
using Clock = std::chrono::steady_clock;

constexpr std::size_t value_bytes = 256;

/// Keeps a number of writes in flight for a while; one is the plain synced write.
class Run {
 public:
  Run(store::RocksDbStore& store, std::uint64_t in_flight_max, double seconds)
      : store_(store), in_flight_max_(in_flight_max), seconds_(seconds) {}

  void durable(store::StoreToken up_to) {
    {
      const std::lock_guard lock(mutex_);
      durable_ = up_to.value;
      durable_at_ = Clock::now();
    }
    changed_.notify_one();
  }

  void go(const char* name) {
    const base::Bytes value(std::vector<std::uint8_t>(value_bytes, 'v'));
    const auto start = Clock::now();
    const auto end = start + std::chrono::duration<double>(seconds_);
    while (Clock::now() < end) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return written_ - durable_ < in_flight_max_; });
        note_latency();
      }
      ++written_;
      last_sent_ = Clock::now();
      const std::string key = "b" + std::to_string(written_);
      if (store_.write({written_}, {store::Write::put(key, value)}) != base::Admission::accepted) {
        std::fprintf(stderr, "the store refused a write within its bound\n");
        std::exit(1);
      }
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return durable_ == written_; });
    print(name, std::chrono::duration<double>(Clock::now() - start).count());
  }

 private:
  void note_latency() {
    if (in_flight_max_ == 1 && written_ > 0) {
      latencies_us_.push_back(
          std::chrono::duration<double, std::micro>(durable_at_ - last_sent_).count());
    }
  }

  void print(const char* name, double seconds) {
    const auto counters = store_.counters();
    std::printf("%s: %.0f writes/s, %.0f syncs/s, %.1f writes per sync", name,
                static_cast<double>(written_) / seconds,
                static_cast<double>(counters.syncs) / seconds,
                static_cast<double>(counters.writes) / static_cast<double>(counters.syncs));
    if (!latencies_us_.empty()) {
      std::sort(latencies_us_.begin(), latencies_us_.end());
      std::printf(", p50 %.0f us, p99 %.0f us", latencies_us_[latencies_us_.size() / 2],
                  latencies_us_[latencies_us_.size() * 99 / 100]);
    }
    std::printf("\n");
  }

  store::RocksDbStore& store_;
  const std::uint64_t in_flight_max_;
  const double seconds_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t durable_{0};
  Clock::time_point durable_at_{};
  std::uint64_t written_{0};
  Clock::time_point last_sent_{};
  std::vector<double> latencies_us_;
};

void run(const std::string& folder, const char* name, std::uint64_t in_flight_max, double seconds) {
  auto opened = store::RocksDbStore::open({folder + "/" + std::to_string(in_flight_max)});
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    std::exit(1);
  }
  Run work(*opened.value(), in_flight_max, seconds);
  opened.value()->start([&work](store::StoreDurable durable) { work.durable(durable.up_to); });
  work.go(name);
  opened.value().reset();  // its thread may still be inside the sink
}

/// The floor: the same bytes appended to a file, with fdatasync after each.
void run_plain_file(const std::string& folder, double seconds) {
  const int file = open((folder + "/plain").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  const std::string value(value_bytes, 'v');
  std::uint64_t writes = 0;
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration<double>(seconds);
  for (; Clock::now() < end; ++writes) {
    if (write(file, value.data(), value.size()) < 0 || fdatasync(file) != 0) {
      std::perror("plain file");
      std::exit(1);
    }
  }
  const double taken = std::chrono::duration<double>(Clock::now() - start).count();
  close(file);
  std::printf("plain append and fdatasync: %.0f writes/s\n", static_cast<double>(writes) / taken);
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = std::string(argc > 1 ? argv[1] : ".") + "/bench-synced-write-XXXXXX";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 3.0;
  if (mkdtemp(folder.data()) == nullptr) {
    std::perror(folder.c_str());
    return 1;
  }
  run_plain_file(folder, seconds);
  run(folder, "synced write, one at a time", 1, seconds);
  run(folder, "group commit, 64 in flight", 64, seconds);
  run(folder, "group commit, 4096 in flight", 4096, seconds);
  std::filesystem::remove_all(folder);
  return 0;
}
