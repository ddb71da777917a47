#include "runtime/logs/log_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

#include "tests/unit/logs/log_samples.hpp"

namespace fastgpu::logs::test {
namespace {

using base::LogStream;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// The store over real files and over simulated ones: every promise holds of both.
template <class Files>
class LogStoreContract : public ::testing::Test {
 protected:
  LogStoreContract() { restart(); }

  void restart() {
    store_.reset();
    ++options_.life;
    store_ = std::move(LogStore::open(world_.files(), options_)).value();
  }
  void limit_job(std::uint64_t bytes) {
    options_.job_bytes_max = bytes;
    restart();
  }
  void say(std::uint64_t job, std::uint32_t task, std::string_view text,
           LogStream stream = LogStream::output) {
    store_->append(std::vector{record(job, task, text, stream)});
  }
  LogPiece all(std::uint64_t job, std::uint64_t cursor = 0) {
    return store_->read({{job}, 0, true, cursor});
  }
  LogFileName only_file(std::uint64_t job) {
    LogFileName name;
    const auto entries = world_.files()->list();
    for (const LogFileEntry& entry : entries.value()) {
      name = entry.name.job.value == job ? entry.name : name;
    }
    return name;
  }

  Files world_;
  LogStoreOptions options_;
  std::unique_ptr<LogStore> store_;
};

using Twins = ::testing::Types<RealFiles, SimulatedFiles>;
TYPED_TEST_SUITE(LogStoreContract, Twins);

TYPED_TEST(LogStoreContract, GivesBackRecordsAsTheyWereAppended) {
  const std::vector<base::LogRecord> batch{
      record(7, 3, "out\n"), record(7, 4, "no newline", LogStream::error_output),
      record(7, 3, "", LogStream::ended), record(7, 3, std::string_view("\0\xff bytes", 8))};
  this->store_->append(batch);
  const LogPiece piece = this->all(7);
  EXPECT_EQ(piece.records, batch);
  EXPECT_TRUE(piece.at_end);
  EXPECT_EQ(piece.dropped_bytes, 0u);
}

TYPED_TEST(LogStoreContract, KeepsTheStreamsOfJobsApart) {
  this->store_->append(std::vector{record(1, 0, "a"), record(2, 0, "b"), record(1, 1, "c")});
  EXPECT_THAT(texts(this->all(1)), ElementsAre("a", "c"));
  EXPECT_THAT(texts(this->all(2)), ElementsAre("b"));
}

TYPED_TEST(LogStoreContract, KnowsNothingOfAJobThatSaidNothing) {
  const LogPiece piece = this->all(5, 42);
  EXPECT_THAT(piece.records, IsEmpty());
  EXPECT_TRUE(piece.at_end);
  EXPECT_EQ(piece.next_cursor, 42u);
}

TYPED_TEST(LogStoreContract, GoesOnFromACursorWithoutGapOrRepeat) {
  this->say(1, 0, "a");
  const LogPiece first = this->all(1);
  EXPECT_THAT(this->all(1, first.next_cursor).records, IsEmpty());
  this->say(1, 0, "b");
  this->say(1, 0, "c");
  EXPECT_THAT(texts(this->all(1, first.next_cursor)), ElementsAre("b", "c"));
}

TYPED_TEST(LogStoreContract, KeepsCursorsOverRestarts) {
  this->say(1, 0, "a");
  const std::uint64_t cursor = this->all(1).next_cursor;
  this->say(1, 0, "b");
  this->restart();
  EXPECT_THAT(texts(this->all(1, cursor)), ElementsAre("b"));
  this->say(1, 0, "c");
  this->restart();
  EXPECT_THAT(texts(this->all(1, cursor)), ElementsAre("b", "c"));
  EXPECT_THAT(texts(this->all(1)), ElementsAre("a", "b", "c"));
}

TYPED_TEST(LogStoreContract, LosesNothingThatWasAppendedWhenTheProcessIsKilled) {
  // Nothing is flushed or closed: a second store sees what the first has appended.
  this->say(1, 0, "a");
  auto other = std::move(LogStore::open(this->world_.files(), {.life = 99})).value();
  EXPECT_THAT(texts(other->read({{1}, 0, true, 0})), ElementsAre("a"));
}

TYPED_TEST(LogStoreContract, ReadsOneTaskOfAnArray) {
  for (std::uint32_t task = 0; task < 30; ++task) {
    this->say(1, task % 3, std::to_string(task));
  }
  const LogPiece piece = this->store_->read({{1}, 2, false, 0});
  EXPECT_THAT(piece.records, SizeIs(10));
  EXPECT_EQ(piece.records[1].bytes.text(), "5");
  EXPECT_TRUE(piece.at_end);
}

TYPED_TEST(LogStoreContract, GivesNoMoreThanWasAskedForAndAlwaysOneRecord) {
  for (int i = 0; i < 100; ++i) {
    this->say(1, 0, std::string(1000, 'x'));
  }
  std::uint64_t cursor = 0;
  std::size_t records = 0;
  int pieces = 0;
  for (bool at_end = false; !at_end; ++pieces) {
    const LogPiece piece = this->store_->read({{1}, 0, true, cursor, 3500});
    EXPECT_LE(piece.records.size(), 3u);
    records += piece.records.size();
    cursor = piece.next_cursor;
    at_end = piece.at_end;
  }
  EXPECT_EQ(records, 100u);
  EXPECT_LE(pieces, 35);
  EXPECT_THAT(this->store_->read({{1}, 0, true, 0, 1}).records, SizeIs(1));
}

TYPED_TEST(LogStoreContract, SplitsARecordThatIsTooLongForOne) {
  const std::string text(base::limits::log_record_bytes_max * 2 + 5, 'y');
  this->say(1, 0, text);
  const LogPiece piece = this->all(1);
  ASSERT_THAT(piece.records, SizeIs(3));
  EXPECT_EQ(piece.records[2].bytes.size(), 5u);
}

TYPED_TEST(LogStoreContract, CutsALogAtItsLimitWithOneMarkThatCountsWhatIsMissing) {
  this->limit_job(4096);
  for (int i = 0; i < 100; ++i) {
    this->say(1, 0, std::string(100, 'x'));
  }
  const LogPiece piece = this->all(1);
  const std::size_t kept = piece.records.size() - 1;
  EXPECT_EQ(piece.records.back().stream, LogStream::notice);
  EXPECT_EQ(piece.records.back().bytes.text(),
            "[log cut: " + std::to_string((100 - kept) * 100) +
                " bytes dropped, limit 4 KiB for a job on one node]");
  EXPECT_EQ(piece.dropped_bytes, (100 - kept) * 100);
  EXPECT_EQ(std::count_if(piece.records.begin(), piece.records.end(),
                          [](const auto& one) { return one.stream == LogStream::notice; }),
            1);
  EXPECT_LE(this->store_->counters().bytes, 4096u);
}

TYPED_TEST(LogStoreContract, GoesOnCountingACutLogAfterARestart) {
  this->limit_job(4096);
  this->say(1, 0, std::string(3900, 'x'));
  this->say(1, 0, std::string(200, 'x'));
  this->restart();
  this->say(1, 0, std::string(300, 'x'));
  const LogPiece piece = this->all(1);
  EXPECT_EQ(piece.dropped_bytes, 500u);
  ASSERT_THAT(piece.records, SizeIs(2));
  EXPECT_THAT(std::string(piece.records[1].bytes.text()), HasSubstr("500 bytes dropped"));
}

TYPED_TEST(LogStoreContract, ShowsHowMuchOfATailACrashHasCutOff) {
  this->say(1, 0, "whole");
  this->say(1, 0, "half written");
  const LogFileName file = this->only_file(1);
  const std::uint64_t before = this->all(1).next_cursor;
  this->store_.reset();
  this->world_.cut(file, this->world_.files()->list().value()[0].size_bytes - 3);
  this->restart();
  this->say(1, 0, "next life");
  const LogPiece piece = this->all(1);
  ASSERT_THAT(piece.records, SizeIs(3));
  EXPECT_EQ(piece.records[0].bytes.text(), "whole");
  EXPECT_THAT(std::string(piece.records[1].bytes.text()), HasSubstr("cannot be read"));
  EXPECT_EQ(piece.records[2].bytes.text(), "next life");
  EXPECT_THAT(texts(this->all(1, before)), ElementsAre("next life"))
      << "who had read the lost tail misses nothing of the next life";
}

TYPED_TEST(LogStoreContract, ReadsOnBehindASegmentThatIsDamaged) {
  this->say(1, 0, "first");
  this->say(1, 0, "second");
  this->restart();
  this->say(1, 0, "third");
  this->world_.damage({{1}, 2 * 256}, 60);
  const LogPiece piece = this->all(1);
  ASSERT_THAT(piece.records, SizeIs(3));
  EXPECT_EQ(piece.records[0].bytes.text(), "first");
  EXPECT_EQ(piece.records[1].stream, LogStream::notice);
  EXPECT_EQ(piece.records[2].bytes.text(), "third");
}

TYPED_TEST(LogStoreContract, SurvivesAnyCursor) {
  this->say(1, 0, "a");
  for (const std::uint64_t cursor :
       std::vector<std::uint64_t>{1, 256ull << 32, (512ull << 32) + 5, 513ull << 32, UINT64_MAX}) {
    EXPECT_TRUE(this->all(1, cursor).at_end) << cursor;
  }
}

TYPED_TEST(LogStoreContract, RemovesTheLogWrittenLongestAgoWhenAllAreTooLarge) {
  this->options_.job_bytes_max = 4096;
  this->options_.total_bytes_max = 16384;
  this->restart();
  this->say(9, 0, "", LogStream::started);  // runs: never removed, though it is the oldest
  this->say(9, 0, std::string(2000, 'x'));
  for (std::uint64_t job = 1; job <= 10; ++job) {
    this->say(job == 9 ? 11 : job, 0, std::string(2500, 'x'));
  }
  EXPECT_LE(this->store_->counters().bytes, 16384u);
  const LogPiece gone = this->all(1);
  ASSERT_THAT(gone.records, SizeIs(1));
  EXPECT_THAT(std::string(gone.records[0].bytes.text()), HasSubstr("removed to make room"));
  EXPECT_GT(gone.dropped_bytes, 2500u);
  EXPECT_THAT(this->all(9).records, SizeIs(2));
  EXPECT_THAT(texts(this->all(10)), ElementsAre(std::string(2500, 'x')));
}

TYPED_TEST(LogStoreContract, LeadsAReaderOfARemovedLogToTheNotice) {
  this->options_.total_bytes_max = 16384;
  this->restart();
  this->say(1, 0, std::string(2500, 'x'));
  const std::uint64_t cursor = this->all(1).next_cursor;
  this->say(2, 0, std::string(12500, 'x'));
  this->say(2, 0, std::string(2500, 'x'));
  EXPECT_THAT(this->all(1, cursor).records, SizeIs(1));
  this->say(1, 0, "again");
  EXPECT_THAT(this->all(1, cursor).records, SizeIs(2));
  this->restart();
  EXPECT_THAT(this->all(1, cursor).records, SizeIs(2));
}

TYPED_TEST(LogStoreContract, DropsAndTellsWhatFindsNoRoomBesideRunningJobs) {
  this->options_.total_bytes_max = 8192;
  this->restart();
  this->say(1, 0, "", LogStream::started);
  this->say(1, 0, std::string(5000, 'x'));
  this->say(2, 0, std::string(4000, 'x'));
  EXPECT_EQ(this->all(2).dropped_bytes, 4000u);
  this->say(2, 0, "small");
  const LogPiece piece = this->all(2);
  ASSERT_THAT(piece.records, SizeIs(2));
  EXPECT_THAT(std::string(piece.records[0].bytes.text()), HasSubstr("4000 bytes of log dropped"));
  EXPECT_EQ(piece.records[1].bytes.text(), "small");
}

TYPED_TEST(LogStoreContract, ForgetsTheOldestJobsWhenThereAreTooMany) {
  this->options_.jobs_max = 32;
  this->restart();
  for (std::uint64_t job = 1; job <= 100; ++job) {
    this->say(job, 0, "x");
  }
  EXPECT_LE(this->store_->counters().jobs, 32u);
  EXPECT_THAT(this->all(1).records, IsEmpty());
  EXPECT_THAT(this->all(100).records, SizeIs(1));
  EXPECT_LE(this->world_.files()->list().value().size(), 32u);
}

TEST(LogStore, CountsWhatAFullDiskRefusesAndGoesOnWhenThereIsRoom) {
  auto files = std::make_shared<MemoryLogs>();
  auto store = std::move(LogStore::open(files)).value();
  files->set_capacity(500);
  store->append(std::vector{record(1, 0, "fits")});
  store->append(std::vector{record(1, 0, std::string(1000, 'x'))});
  store->append(std::vector{record(1, 0, std::string(2000, 'x'))});
  EXPECT_EQ(store->read({{1}, 0, true, 0}).dropped_bytes, 3000u);
  files->set_capacity(1u << 20);
  store->append(std::vector{record(1, 0, "room again")});
  const LogPiece piece = store->read({{1}, 0, true, 0});
  EXPECT_THAT(
      texts(piece),
      ElementsAre("fits", "[3000 bytes of log dropped: No space left on device]", "room again"));
}

TEST(LogStore, TellsARealDisksRefusal) {
  RealFiles world;
  auto store = std::move(LogStore::open(world.files())).value();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  store->append(std::vector{record(1, 0, "fits")});
  store->append(std::vector{record(1, 0, std::string(5000, 'x'))});
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  store->append(std::vector{record(1, 0, "room again")});
  const LogPiece piece = store->read({{1}, 0, true, 0});
  ASSERT_THAT(piece.records, SizeIs(3));
  EXPECT_THAT(std::string(piece.records[1].bytes.text()), HasSubstr("5000 bytes of log dropped"));
  EXPECT_EQ(piece.records[2].bytes.text(), "room again");
}

TEST(LogStore, LosesNothingOfAProcessThatIsKilled) {
  RealFiles world;
  const pid_t child = ::fork();
  if (child == 0) {
    auto store = std::move(LogStore::open(world.files())).value();
    for (int i = 0; i < 1000; ++i) {
      store->append(std::vector{record(1, 0, std::to_string(i))});
    }
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto store = std::move(LogStore::open(world.files(), {.life = 2})).value();
  const LogPiece piece = store->read({{1}, 0, true, 0});
  ASSERT_THAT(piece.records, SizeIs(1000));
  EXPECT_EQ(piece.records.back().bytes.text(), "999");
}

TEST(LogStore, ComesThroughPowerCutsWithEveryRecordWholeOrToldMissing) {
  base::Random random(17);
  auto files = std::make_shared<MemoryLogs>();
  for (std::uint64_t life = 1; life <= 50; ++life) {
    auto store = std::move(LogStore::open(files, {.life = life})).value();
    for (int i = 0; i < 20; ++i) {
      store->append(std::vector{record(1, 0, std::string(random.below(600), 'x'))});
    }
    const LogPiece piece = store->read({{1}, 0, true, 0});
    EXPECT_TRUE(piece.at_end);
    for (const base::LogRecord& one : piece.records) {
      if (one.stream == LogStream::output) {
        EXPECT_EQ(one.bytes.text(), std::string(one.bytes.size(), 'x'));
      }
    }
    files->crash(random);
  }
}

}  // namespace
}  // namespace fastgpu::logs::test
