/// What every ReplicatedLog promises, of both of them with one voter.

#include <gmock/gmock.h>

#include "tests/unit/replica/log_life.hpp"

namespace fastgpu::actors::testing {
namespace {

using base::Admission;
using base::LogCommitted;
using base::LogEvent;
using base::LogLeading;
using base::LogReadReady;
using base::LogToken;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

enum class Kind { solo, raft };

class LogContract : public ::testing::TestWithParam<Kind> {
 protected:
  std::unique_ptr<LogLife> live(const LifeOptions& options = {}) {
    if (GetParam() == Kind::solo) {
      return std::make_unique<SoloLife>(disk, options);
    }
    return std::make_unique<RaftLife>(disk, options);
  }
  std::unique_ptr<LogLife> lead(const LifeOptions& options = {}) {
    auto life = live(options);
    life->lead();
    return life;
  }
  store::MemoryDisk disk;
};

INSTANTIATE_TEST_SUITE_P(Of, LogContract, ::testing::Values(Kind::solo, Kind::raft),
                         [](const auto& of) { return of.param == Kind::solo ? "Solo" : "Raft"; });

TEST_P(LogContract, SaysNothingBeforeItsStartIsDurable) {
  const auto life = live();
  life->start();
  life->pump();
  EXPECT_THAT(life->events, IsEmpty());
  EXPECT_FALSE(life->waiting.empty());
}

TEST_P(LogContract, LeadsInAGreaterTermInEachLife) {
  base::Term last;
  for (int i = 0; i < 5; ++i) {
    const auto life = lead();
    EXPECT_GT(life->term(), last);
    last = life->term();
  }
}

TEST_P(LogContract, LeadsInAGreaterTermThanAnyItMayHaveLedInBeforeACrash) {
  for (std::size_t kept = 0; kept <= 2; ++kept) {
    disk = {};
    base::Term highest;
    for (int i = 0; i < 6; ++i) {
      const auto life = live();
      if (i % 2 == 0) {
        life->start();
        life->wait();
        life->crash_after(
            kept);  // what was written reached the disk, perhaps, but was not reported
        continue;
      }
      life->lead();
      ASSERT_GT(life->term(), highest);
      highest = life->term();
    }
  }
}

TEST_P(LogContract, GivesOutWhatEarlierLivesCommittedBeforeItLeads) {
  {
    const auto first = lead();
    ASSERT_EQ(first->propose(1, "a"), Admission::accepted);
    ASSERT_EQ(first->propose(2, "b"), Admission::accepted);
    first->sync_all();
  }
  const auto second = live();
  std::vector<std::string> before_leading;
  second->on_event = [&](const LogEvent& event) {
    if (std::holds_alternative<LogLeading>(event)) {
      before_leading = second->commands();
    }
  };
  second->lead();
  EXPECT_THAT(before_leading, ElementsAre("a", "b"));
  for (const LogEvent& event : second->events) {
    const auto* committed = std::get_if<LogCommitted>(&event);
    EXPECT_TRUE(committed == nullptr || !committed->token) << "another life proposed it";
  }
}

TEST_P(LogContract, GivesOutEveryIndexOnceAndInOrder) {
  base::LogIndex end;
  for (int i = 0; i < 3; ++i) {
    const auto life = lead();
    ASSERT_EQ(life->propose(1, "x"), Admission::accepted);
    life->sync_all();
    base::LogIndex last;
    for (const LogEvent& event : life->events) {
      if (const auto* committed = std::get_if<LogCommitted>(&event)) {
        EXPECT_EQ(committed->index.value, last.value + 1);
        last = committed->index;
      }
    }
    EXPECT_GT(last, end);
    end = last;
  }
}

TEST_P(LogContract, CommitsWithTokensOnlyWhatIsDurable) {
  const auto life = lead();
  const base::Term term = life->term();
  life->events.clear();
  ASSERT_EQ(life->propose(7, "a"), Admission::accepted);
  life->pump();
  EXPECT_THAT(life->events, IsEmpty());
  life->sync();
  ASSERT_EQ(life->events.size(), 1u);
  const auto& committed = std::get<LogCommitted>(life->events[0]);
  EXPECT_EQ(committed.token, LogToken{7});
  EXPECT_EQ(committed.command, bytes_of("a"));
  EXPECT_EQ(committed.term, term);
}

TEST_P(LogContract, RefusesProposalsAndReadsUntilItLeads) {
  const auto life = live();
  life->start();
  EXPECT_EQ(life->propose(1, "a"), Admission::not_leading);
  EXPECT_EQ(life->read(2), Admission::not_leading);
}

TEST_P(LogContract, RefusesMoreProposalsThanItsBoundAndTakesThemLater) {
  const auto life = lead({.proposals_in_flight_max = 3});
  for (std::uint64_t token = 1; token <= 3; ++token) {
    ASSERT_EQ(life->propose(token, "x"), Admission::accepted);
  }
  EXPECT_EQ(life->propose(4, "x"), Admission::full);
  life->sync_all();
  EXPECT_EQ(life->propose(4, "x"), Admission::accepted);
}

TEST_P(LogContract, RefusesMoreBytesThanItsBoundButTakesOneBigCommand) {
  const auto life = lead({.proposal_bytes_in_flight_max = 10});
  ASSERT_EQ(life->propose(1, std::string(50, 'x')), Admission::accepted);
  EXPECT_EQ(life->propose(2, "y"), Admission::full);
  life->sync_all();
  EXPECT_EQ(life->propose(2, "y"), Admission::accepted);
}

TEST_P(LogContract, OffersAgainWhatAFullStoreRefused) {
  const auto life = lead();
  life->full = true;
  ASSERT_EQ(life->propose(1, "a"), Admission::accepted);
  ASSERT_EQ(life->propose(2, "b"), Admission::accepted);
  EXPECT_TRUE(life->waits_for_room());
  life->pump();
  EXPECT_TRUE(life->waits_for_room());
  life->full = false;
  life->pump();
  EXPECT_FALSE(life->waits_for_room());
  EXPECT_EQ(life->waiting.size(), 1u) << "all that had gathered is one write";
  life->sync_all();
  EXPECT_THAT(life->commands(), ElementsAre("a", "b"));
}

TEST_P(LogContract, ConfirmsAReadAtAnIndexThatWasGivenOut) {
  const auto life = lead();
  ASSERT_EQ(life->propose(1, "a"), Admission::accepted);
  life->sync_all();
  ASSERT_EQ(life->propose(2, "b"), Admission::accepted);
  const base::LogIndex known = life->committed();
  life->events.clear();
  ASSERT_EQ(life->read(3), Admission::accepted);
  EXPECT_TRUE(life->has_events());
  life->pump();
  EXPECT_THAT(life->events, ElementsAre(LogEvent{LogReadReady{{3}, known}}));
  EXPECT_FALSE(life->has_events());
}

TEST_P(LogContract, LetsTheSinkProposeAndWritesItTogether) {
  const auto life = live();
  life->on_event = [&](const LogEvent& event) {
    if (std::holds_alternative<LogLeading>(event)) {
      for (std::uint64_t token = 1; token <= 10; ++token) {
        ASSERT_EQ(life->propose(token, "x"), Admission::accepted);
      }
      EXPECT_THAT(life->waiting, IsEmpty()) << "it waits for the sink to be done";
    }
  };
  life->start();
  for (int i = 0; i < 10 && !life->leads(); ++i) {
    while (!life->waiting.empty() && !life->leads()) {
      life->sync();
    }
    if (!life->leads()) {
      life->wait();
    }
  }
  EXPECT_EQ(life->waiting.size(), 1u);
  life->sync_all();
  EXPECT_EQ(life->commands().size(), 10u);
}

TEST_P(LogContract, StartsAgainFromItsSnapshotAndTheEntriesAfterIt) {
  {
    const auto first = lead();
    for (std::uint64_t token = 1; token <= 3; ++token) {
      ASSERT_EQ(first->propose(token, "c" + std::to_string(token)), Admission::accepted);
    }
    first->sync_all();
    first->log().compact({first->committed().value - 1}, bytes_of("state through c2"));
    ASSERT_EQ(first->propose(4, "c4"), Admission::accepted);
    first->sync_all();
  }
  const auto second = lead();
  EXPECT_EQ(second->restored(), "state through c2");
  EXPECT_THAT(second->commands(), ElementsAre("c3", "c4"));
}

TEST_P(LogContract, CompactsAgainAndAgainWithSnapshotsOfAnySize) {
  std::string state;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, store::snapshot_piece_bytes,
                                 3 * store::snapshot_piece_bytes + 17, std::size_t{5}}) {
    const auto life = lead();
    EXPECT_EQ(life->restored().value_or(""), state);
    ASSERT_EQ(life->propose(1, "x"), Admission::accepted);
    life->sync_all();
    state = std::string(size, 'a');
    if (size > 1) {
      state[size / 2] = 'b';
    }
    life->log().compact(life->committed(), bytes_of(state));
    life->log().compact({1}, bytes_of("older: ignored"));
    life->sync_all();
  }
  const auto last = lead();
  EXPECT_EQ(last->restored(), state);
  EXPECT_THAT(last->commands(), IsEmpty());
}

