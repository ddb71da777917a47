// The objects actor of one of three nodes whose shards have replicas: copies on other nodes.

#include <gtest/gtest.h>

#include "actors/objects_actor.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/objects/jobs/memory_jobs.hpp"
#include "runtime/objects/memory_folder.hpp"
#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

namespace limits = base::limits;
constexpr base::DeviceId device{{1}, 0};
constexpr base::NodeId two{2};
constexpr base::NodeId three{3};
const base::RequestId request{{1}, 5, 6};

class ObjectCopies : public ::testing::Test {
 protected:
  ObjectCopies() {
    bench_.context()->replicated = true;
    bench_.spawn<ObjectsActor>(
        ObjectsParts{nullptr, std::move(objects::BlobStore::open(folder_)).value(), jobs_});
    view_.nodes.resize(3);
    for (std::uint32_t i = 0; i < 3; ++i) {
      view_.nodes[i].info.node = {i + 1};
    }
    see();
  }
  void see() { bench_.send(std::make_shared<const protocol::ClusterView>(view_)); }
  protocol::ObjectRef object_on(base::NodeId home) const {
    return {base::sha256(data_.span()), data_.size(), home};
  }
  void put() {
    bench_.send(protocol::ObjectRequest{
        {1}, protocol::PutChunk{object_on({1}).hash, data_.size(), 0, data_}});
  }

  const base::Bytes data_ = base::Bytes::copy_of(std::string_view("what must not be lost"));
  objects::MemoryFolder folder_;
  const std::shared_ptr<objects::MemoryJobs> jobs_ = std::make_shared<objects::MemoryJobs>();
  protocol::ClusterView view_;
  testing::ActorBench bench_;
};

TEST_F(ObjectCopies, AnOutputIsKeptOnceAnotherNodeHasItToo) {
  bench_.send(protocol::Keep{device, {4}, {17}, {data_}});
  const auto ask = bench_.take_to_node<protocol::KeepCopies>();
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->second.job, base::JobId{17});
  EXPECT_EQ(ask->second.objects, std::vector{object_on({1})});
  EXPECT_FALSE(bench_.worker.take<protocol::Kept>());
  bench_.send_peer(ask->first, protocol::CopiesKept{ask->second.call, true, {}});
  const auto kept = bench_.worker.take<protocol::Kept>();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->objects, std::vector{object_on({1})});
  EXPECT_EQ(kept->token, protocol::StageToken{4});
}

TEST_F(ObjectCopies, WhatACommandLeftIsCollectedOnceAnotherNodeHasItToo) {
  bench_.send(protocol::PrepareFolder{device, {1}, "1.0.1", {}});
  ASSERT_TRUE(bench_.worker.take<protocol::FolderReady>().value().ok);
  jobs_->write("1.0.1", "large", std::string(limits::inline_output_bytes_max + 1, 'L'));
  bench_.send(protocol::CollectFolder{device, {2}, {17}, "1.0.1", {"large"}});
  const auto ask = bench_.take_to_node<protocol::KeepCopies>();
  ASSERT_TRUE(ask);
  EXPECT_FALSE(bench_.worker.take<protocol::FolderCollected>());
  bench_.send_peer(ask->first, protocol::CopiesKept{ask->second.call, true, {}});
  EXPECT_TRUE(bench_.worker.take<protocol::FolderCollected>().value().ok);

  jobs_->write("1.0.1", "small", "small");
  bench_.send(protocol::CollectFolder{device, {3}, {17}, "1.0.1", {"small"}});
  EXPECT_TRUE(bench_.worker.take<protocol::FolderCollected>()) << "rides in the record";
}

