#include "runtime/store/rocksdb_store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>

#include "tests/unit/store/store_twins.hpp"
#include "tests/unit/store/sync_probe.hpp"

namespace fastgpu::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<RocksDbStore> open_in(const std::string& folder,
                                      std::size_t pending_bytes_max = 1u << 20) {
  auto opened = RocksDbStore::open({folder, pending_bytes_max});
  EXPECT_TRUE(opened.ok());
  return std::move(opened).value();
}

/// Outlives the store that tells it. Holds the store's thread inside the sink of the first write,
/// so that what is written meanwhile waits together.
class HeldSink {
 public:
  void operator()(StoreDurable durable) {
    if (!first_.exchange(true)) {
      held_.set_value();
      released_.get_future().wait();
    }
    log_.add(durable);
  }
  void wait_until_held() { held_.get_future().wait(); }
  void release() { released_.set_value(); }
  DurableLog& log() { return log_; }

 private:
  std::atomic<bool> first_{false};
  std::promise<void> held_;
  std::promise<void> released_;
  DurableLog log_;
};

TEST(RocksDbStore, SyncsOnceForAllThatWaits) {
  const TemporaryFolder folder;
  HeldSink sink;
  const auto store = open_in(folder.path());
  store->start([&sink](StoreDurable durable) { sink(durable); });
  ASSERT_EQ(store->write({1}, {Write::put("first", bytes("x"))}), base::Admission::accepted);
  sink.wait_until_held();
  for (std::uint64_t token = 2; token <= 500; ++token) {
    ASSERT_EQ(store->write({token}, {Write::put(std::to_string(token), bytes("x"))}),
              base::Admission::accepted);
  }
  sink.release();
  ASSERT_TRUE(sink.log().wait_for({500}));
  EXPECT_EQ(store->counters().syncs, 2u);
  EXPECT_EQ(store->counters().writes, 500u);
  EXPECT_THAT(sink.log().told(), ElementsAre(StoreToken{1}, StoreToken{500}));
}

TEST(RocksDbStore, RefusesWhenFullAndHasRoomOnceItReportsDurable) {
  const TemporaryFolder folder;
  HeldSink sink;
  const auto store = open_in(folder.path(), 100);
  store->start([&sink](StoreDurable durable) { sink(durable); });
  const auto value = bytes(std::string(59, 'x'));
  ASSERT_EQ(store->write({1}, {Write::put("a", value)}), base::Admission::accepted);
  sink.wait_until_held();
  EXPECT_EQ(store->write({2}, {Write::put("b", value)}), base::Admission::accepted)
      << "what is durable takes no room, even while the sink is being told";
  EXPECT_EQ(store->write({3}, {Write::put("c", value)}), base::Admission::full);
  sink.release();
  ASSERT_TRUE(sink.log().wait_for({2}));
  EXPECT_EQ(store->write({3}, {Write::put("c", value)}), base::Admission::accepted);
  ASSERT_TRUE(sink.log().wait_for({3}));
}

TEST(RocksDbStore, ReportsNoGroupBeforeItsSync) {
  const TemporaryFolder folder;
  std::vector<std::uint64_t> syncs_when_told;
  DurableLog log;
  const auto store = open_in(folder.path());
  store->start([&](StoreDurable durable) {
    syncs_when_told.push_back(sync_probe().log_syncs);
    log.add(durable);
  });
  std::uint64_t before = sync_probe().log_syncs;
  for (std::uint64_t token = 1; token <= 5; ++token) {
    ASSERT_EQ(store->write({token}, {Write::put("key", bytes("x"))}), base::Admission::accepted);
    ASSERT_TRUE(log.wait_for({token}));
    EXPECT_EQ(syncs_when_told.back(), before + 1);
    before = syncs_when_told.back();
  }
}

TEST(RocksDbStore, WritesOutWhatItAcceptedBeforeItStops) {
  const TemporaryFolder folder;
  {
    const auto store = open_in(folder.path());
    store->start([](StoreDurable) {});
    for (std::uint64_t token = 1; token <= 100; ++token) {
      ASSERT_EQ(store->write({token}, {Write::put(std::to_string(token), bytes("x"))}),
                base::Admission::accepted);
    }
  }
  EXPECT_EQ(open_in(folder.path())->scan("").value().size(), 100u);
}

TEST(RocksDbStore, TellsThatAnotherProcessHasTheFolder) {
  const TemporaryFolder folder;
  open_in(folder.path()).reset();
  int ready[2];
  int done[2];
  ASSERT_EQ(pipe(ready) + pipe(done), 0);
  const std::string lock_file = folder.path() + "/LOCK";
  const pid_t other = fork();
  if (other == 0) {  // system calls only: a forked child of a threaded process may do no more
    close(done[1]);
    const int file = open(lock_file.c_str(), O_RDWR);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    const char result = fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
    char end{};
    const bool told = ::write(ready[1], &result, 1) == 1;
    _exit(told && ::read(done[0], &end, 1) == 0 ? 0 : 1);
  }
  char locked{};
  ASSERT_EQ(::read(ready[0], &locked, 1), 1);
  ASSERT_EQ(locked, 'y');
  const auto opened = RocksDbStore::open({folder.path()});
  close(done[1]);
  int status = 0;
  waitpid(other, &status, 0);
  for (const int file : {ready[0], ready[1], done[0]}) {
    close(file);
  }
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, base::ErrorCode::conflict);
  EXPECT_THAT(opened.error().message, HasSubstr(folder.path() + " is in use by another process"));
  EXPECT_TRUE(RocksDbStore::open({folder.path()}).ok());
}