TEST_P(LogContract, KeepsTheLogsOfSeveralShardsApart) {
  const std::uint32_t shards[] = {0u, 1u, 256u, 0xffffffffu};
  for (const std::uint32_t shard : shards) {
    const auto life = lead({.shard = {shard}});
    ASSERT_EQ(life->propose(1, std::to_string(shard)), Admission::accepted);
    life->sync_all();
    life->log().compact({1}, bytes_of("s" + std::to_string(shard)));
    life->sync_all();
  }
  for (const std::uint32_t shard : shards) {
    const auto life = lead({.shard = {shard}});
    EXPECT_EQ(life->restored(), "s" + std::to_string(shard));
    EXPECT_THAT(life->commands(), ElementsAre(std::to_string(shard)));
  }
}

TEST_P(LogContract, TakesAGreaterEpochAndNeverALowerOne) {
  const auto epoch_of = [](const LogLife& life) {
    base::Epoch epoch;
    for (const LogEvent& event : life.events) {
      if (const auto* leading = std::get_if<LogLeading>(&event)) {
        epoch = leading->epoch;
      }
    }
    return epoch;
  };
  EXPECT_EQ(epoch_of(*lead({.epoch = {1}})), base::Epoch{1});
  EXPECT_EQ(epoch_of(*lead({.epoch = {4}})), base::Epoch{4});
  EXPECT_EQ(epoch_of(*lead({.epoch = {2}})), base::Epoch{4});
}