TEST_F(ObjectCopies, InputsArePinnedOnceAnotherNodeHasThemAndTheQuestionMayBeRepeated) {
  put();
  const protocol::ObjectPin pin{4, 1, request, {object_on({1})}};
  bench_.send_peer(two, pin);
  const auto ask = bench_.take_to_node<protocol::KeepCopies>();
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->second.request, request);
  EXPECT_FALSE(ask->second.job);
  bench_.send_peer(two, pin);
  EXPECT_FALSE(bench_.take_to_node<protocol::ObjectPinned>());
  bench_.send_peer(ask->first, protocol::CopiesKept{ask->second.call, true, {}});
  EXPECT_EQ(bench_.take_to_node<protocol::ObjectPinned>().value().second,
            (protocol::ObjectPinned{4, 1, true, {}}));
  EXPECT_FALSE(bench_.take_to_node<protocol::ObjectPinned>()) << "answered once";
}

TEST_F(ObjectCopies, ASubmitGoesOnWhenNobodyTakesACopyInTime) {
  put();
  bench_.send_peer(two, protocol::ObjectPin{4, 1, request, {object_on({1})}});
  bench_.pass(limits::copy_wait_submit);
  EXPECT_EQ(bench_.take_to_node<protocol::ObjectPinned>().value().second,
            (protocol::ObjectPinned{4, 1, true, {}}));
  bench_.pass(limits::copy_repeat_interval);
  EXPECT_TRUE(bench_.take_to_node<protocol::KeepCopies>()) << "it is still asked for";
}

TEST_F(ObjectCopies, TheMonitorHearsHowManyCopiesAreDueWhenThatChanges) {
  using Stand = protocol::CopiesStand;
  EXPECT_EQ(bench_.monitor.take<Stand>(), (Stand{0, false, 0})) << "before the first view";
  EXPECT_EQ(bench_.monitor.take<Stand>(), (Stand{0, true, 0}));
  put();
  bench_.send_peer(two, protocol::ObjectPin{4, 1, request, {object_on({1})}});
  EXPECT_FALSE(bench_.monitor.take<Stand>()) << "it is not promised yet";
  bench_.pass(limits::copy_wait_submit);
  EXPECT_EQ(bench_.monitor.take<Stand>(), (Stand{1, true, 0}));
  const auto ask = bench_.take_to_node<protocol::KeepCopies>();
  ASSERT_TRUE(ask);
  bench_.send_peer(ask->first, protocol::CopiesKept{ask->second.call, true, {}});
  EXPECT_EQ(bench_.monitor.take<Stand>(), (Stand{0, true, 0}));

  protocol::Members members;
  members.version = 8;
  view_.members = std::make_shared<const protocol::Members>(members);
  see();
  EXPECT_EQ(bench_.monitor.take<Stand>(), (Stand{0, true, 8})) << "by the newest list";
}

TEST_F(ObjectCopies, FetchesWhatItIsToKeepAndSaysSoOnceThatIsPinnedDurably) {
  const protocol::KeepCopies keep{9, request, {}, {object_on(two)}};
  bench_.send_peer(two, keep);
  const auto fetch = bench_.take_to_node<protocol::ObjectFetch>();
  ASSERT_TRUE(fetch);
  EXPECT_EQ(fetch->first, two);
  bench_.send_peer(two, keep);
  EXPECT_FALSE(bench_.take_to_node<protocol::ObjectFetch>()) << "one work";
  EXPECT_FALSE(bench_.take_to_node<protocol::CopiesKept>());
  bench_.send_peer(two, protocol::ObjectPart{fetch->second.hash, 0, data_.size(), false, data_});
  const auto kept = bench_.take_to_node<protocol::CopiesKept>();
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, std::pair(two, protocol::CopiesKept{9, true, {}}));
  bench_.send_peer(two, keep);
  EXPECT_TRUE(bench_.take_to_node<protocol::CopiesKept>()) << "its answer may have been lost";
  base::Random random(1);
  folder_.crash(random);
  const auto after = std::move(objects::BlobStore::open(folder_)).value();
  EXPECT_TRUE(after->is_pinned(object_on(two).hash));
  EXPECT_EQ(after->pins().home_of({object_on(two).hash, objects::owner_of(request)}), two);
}

