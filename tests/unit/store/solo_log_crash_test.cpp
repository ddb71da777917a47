/// A SoloLog that is cut off at every point, and one whose stored records were damaged.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/store/solo_log_bench.hpp"

namespace fastgpu::store {
namespace {

using base::Admission;
using base::LogCommitted;
using base::LogIndex;
using testing::HasSubstr;

constexpr base::ShardId shard{3};

/// What the owner knows at a crash: which commands were acknowledged, which may or may not be
/// there.
struct Known {
  std::vector<std::string> acknowledged;
  std::vector<std::string> proposed;
  base::Term term;
};

/// A fixed life with restarts of nothing: proposals, a compaction, more proposals; a step at a
/// time. After `syncs` durable reports the process dies and `kept` of the waiting writes are on
/// disk.
Known live_and_die(MemoryDisk& disk, std::size_t syncs, std::size_t kept) {
  Known known;
  LogLife life(disk, {.shard = shard, .writes_in_flight_max = 3});
  life.on_event = [&](const base::LogEvent& event) {
    if (const auto* leading = std::get_if<base::LogLeading>(&event)) {
      known.term = leading->term;
    }
  };
  life.start();
  for (std::size_t step = 0; step < syncs; ++step) {
    if (life.writer.waiting.size() > 0) {
      life.sync(1);
    }
    for (int i = 0; i < 2; ++i) {
      const std::string command = "c" + std::to_string(known.proposed.size());
      if (life.propose(known.proposed.size() + 1, command) == Admission::accepted) {
        known.proposed.push_back(command);
      }
    }
    if (step == 4) {
      std::string state;
      for (const auto& command : life.commands()) {
        state += command + ' ';
      }
      life.log->compact(life.log->commit_index(), bytes_of(state));
    }
  }
  known.acknowledged = life.commands();
  life.crash_after(kept);
  return known;
}

/// All commands as a ledger would know them after a start: the snapshot's and the entries'.
std::vector<std::string> history_of(const LogLife& life) {
  std::vector<std::string> history;
  std::string snapshot = life.restored().value_or("");
  for (std::size_t end; (end = snapshot.find(' ')) != std::string::npos;
       snapshot.erase(0, end + 1)) {
    history.push_back(snapshot.substr(0, end));
  }
  for (auto& command : life.commands()) {
    history.push_back(std::move(command));
  }
  return history;
}

TEST(SoloLogCrash, KeepsEveryAcknowledgedCommandInOrderWhereverItIsCutOff) {
  int cases = 0;
  for (std::size_t syncs = 0; syncs <= 12; ++syncs) {
    for (std::size_t kept = 0; kept <= 3; ++kept, ++cases) {
      SCOPED_TRACE("syncs " + std::to_string(syncs) + ", kept " + std::to_string(kept));
      MemoryDisk disk;
      const Known known = live_and_die(disk, syncs, kept);
      LogLife next(disk);
      next.lead();
      const auto history = history_of(next);
      ASSERT_GE(history.size(), known.acknowledged.size());
      ASSERT_LE(history.size(), known.proposed.size());
      for (std::size_t i = 0; i < history.size(); ++i) {
        ASSERT_EQ(history[i], known.proposed[i]) << "the proposals, in order, without a hole";
      }
      ASSERT_GT(next.log->term(), known.term);
    }
  }
  EXPECT_EQ(cases, 52);
}

TEST(SoloLogCrash, NeverLeadsTwiceInOneTermWhenStartsAreCutOff) {
  for (std::size_t kept = 0; kept <= 1; ++kept) {
    MemoryDisk disk;
    base::Term highest;
    for (int start = 0; start < 6; ++start) {
      LogLife life(disk);
      life.start();
      if (start % 2 == 0) {
        life.crash_after(kept);  // the term's record was written, perhaps, but never reported
        continue;
      }
      life.sync_all();
      const auto& leading = std::get<base::LogLeading>(life.events.back());
      ASSERT_GT(leading.term, highest);
      highest = leading.term;
    }
  }
}

/// Six random lives over a MemoryStore in virtual time, each ended by a crash at any moment.
class RandomLives {
 public:
  RandomLives(std::uint64_t seed, MemoryStoreFaults store_faults, SoloLogFaults log_faults)
      : random_(seed), log_faults_(log_faults) {
    store_options_.faults = store_faults;
    for (int life = 0; life < 6; ++life) {
      live(std::to_string(life) + ".");
    }
  }
  /// Starts after which a command that had been committed was not there, or not in its place.
  int lost() const { return lost_; }
  /// Starts that led in a term in which an earlier one had led.
  int repeated_terms() const { return repeated_terms_; }

 private:
  struct Port final : StoreWriter {
    explicit Port(MemoryStore& to) : store(to) {}
    base::Admission write(StoreToken token, std::vector<Write> writes) override {
      return store.write(token, std::move(writes));
    }
    MemoryStore& store;
  };

  void live(const std::string& name) {
    MemoryStore store(disk_, store_options_, base::Random(random_.next()));
    Port port(store);
    auto opened = SoloLog::open({.shard = shard, .faults = log_faults_}, port,
                                store.scan(SoloLog::key_prefix(shard)).value());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    SoloLog& log = *opened.value();
    std::vector<std::string> seen;
    store.start([&log](StoreDurable durable) { log.on_durable(durable.up_to); });
    log.start([&](const base::LogEvent& event) { take(event, seen); });
    base::Time now{};
    for (std::uint64_t step = random_.below(200); step > 0; --step) {
      now += std::chrono::microseconds(random_.below(1000));
      store.run_until(now);
      (void)log.propose({step}, bytes_of(name + std::to_string(step)));
    }
    if (seen.size() > committed_.size()) {
      committed_ = seen;
    }
    store.crash();
  }

