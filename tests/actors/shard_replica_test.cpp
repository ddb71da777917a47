// A shard actor that is one of three replicas: node 1, whose others are the test.

#include <gtest/gtest.h>

#include "actors/replica/raft_words.hpp"
#include "actors/shard_actor.hpp"
#include "tests/actors/shard_disk.hpp"

namespace fastgpu::actors {
namespace {

using namespace std::chrono_literals;

constexpr base::ShardId shard{0};

raft::StoreId store_of(std::uint32_t node) {
  return {node + 100};
}

class ShardReplica : public ::testing::Test {
 protected:
  void spawn(std::uint32_t founders = 3) {
    ShardActorOptions options;
    options.shard = shard;
    options.contents = disk.contents();
    options.group.emplace();
    options.group->self = {1};
    options.group->store = store_of(1);
    for (std::uint32_t node = 1; node <= founders; ++node) {
      options.group->founders.members.push_back({{node}, store_of(node), true});
    }
    bench.spawn<ShardActor>(std::move(options));
  }
  void hear(std::uint32_t from, std::uint64_t term, raft::Body body) {
    const raft::Message message{{from}, store_of(from), {1}, store_of(1), {1}, {term}, body};
    bench.send_peer({from}, to_wire(shard, message));
  }
  /// The next message of this kind to any replica.
  template <class Body>
  std::optional<Body> said() {
    while (const auto message = bench.take_to_node<protocol::RaftMessage>()) {
      EXPECT_EQ(message->second.shard, shard);
      const raft::Message meant = from_wire(message->second, {1}, message->first);
      if (const auto* body = std::get_if<Body>(&meant.body)) {
        return *body;
      }
    }
    return std::nullopt;
  }
  void lead() {
    spawn();
    disk.sync(bench);
    bench.pass(1s);
    ASSERT_TRUE(said<raft::VoteRequest>());
    hear(2, 1, raft::VoteReply{true, {2}, true});
    disk.sync(bench);
    ASSERT_TRUE(said<raft::VoteRequest>());
    hear(2, 2, raft::VoteReply{false, {2}, true});
    disk.sync(bench);
    hear(2, 2, raft::AppendReply{{1}, {2}, std::nullopt, {}});
    ASSERT_TRUE(bench.monitor.take<ShardLed>());
  }
  static protocol::ShardRequest submit() {
    auto spec = std::make_shared<protocol::JobSpec>();
    spec->kernel.source = base::Bytes::copy_of(std::string_view("__global__ void k() {}"));
    spec->kernel.name = "k";
    return {{7}, shard, protocol::Submit{{shard, 1, 1}, {std::move(spec)}}};
  }

  ShardDisk disk;
  testing::ActorBench bench;
};

TEST_F(ShardReplica, AsksTheOthersWhetherItMayLeadOnceItsFoundingIsDurable) {
  spawn();
  bench.pass(2s);
  EXPECT_FALSE(said<raft::VoteRequest>());
  disk.sync(bench);
  bench.pass(1s);
  const auto request = said<raft::VoteRequest>();
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->pre);
  EXPECT_FALSE(bench.monitor.take<ShardLed>());
}

TEST_F(ShardReplica, TheMonitorHearsOnceThatItVotes) {
  lead();
  EXPECT_EQ(bench.monitor.take<protocol::ReplicaStands>(), (protocol::ReplicaStands{shard, true}));
  EXPECT_FALSE(bench.monitor.take<protocol::ReplicaStands>());
}

TEST_F(ShardReplica, TheMonitorHearsThatOneWhoWaitsToBeCalledDoesNotVote) {
  spawn(0);
  disk.sync(bench);
  EXPECT_EQ(bench.monitor.take<protocol::ReplicaStands>(), (protocol::ReplicaStands{shard, false}));
}

TEST_F(ShardReplica, AcceptsASubmitOnceAMajorityHasIt) {
  lead();
  bench.send(submit());
  disk.sync(bench);
  EXPECT_FALSE(bench.gateway.take<protocol::ShardReply>()) << "only its own disk has it";
  std::optional<base::LogIndex> last;
  while (const auto append = said<raft::Append>()) {
    last = append->entries.empty() ? last : append->entries.back().index;
  }
  ASSERT_TRUE(last);
  hear(3, 2, raft::AppendReply{{1}, *last, std::nullopt, {}});
  const auto reply = bench.gateway.take<protocol::ShardReply>();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(std::holds_alternative<protocol::Accepted>(reply->reply));
}

TEST_F(ShardReplica, RefusesASubmitWhileAnotherLeads) {
  spawn();
  disk.sync(bench);
  hear(3, 2, raft::Append{{{1}, {1}}, {}, {1}, {1}});
  disk.sync(bench);
  bench.send(submit());
  const auto reply = bench.gateway.take<protocol::ShardReply>();
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<base::Error>(reply->reply).code, base::ErrorCode::shard_unavailable);
}

TEST_F(ShardReplica, StopsLeadingWhenItHearsOfALaterTerm) {
  lead();
  hear(3, 5, raft::Append{{{1}, {1}}, {}, {1}, {1}});
  const auto led = bench.monitor.take<ShardLed>();
  ASSERT_TRUE(led);
  EXPECT_EQ(led->shard.term, base::Term{});
}

TEST_F(ShardReplica, DropsWhatAStrangerSays) {
  spawn();
  disk.sync(bench);
  const raft::Message message{
      {2}, {5}, {1}, store_of(1), {1}, {9}, raft::AppendReply{{1}, {9}, std::nullopt, {}}};
  bench.send_peer({2}, to_wire(shard, message));
  bench.send_peer({9}, to_wire({shard}, message));
  disk.sync(bench);
  EXPECT_FALSE(said<raft::AppendReply>());
}

}  // namespace
}  // namespace fastgpu::actors