TEST_F(ObjectCopies, SaysWhyItCannotKeepACopy) {
  bench_.send_peer(two, protocol::KeepCopies{9, {}, {17}, {object_on(two)}});
  bench_.send_peer(two, protocol::ObjectPart{object_on(two).hash, 0, 0, true, {}});
  bench_.send_peer(three, protocol::ObjectPart{object_on(two).hash, 0, 0, true, {}});
  const auto kept = bench_.take_to_node<protocol::CopiesKept>();
  ASSERT_TRUE(kept);
  EXPECT_FALSE(kept->second.ok);
  EXPECT_EQ(kept->second.error.code, base::ErrorCode::object_missing);
}

TEST_F(ObjectCopies, AsksTheOtherNodesForAnObjectWhoseHomeIsDown) {
  view_.nodes[1].state = protocol::NodeState::down;
  see();
  bench_.send(protocol::Stage{device, {9}, object_on(two)});
  const auto fetch = bench_.take_to_node<protocol::ObjectFetch>();
  ASSERT_TRUE(fetch);
  EXPECT_EQ(fetch->first, three);
  bench_.send_peer(three, protocol::ObjectPart{fetch->second.hash, 0, data_.size(), false, data_});
  EXPECT_TRUE(bench_.worker.take<protocol::Staged>().value().ok);
}

TEST_F(ObjectCopies, AHolderThatIsLeftCopiesAgainWhenTheHomeIsGone) {
  bench_.send_peer(two, protocol::KeepCopies{9, request, {}, {object_on(two)}});
  bench_.send_peer(two, protocol::ObjectPart{object_on(two).hash, 0, data_.size(), false, data_});
  ASSERT_TRUE(bench_.take_to_node<protocol::CopiesKept>());
  view_.nodes[1].state = protocol::NodeState::down;
  see();
  bench_.pass(limits::copy_grace / 2);
  EXPECT_FALSE(bench_.take_to_node<protocol::KeepCopies>());
  bench_.pass(limits::copy_grace);
  const auto ask = bench_.take_to_node<protocol::KeepCopies>();
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->first, three);
  EXPECT_EQ(ask->second.objects, std::vector{object_on(two)});
}

TEST_F(ObjectCopies, BringsInputsWhoseHomeIsDownAndSeesToTheirCopiesBeforeItSaysThatItPinnedThem) {
  view_.nodes[1].state = protocol::NodeState::down;
  see();
  const protocol::ObjectPin pin{4, 2, request, {object_on(two)}};
  bench_.send_peer(three, pin);
  const auto fetch = bench_.take_to_node<protocol::ObjectFetch>();
  ASSERT_TRUE(fetch);
  EXPECT_EQ(fetch->first, three);
  bench_.send_peer(three, pin);
  EXPECT_FALSE(bench_.take_to_node<protocol::ObjectFetch>()) << "one work";
  bench_.send_peer(three, protocol::ObjectPart{fetch->second.hash, 0, data_.size(), false, data_});
  const auto ask = bench_.take_to_node<protocol::KeepCopies>();
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->second.objects, std::vector{object_on({1})}) << "this node is their home now";
  EXPECT_FALSE(bench_.take_to_node<protocol::ObjectPinned>());
  bench_.send_peer(three, protocol::CopiesKept{ask->second.call, true, {}});
  EXPECT_EQ(bench_.take_to_node<protocol::ObjectPinned>(),
            std::pair(three, protocol::ObjectPinned{4, 2, true, {}}));
}

TEST_F(ObjectCopies, SaysAtOnceThatNobodyHasInputsWhoseHomeIsDown) {
  view_.nodes[1].state = protocol::NodeState::down;
  see();
  bench_.send_peer(three, protocol::ObjectPin{4, 1, request, {object_on(two)}});
  bench_.send_peer(three, protocol::ObjectPart{object_on(two).hash, 0, 0, true, {}});
  const auto said = bench_.take_to_node<protocol::ObjectPinned>();
  ASSERT_TRUE(said) << "the home is not waited for";
  EXPECT_FALSE(said->second.ok);
  EXPECT_EQ(said->second.error.code, base::ErrorCode::object_missing);
}

}  // namespace
}  // namespace fastgpu::actors