  void take(const base::LogEvent& event, std::vector<std::string>& seen) {
    if (const auto* entry = std::get_if<LogCommitted>(&event)) {
      if (!entry->command.empty()) {
        seen.emplace_back(entry->command.text());
      }
    } else if (const auto* leading = std::get_if<base::LogLeading>(&event)) {
      repeated_terms_ += leading->term <= term_ ? 1 : 0;
      term_ = std::max(term_, leading->term);
      const bool kept = seen.size() >= committed_.size() &&
                        std::equal(committed_.begin(), committed_.end(), seen.begin());
      lost_ += kept ? 0 : 1;
    }
  }

  base::Random random_;
  MemoryStoreOptions store_options_;
  const SoloLogFaults log_faults_;
  MemoryDisk disk_;
  std::vector<std::string> committed_;
  base::Term term_;
  int lost_{0};
  int repeated_terms_{0};
};

TEST(SoloLogCrash, KeepsWhatWasCommittedAndItsTermsOverRandomLives) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const RandomLives lives(seed, {}, {});
    ASSERT_EQ(lives.lost(), 0) << "seed " << seed;
    ASSERT_EQ(lives.repeated_terms(), 0) << "seed " << seed;
  }
}

TEST(SoloLogCrash, LosesCommandsWhenTheStoreLies) {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    lost += RandomLives(seed, {.lie_about_durability = true}, {}).lost();
  }
  EXPECT_GT(lost, 0);
}

TEST(SoloLogCrash, RepeatsTermsWhenTheRiseIsBroken) {
  EXPECT_GT(RandomLives(1, {}, {.keep_term = true}).repeated_terms(), 0);
}

/// Contents with a snapshot through entry 3 and entries 4 to 8, the last one of term 2.
MemoryDisk stored_log(std::size_t snapshot_bytes = 100) {
  MemoryDisk disk;
  LogLife life(disk);
  life.lead();
  for (std::uint64_t token = 1; token <= 6; ++token) {
    EXPECT_EQ(life.propose(token, "command " + std::to_string(token)), Admission::accepted);
  }
  life.sync_all();
  life.log->compact({3}, bytes_of(std::string(snapshot_bytes, 's')));
  life.sync_all();
  LogLife again(disk);
  again.lead();
  return disk;
}

base::Error refusal(MemoryDisk& disk) {
  ScriptedWriter writer;
  const auto before = disk.contents();
  const auto opened = SoloLog::open({.shard = shard}, writer, LogLife::contents_of(disk, shard));
  EXPECT_EQ(disk.contents(), before) << "a refused log is left as it is";
  EXPECT_TRUE(writer.waiting.empty());
  return opened ? base::Error{base::ErrorKind::internal, base::ErrorCode::none, "accepted", ""}
                : opened.error();
}

TEST(SoloLogCorruption, RefusesEveryRecordWithAnyByteChanged) {
  MemoryDisk whole = stored_log();
  ASSERT_EQ(refusal(whole).message, "accepted");
  for (const auto& [key, value] : whole.contents()) {
    for (std::size_t at = 0; at < value.size(); ++at) {
      MemoryDisk disk = whole;
      std::vector<std::uint8_t> damaged(value.span().begin(), value.span().end());
      damaged[at] ^= 0x10;
      disk.contents()[key] = base::Bytes(std::move(damaged));
      ASSERT_EQ(refusal(disk).code, base::ErrorCode::corrupt)
          << "kind " << record_kind(key) << " byte " << at;
    }
  }
}

TEST(SoloLogCorruption, RefusesAMissingRecord) {
  MemoryDisk whole = stored_log(2 * snapshot_piece_bytes + 5);
  ASSERT_EQ(whole.contents().size(), 1u + 5u + 1u + 3u);
  for (const auto& [key, value] : whole.contents()) {
    MemoryDisk disk = whole;
    disk.contents().erase(key);
    ASSERT_EQ(refusal(disk).code, base::ErrorCode::corrupt)
        << "without " << record_kind(key) << " the log was " << refusal(disk).message;
  }
}

TEST(SoloLogCorruption, RefusesATruncatedRecord) {
  MemoryDisk whole = stored_log();
  for (const auto& [key, value] : whole.contents()) {
    for (const std::size_t length : {std::size_t{0}, std::size_t{3}, value.size() - 1}) {
      MemoryDisk disk = whole;
      disk.contents()[key] = base::Bytes::copy_of(value.span().first(length));
      ASSERT_EQ(refusal(disk).code, base::ErrorCode::corrupt);
    }
  }
}

TEST(SoloLogCorruption, RefusesSwappedEntries) {
  MemoryDisk disk = stored_log();
  std::swap(disk.contents()[entry_key(shard, {5})], disk.contents()[entry_key(shard, {6})]);
  const auto error = refusal(disk);
  EXPECT_EQ(error.code, base::ErrorCode::corrupt);
  EXPECT_THAT(error.message, HasSubstr("log entry 5"));
}

TEST(SoloLogCorruption, RefusesAnEntryOfAnotherHistory) {
  MemoryDisk disk = stored_log();
  const LogPosition elsewhere{{1}, chain_after({}, LogIndex{5}, {1}, bytes_of("other"))};
  disk.apply(put_entry(shard, {5}, {elsewhere, bytes_of("other")}));
  EXPECT_THAT(refusal(disk).message, HasSubstr("does not follow the entry before it"));
}

TEST(SoloLogCorruption, RefusesAnUnknownKindOfRecord) {
  MemoryDisk disk = stored_log();
  disk.contents()[SoloLog::key_prefix(shard) + "Z"] = bytes_of("?");
  EXPECT_EQ(refusal(disk).code, base::ErrorCode::corrupt);
}

}  // namespace
}  // namespace fastgpu::store
