#include "actors/replica/recovery.hpp"

#include <gmock/gmock.h>

#include "runtime/codec/image_codec.hpp"
#include "runtime/codec/record_codec.hpp"
#include "runtime/ledger/ledger_recovery.hpp"
#include "runtime/raft/recovery/refounding.hpp"
#include "tests/unit/replica/replica_group.hpp"

namespace fastgpu::actors::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

// --- groups in virtual time ----------------------------------------------------------------------

store::MemoryStore store_on(store::MemoryDisk& disk) {
  return store::MemoryStore(disk, {}, base::Random(0));
}

/// The node is down; its state machine is the list of all commands.
void found_anew(ReplicaGroup& group, std::uint32_t id) {
  RaftDisk disk({3}, {}, {id + 100});
  auto scan = store_on(group.disk(id)).scan(RaftDisk::key_prefix({3})).value();
  const raft::StoredState state = raft::checked(disk.load(std::move(scan)).value()).value();
  std::string all(state.snapshot.data.text());
  for (const raft::Entry& entry : state.entries) {
    if (entry.index > state.snapshot.last.index && !entry.data.empty()) {
      all += std::string(entry.data.text()) + ' ';
    }
  }
  const auto persist =
      raft::refounding(state, disk.epoch(), {id}, base::Bytes::copy_of(all)).value();
  for (const store::Write& write : disk.changes(persist)) {
    group.disk(id).apply(write);
  }
}

/// Three founders with "a" and "b" everywhere and "c" on 2 and 3 only, all down by now; 4 and 5 are
/// empty and run.
class GroupFoundedAnew : public ::testing::Test {
 protected:
  GroupFoundedAnew() {
    lead();
    say("a");
    say("b");
    group.run_for(1s);
    group.crash(1);
    lead();
    say("c");
    group.run_for(1s);
    group.crash(2);
    group.crash(3);
    found_anew(group, 1);
    group.forget_acknowledged();
    group.start(1);
  }
  std::uint32_t lead() {
    EXPECT_TRUE(group.run_until([this] { return group.leader().has_value(); }));
    return group.leader().value_or(1);
  }
  void say(const std::string& command) {
    const std::size_t before = group.acknowledged().size();
    EXPECT_EQ(group.propose(lead(), command), base::Admission::accepted);
    EXPECT_TRUE(group.run_until([&] { return group.acknowledged().size() > before; }));
  }
  void add(std::uint32_t id) {
    for (const raft::MemberChange change :
         {raft::MemberChange::add_learner, raft::MemberChange::promote}) {
      EXPECT_TRUE(group.run_until([&] {
        return !group.log(1).machine().changing_members() &&
               !group.log(1).change_members(change, {id}, {id + 100});
      }));
    }
    EXPECT_TRUE(group.run_until([&] { return !group.log(1).machine().changing_members(); }));
  }
  ReplicaGroup group{{.nodes = 5, .founders = 3}};
};

TEST_F(GroupFoundedAnew, GoesOnAloneWithAllOfItsLogAndThenWithNewReplicas) {
  EXPECT_EQ(lead(), 1u);
  EXPECT_THAT(group.applied(1), ElementsAre("a", "b"));
  say("d");
  add(4);
  add(5);
  say("e");
  group.run_for(1s);
  EXPECT_THAT(group.applied(4), ElementsAre("a", "b", "d", "e"));
  EXPECT_EQ(group.log(5).machine().epoch(), base::Epoch{2});
  group.crash(1);
  EXPECT_TRUE(group.run_until([this] { return group.leader().has_value(); }));
  group.crash(5);
  group.start(5);
  EXPECT_TRUE(group.run_until([this] { return group.applied(5).size() == 4; }));
  EXPECT_EQ(group.log(5).machine().epoch(), base::Epoch{2}) << "it is on its disk";
  EXPECT_EQ(group.violations(), std::vector<std::string>{});
}

TEST_F(GroupFoundedAnew, IsNotMovedByOldReplicasThatComeBack) {
  EXPECT_EQ(lead(), 1u);
  const base::Term term = group.log(1).machine().term();
  group.start(2);
  group.run_for(10s);
  EXPECT_TRUE(group.log(2).machine().outdated());
  EXPECT_THAT(group.alarms(2), Contains(raft::AlarmKind::later_epoch));
  EXPECT_THAT(group.alarms(1), Contains(raft::AlarmKind::earlier_epoch));
  group.start(3);
  group.run_for(10s);
  EXPECT_TRUE(group.log(3).machine().outdated());
  EXPECT_EQ(group.leader(), 1u);
  EXPECT_EQ(group.log(1).machine().term(), term);
  say("d");
  EXPECT_THAT(group.applied(1), ElementsAre("a", "b", "d"));
}

TEST_F(GroupFoundedAnew, GetsNoVoteAndNoAnswerOfAnOldReplicaThatIsMadeAMember) {
  EXPECT_EQ(lead(), 1u);
  group.start(2);
  EXPECT_TRUE(group.run_until([this] {
    return !group.log(1).change_members(raft::MemberChange::add_learner, {2}, {102});
  }));
  group.run_for(5s);
  EXPECT_TRUE(group.log(2).machine().outdated());
  EXPECT_FALSE(group.log(1).machine().is_near({2}));
  EXPECT_EQ(group.log(1).change_members(raft::MemberChange::promote, {2}, {}),
            raft::Refusal::not_caught_up);
  say("d");
}