// --- crashes -------------------------------------------------------------------------------------

/// What the owner knows at a crash: which commands were acknowledged, which may or may not be
/// there.
struct Known {
  std::vector<std::string> acknowledged;
  std::vector<std::string> proposed;
  base::Term term;
};

/// A fixed life: proposals, a compaction, more proposals; a step at a time. After `syncs` durable
/// reports the process dies and `kept` of the waiting writes are on disk.
Known live_and_die(LogLife& life, std::size_t syncs, std::size_t kept) {
  Known known;
  life.start();
  for (std::size_t step = 0; step < syncs; ++step) {
    life.waiting.empty() ? life.wait() : life.sync();
    life.pump();
    for (int i = 0; i < 2; ++i) {
      const std::string command = "c" + std::to_string(known.proposed.size());
      if (life.propose(known.proposed.size() + 1, command) == Admission::accepted) {
        known.proposed.push_back(command);
      }
    }
    if (known.proposed.size() == 8) {
      std::string state;
      for (const std::string& command : life.commands()) {
        state += command + ' ';
      }
      life.log().compact(life.committed(), bytes_of(state));
    }
  }
  known.acknowledged = life.commands();
  known.term = life.term();
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
  for (std::string& command : life.commands()) {
    history.push_back(std::move(command));
  }
  return history;
}

TEST_P(LogContract, KeepsEveryAcknowledgedCommandInOrderWhereverItIsCutOff) {
  std::size_t most = 0;
  for (std::size_t syncs = 0; syncs <= 16; ++syncs) {
    for (std::size_t kept = 0; kept <= 4; ++kept) {
      SCOPED_TRACE("syncs " + std::to_string(syncs) + ", kept " + std::to_string(kept));
      disk = {};
      const Known known = live_and_die(*live(), syncs, kept);
      const auto next = lead();
      const std::vector<std::string> history = history_of(*next);
      ASSERT_GE(history.size(), known.acknowledged.size());
      ASSERT_LE(history.size(), known.proposed.size());
      for (std::size_t i = 0; i < history.size(); ++i) {
        ASSERT_EQ(history[i], known.proposed[i]) << "the proposals, in order, without a hole";
      }
      ASSERT_GT(next->term(), known.term);
      most = std::max(most, known.acknowledged.size());
    }
  }
  EXPECT_GT(most, 5u) << "the lives were long enough to matter";
}

}  // namespace
}  // namespace fastgpu::actors::testing