TEST(RocksDbStore, TellsThatTheFolderIsAFile) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  std::ofstream(path) << "x";
  const auto opened = RocksDbStore::open({path});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, base::ErrorKind::invalid);
}

TEST(RocksDbStore, RefusesADamagedTable) {
  const TemporaryFolder folder;
  {
    const auto store = open_in(folder.path());
    store->start([](StoreDurable) {});
    ASSERT_EQ(store->write({1}, {Write::put("key", bytes(std::string(5000, 'v')))}),
              base::Admission::accepted);
  }
  open_in(folder.path()).reset();  // recovery moves the write from the log into a table
  std::string table;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    table = entry.path().extension() == ".sst" ? entry.path().string() : table;
  }
  ASSERT_FALSE(table.empty());
  std::fstream(table, std::ios::in | std::ios::out | std::ios::binary).seekp(2000) << "damage";
  const auto opened = RocksDbStore::open({folder.path()});
  const auto found = opened ? opened.value()->scan("") : opened.error();
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, base::ErrorCode::corrupt);
}

/// Runs in a process of its own, which the test starts anew: the folder travels in the environment.
const char* const folder_variable = "FASTGPU_STORE_TEST_FOLDER";

void write_until_durable_then_die() {
  DurableLog log;
  const auto store = open_in(std::getenv(folder_variable));
  store->start([&log](StoreDurable durable) { log.add(durable); });
  for (std::uint64_t token = 1; token <= 50; ++token) {
    store->write({token}, {Write::put(std::to_string(token), bytes("x"))});
  }
  if (log.wait_for({50})) {
    raise(SIGKILL);
  }
}

void write_to_a_disk_that_cannot_sync() {
  DurableLog log;
  const auto store = open_in(std::getenv(folder_variable));
  store->start([&log](StoreDurable durable) { log.add(durable); });
  sync_probe().log_syncs_fail = true;
  store->write({1}, {Write::put("key", bytes("value"))});
  log.wait_for({1});
}

void write_beyond_the_allowed_file_size() {
  signal(SIGXFSZ, SIG_IGN);
  DurableLog log;
  const auto store = open_in(std::getenv(folder_variable));
  store->start([&log](StoreDurable durable) { log.add(durable); });
  const rlimit limit{64u << 10, 64u << 10};
  setrlimit(RLIMIT_FSIZE, &limit);
  store->write({1}, {Write::put("key", bytes(std::string(200u << 10, 'v')))});
  log.wait_for({1});
}

constexpr std::size_t large_value_bytes = 8u << 10;

std::string key_of(std::uint64_t number) {
  return std::to_string(1'000'000 + number);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Writes one by one and notes outside, a byte each, what was reported durable.
void write_until_there_is_no_room() {
  signal(SIGXFSZ, SIG_IGN);
  DurableLog log;
  const std::string folder = std::getenv(folder_variable);
  const auto store = open_in(folder);
  store->start([&log](StoreDurable durable) { log.add(durable); });
  std::ofstream told(folder + ".told", std::ios::binary);
  const rlimit limit{300u << 10, 300u << 10};
  setrlimit(RLIMIT_FSIZE, &limit);
  for (std::uint64_t token = 1; token <= 1000; ++token) {
    store->write({token}, {Write::put(key_of(token), bytes(std::string(large_value_bytes, 'v')))});
    if (log.wait_for({token})) {
      told << 'x' << std::flush;
    }
  }
}

class RocksDbStoreDeathTest : public testing::Test {
 protected:
  RocksDbStoreDeathTest() {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    if (std::getenv(folder_variable) == nullptr) {  // else this is the process that is to die
      folder_.emplace();
      setenv(folder_variable, folder_->path().c_str(), 1);
    }
  }
  ~RocksDbStoreDeathTest() override { unsetenv(folder_variable); }
  std::optional<TemporaryFolder> folder_;
};

TEST_F(RocksDbStoreDeathTest, KeepsWhatItReportedWhenTheProcessIsKilled) {
  EXPECT_EXIT(write_until_durable_then_die(), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EQ(open_in(folder_->path())->scan("").value().size(), 50u);
}

TEST_F(RocksDbStoreDeathTest, EndsTheProcessWhenASyncFailsBecauseItsOutcomeIsUnknown) {
  EXPECT_EXIT(write_to_a_disk_that_cannot_sync(), testing::ExitedWithCode(1),
              "ledger's store failed: .* -> this node ends; .*FG9001");
  const auto found = open_in(folder_->path())->scan("key");
  EXPECT_EQ(found.value().size(), 1u) << "the write that failed is there";
}

TEST_F(RocksDbStoreDeathTest, EndsTheProcessWhenAWriteFails) {
  EXPECT_EXIT(write_beyond_the_allowed_file_size(), testing::ExitedWithCode(1),
              "ledger's store failed: .*nothing that was acknowledged is lost");
}

TEST_F(RocksDbStoreDeathTest, LosesNothingThatItReportedBeforeItsDiskWasFull) {
  EXPECT_EXIT(write_until_there_is_no_room(), testing::ExitedWithCode(1), "store failed");
  const std::string told = read_file(folder_->path() + ".told");
  std::filesystem::remove(folder_->path() + ".told");
  ASSERT_FALSE(told.empty()) << "some were durable before";
  const auto kept = open_in(folder_->path())->scan("");
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_GE(kept.value().size(), told.size());
  for (std::size_t i = 0; i < kept.value().size(); ++i) {
    EXPECT_EQ(kept.value()[i].key, key_of(i + 1)) << "in order, without a hole";
    EXPECT_EQ(kept.value()[i].value.size(), large_value_bytes);
  }
  EXPECT_GT(open_in(folder_->path())->bytes_free(), 0u);
}

}  // namespace
}  // namespace fastgpu::store