// --- what a store holds --------------------------------------------------------------------------

/// A store with a log of the ledger, of a group of three: two jobs, the second after the snapshot.
class StoreToRecover : public ::testing::Test {
 protected:
  static constexpr base::ShardId shard{3};
  static constexpr raft::StoreId own{77};

  StoreToRecover() {
    disk.apply(put_store_id(own));
    raft::Configuration members;
    members.members = {{{1}, own, true}, {{2}, {78}, true}, {{3}, {79}, true}};
    raft::StoredState pristine;
    pristine.store = own;
    raft::StoredState state = raft::founded(pristine, {1}, members).value();
    for (std::uint64_t job = 1; job <= 2; ++job) {
      raft::Entry entry;
      entry.index = {state.last().index.value + 1};
      entry.term = {1};
      entry.kind = raft::EntryKind::command;
      entry.data = codec::encode(protocol::Entry{{submitted(job)}});
      entry.chain = raft::chain_after(state.entries.back().chain, entry);
      state.entries.push_back(entry);
    }
    for (const store::Write& write : RaftDisk(shard, {1}, own).all_of(state)) {
      disk.apply(write);
    }
  }
  static protocol::SubmitRecord submitted(std::uint64_t number) {
    auto spec = std::make_shared<protocol::JobSpec>();
    spec->kernel.source = base::Bytes::copy_of(std::string_view("__global__ void k() {}"));
    spec->kernel.name = "k";
    spec->tasks = 1;
    protocol::SubmitRecord record;
    record.request = {shard, 1, number};
    record.spec = {std::move(spec)};
    record.submitted_at_ms = static_cast<base::WallTimeMs>(1000 * number);
    return record;
  }
  base::Status found_anew() {
    const auto writes = actors::found_anew(store_on(disk), of, shard);
    if (!writes.ok()) {
      return writes.error();
    }
    for (const store::Write& write : writes.value()) {
      disk.apply(write);
    }
    return {};
  }

  const RecoveryOf of{{1}, {8}, {}};
  store::MemoryDisk disk;
};

TEST_F(StoreToRecover, TellsWhatItHoldsOfAShard) {
  const auto found = find_replica(store_on(disk), of, shard);
  ASSERT_TRUE(found.ok()) << found.error().message;
  ASSERT_TRUE(found.value());
  EXPECT_EQ(found.value()->epoch, base::Epoch{1});
  EXPECT_EQ(found.value()->last, (raft::LogPosition{{3}, {1}}));
  EXPECT_EQ(found.value()->jobs, 2u);
  EXPECT_EQ(found.value()->jobs_live, 2u);
  EXPECT_EQ(found.value()->newest_job_at_ms, 2000);
  EXPECT_EQ(found.value()->members.voters(), 3u);
  EXPECT_TRUE(found.value()->votes);
  EXPECT_FALSE(found.value()->votes_alone);
  EXPECT_EQ(find_replica(store_on(disk), of, {4}).value(), std::nullopt) << "another shard";
}

TEST_F(StoreToRecover, HasAllJobsAndGivesLaterNumbersOnceFoundedAnew) {
  ASSERT_TRUE(found_anew().ok());
  const auto found = find_replica(store_on(disk), of, shard).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->epoch, base::Epoch{2});
  EXPECT_EQ(found->jobs, 2u);
  EXPECT_TRUE(found->votes_alone);
  RaftDisk log(shard, {}, own);
  const raft::StoredState state =
      log.load(store_on(disk).scan(RaftDisk::key_prefix(shard)).value()).value();
  const auto image = codec::decode_ledger_image(state.snapshot.data.span()).value();
  EXPECT_EQ(image.applied, state.snapshot.last.index);
  EXPECT_EQ(image.next_job_sequence, 3 + ledger::job_numbers_skipped);
}

TEST_F(StoreToRecover, IsFoundedAnewOnce) {
  ASSERT_TRUE(found_anew().ok());
  const auto before = store_on(disk).scan("").value();
  EXPECT_EQ(found_anew().error().code, base::ErrorCode::conflict);
  EXPECT_EQ(store_on(disk).scan("").value(), before);
}

TEST_F(StoreToRecover, IsRefusedWhereItIsDamagedOrHoldsNothing) {
  EXPECT_EQ(actors::found_anew(store_on(disk), of, {4}).error().code, base::ErrorCode::not_found);
  base::Random random(3);
  ASSERT_TRUE(disk.rot(random));
  const auto found = find_replica(store_on(disk), of, shard);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, base::ErrorCode::corrupt);
  EXPECT_NE(found.error().message.find("shard 3"), std::string::npos) << found.error().message;
  EXPECT_EQ(found_anew().error().code, base::ErrorCode::corrupt);
}

}  // namespace
}  // namespace fastgpu::actors::testing
