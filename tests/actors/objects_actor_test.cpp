#include "actors/objects_actor.hpp"

#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/objects/jobs/memory_jobs.hpp"
#include "runtime/objects/memory_folder.hpp"
#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

constexpr base::NodeId other{2};
constexpr base::DeviceId device{{1}, 0};

class ObjectsActorTest : public ::testing::Test {
 protected:
  ObjectsActorTest() {
    bench_.spawn<ObjectsActor>(
        ObjectsParts{nullptr, std::move(objects::BlobStore::open(folder_)).value(), jobs_});
  }
  protocol::ObjectRef object_on(base::NodeId home) const {
    return {base::sha256(data_.span()), data_.size(), home};
  }
  protocol::ClientReply reply() {
    auto answer = bench_.gateway.take<protocol::ObjectReply>();
    return answer ? answer->reply : protocol::ClientReply(base::Error{});
  }
  void put() {
    bench_.send(protocol::ObjectRequest{
        {1}, protocol::PutChunk{object_on({1}).hash, data_.size(), 0, data_}});
  }

  static protocol::SharedView led_by(base::NodeId node, base::ShardId shard) {
    protocol::ClusterView view;
    view.nodes.resize(1);
    view.nodes[0].info.node = node;
    view.nodes[0].leads = {{shard, {1}, {1}}};
    return std::make_shared<const protocol::ClusterView>(view);
  }

  const base::Bytes data_ =
      base::Bytes::copy_of(std::string_view("forty-two bytes of no great use"));
  objects::MemoryFolder folder_;
  const std::shared_ptr<objects::MemoryJobs> jobs_ = std::make_shared<objects::MemoryJobs>();
  testing::ActorBench bench_;
};

TEST_F(ObjectsActorTest, GivesBackWhatAClientPut) {
  put();
  const auto stored = std::get<protocol::PutReply>(reply());
  EXPECT_TRUE(stored.complete);
  EXPECT_EQ(stored.object, object_on({1}));
  bench_.send(protocol::ObjectRequest{{2}, protocol::GetChunk{stored.object, 6, 3}});
  EXPECT_EQ(std::get<protocol::Chunk>(reply()).data.text(), "two");
}

TEST_F(ObjectsActorTest, RefusesBytesThatAreNotWhatTheirNameSays) {
  base::ObjectHash wrong = object_on({1}).hash;
  wrong.bytes[0] ^= 1;
  bench_.send(protocol::ObjectRequest{{1}, protocol::PutChunk{wrong, data_.size(), 0, data_}});
  EXPECT_TRUE(std::holds_alternative<base::Error>(reply()));
}

TEST_F(ObjectsActorTest, BringsAnObjectOfAnotherNodeToTheWorkerThatStagesIt) {
  bench_.send(protocol::Stage{device, {9}, object_on(other)});
  const auto fetch = bench_.take_to_node<protocol::ObjectFetch>();
  ASSERT_TRUE(fetch);
  EXPECT_EQ(fetch->first, other);
  bench_.send_peer(other, protocol::ObjectPart{fetch->second.hash, 0, data_.size(), false, data_});
  const auto staged = bench_.worker.take<protocol::Staged>();
  ASSERT_TRUE(staged);
  EXPECT_TRUE(staged->ok);
  EXPECT_EQ(staged->token, protocol::StageToken{9});
  EXPECT_EQ(staged->data, data_);

  bench_.send(protocol::Stage{device, {10}, object_on(other)});
  EXPECT_TRUE(bench_.worker.take<protocol::Staged>()) << "the second time it is here already";
}

TEST_F(ObjectsActorTest, BringsALongObjectToTheDiskPieceByPiece) {
  const std::size_t chunk = base::limits::object_chunk_bytes;
  std::vector<std::uint8_t> bytes(2 * chunk + 5);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  const base::Bytes long_one(std::move(bytes));
  const protocol::ObjectRef object{base::sha256(long_one.span()), long_one.size(), other};
  bench_.send(protocol::Stage{device, {9}, object});
  while (const auto fetch = bench_.take_to_node<protocol::ObjectFetch>()) {
    const auto& [hash, offset, length] = fetch->second;
    bench_.send_peer(
        other, protocol::ObjectPart{hash, offset, long_one.size(), false,
                                    base::Bytes::copy_of(long_one.span().subspan(offset, length))});
  }
  const auto staged = bench_.worker.take<protocol::Staged>();
  ASSERT_TRUE(staged);
  EXPECT_TRUE(staged->ok) << staged->error.message;
  EXPECT_EQ(staged->data, long_one);
}

TEST_F(ObjectsActorTest, FindsOutAHolderOfALongObjectThatSendsOtherBytes) {
  const std::size_t chunk = base::limits::object_chunk_bytes;
  const protocol::ObjectRef object{object_on(other).hash, 2 * chunk, other};
  bench_.send(protocol::Stage{device, {9}, object});
  for (std::uint64_t offset : {std::uint64_t{chunk}, std::uint64_t{0}})
    bench_.send_peer(other,
                     protocol::ObjectPart{object.hash, offset, 2 * chunk, false,
                                          base::Bytes(std::vector<std::uint8_t>(chunk, 'x'))});
  const auto staged = bench_.worker.take<protocol::Staged>();
  ASSERT_TRUE(staged);
  EXPECT_FALSE(staged->ok);
}

TEST_F(ObjectsActorTest, FindsOutAHolderThatSendsOtherBytes) {
  bench_.send(protocol::Stage{device, {9}, object_on(other)});
  std::vector<std::uint8_t> forged(data_.size(), 'x');
  bench_.send_peer(other, protocol::ObjectPart{object_on(other).hash, 0, data_.size(), false,
                                               base::Bytes(std::move(forged))});
  EXPECT_FALSE(bench_.worker.take<protocol::Staged>().value().ok);
}

TEST_F(ObjectsActorTest, TellsTheWorkerWhenTheHolderStaysSilent) {
  bench_.send(protocol::Stage{device, {9}, object_on(other)});
  bench_.pass(base::limits::rpc_timeout * (base::limits::rpc_tries_max + 1));
  const auto staged = bench_.worker.take<protocol::Staged>();
  ASSERT_TRUE(staged);
  EXPECT_FALSE(staged->ok);
  EXPECT_EQ(staged->error.kind, base::ErrorKind::unavailable);
}

TEST_F(ObjectsActorTest, KeepsOutputsAndServesThemToOtherNodes) {
  bench_.send(protocol::Keep{device, {4}, {17}, {data_}});
  const auto kept = bench_.worker.take<protocol::Kept>();
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->objects, std::vector<protocol::ObjectRef>{object_on({1})});
  bench_.send_peer(other, protocol::ObjectFetch{kept->objects[0].hash, 0, 1 << 20});
  const auto part = bench_.take_to_node<protocol::ObjectPart>();
  ASSERT_TRUE(part);
  EXPECT_EQ(part->second.data, data_);
  EXPECT_FALSE(part->second.missing);
}

TEST_F(ObjectsActorTest, PinsTheInputsOfASubmitBeforeItSaysSo) {
  const base::RequestId request{{2}, 7, 9};
  const protocol::ObjectRef object = object_on({1});
  bench_.send_peer(other, protocol::ObjectPin{3, 1, request, {object}});
  const auto missing = bench_.take_to_node<protocol::ObjectPinned>();
  ASSERT_TRUE(missing);
  EXPECT_FALSE(missing->second.ok);
  EXPECT_EQ(missing->second.error.kind, base::ErrorKind::lost);
  EXPECT_EQ(missing->second.error.code, base::ErrorCode::object_missing);
  put();
  bench_.send_peer(other, protocol::ObjectPin{4, 1, request, {object}});
  const auto pinned = bench_.take_to_node<protocol::ObjectPinned>();
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->first, other);
  EXPECT_EQ(pinned->second, (protocol::ObjectPinned{4, 1, true, {}}));
  base::Random random(1);
  folder_.crash(random);
  EXPECT_TRUE(objects::BlobStore::open(folder_).value()->is_pinned(object.hash));
}

TEST_F(ObjectsActorTest, LetsGoOfAnUploadThatWasNeverSubmitted) {
  put();
  bench_.pass(base::limits::object_grace + base::limits::object_look_interval);
  reply();
  bench_.send(protocol::ObjectRequest{{2}, protocol::GetChunk{object_on({1}), 0, 3}});
  EXPECT_EQ(std::get<base::Error>(reply()).code, base::ErrorCode::object_missing);
}

TEST_F(ObjectsActorTest, KeepsWhatTheLeaderNamesAndLetsGoOfWhatItDoesNot) {
  bench_.send(led_by(other, {1}));  // the shard of job 17
  bench_.send(protocol::Keep{device, {4}, {17}, {data_}});
  ASSERT_TRUE(bench_.worker.take<protocol::Kept>());
  bench_.pass(base::limits::pin_settle + base::limits::pin_check_interval);
  auto check = bench_.take_to_node<protocol::PinCheck>();
  ASSERT_TRUE(check);
  EXPECT_EQ(check->first, other);
  EXPECT_EQ(check->second.jobs, std::vector<base::JobId>{{17}});
  bench_.send_peer(other, protocol::PinAnswer{{1}, {1}, {1}, check->second.question, {}, {}});
  bench_.pass(2 * base::limits::object_grace);
  bench_.send(protocol::Stage{device, {9}, object_on({1})});
  EXPECT_TRUE(bench_.worker.take<protocol::Staged>().value().ok) << "the leader knows the job";

  while (auto next = bench_.take_to_node<protocol::PinCheck>()) {
    check = next;
  }
  bench_.send_peer(other, protocol::PinAnswer{{1}, {1}, {1}, check->second.question, {}, {{17}}});
  bench_.pass(base::limits::object_grace + base::limits::object_look_interval);
  bench_.send(protocol::Stage{device, {10}, object_on({1})});
  bench_.send_peer(other, protocol::ObjectPart{object_on({1}).hash, 0, 0, true, {}});
  EXPECT_FALSE(bench_.worker.take<protocol::Staged>().value().ok);
}

TEST_F(ObjectsActorTest, SaysSoWhenItDoesNotHaveAnObject) {
  bench_.send_peer(other, protocol::ObjectFetch{object_on({1}).hash, 0, 10});
  EXPECT_TRUE(bench_.take_to_node<protocol::ObjectPart>().value().second.missing);
}

TEST_F(ObjectsActorTest, FillsACommandsFolderWithWhatIsHereAndWhatMustBeBrought) {
  const protocol::FolderFile program{"bin/tool", true,
                                     base::Bytes::copy_of(std::string_view("#!"))};
  const protocol::FolderFile input{"data", false, object_on(other)};
  bench_.send(protocol::PrepareFolder{device, {9}, "1.0.1", {program, input}});
  EXPECT_FALSE(bench_.worker.take<protocol::FolderReady>()) << "an input is still on its way";
  const auto fetch = bench_.take_to_node<protocol::ObjectFetch>();
  ASSERT_TRUE(fetch);
  bench_.send_peer(other, protocol::ObjectPart{fetch->second.hash, 0, data_.size(), false, data_});
  const auto ready = bench_.worker.take<protocol::FolderReady>();
  ASSERT_TRUE(ready);
  EXPECT_TRUE(ready->ok) << ready->error.message;
  EXPECT_EQ(ready->token, protocol::StageToken{9});
  EXPECT_EQ(ready->path, jobs_->host_path("1.0.1"));
  EXPECT_EQ(jobs_->read("1.0.1", "data", 0, 100).value(), data_);
  EXPECT_TRUE(jobs_->info("1.0.1", "bin/tool").value().executable);
}

TEST_F(ObjectsActorTest, TellsTheWorkerOnceWhenAnInputOfACommandDoesNotCome) {
  protocol::ObjectRef second = object_on(other);
  second.hash.bytes[0] ^= 1;
  bench_.send(protocol::PrepareFolder{
      device, {9}, "1.0.1", {{"a", false, object_on(other)}, {"b", false, second}}});
  bench_.pass(base::limits::rpc_timeout * (base::limits::rpc_tries_max + 1));
  const auto ready = bench_.worker.take<protocol::FolderReady>();
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->error.kind, base::ErrorKind::unavailable);
  EXPECT_FALSE(bench_.worker.take<protocol::FolderReady>());
  EXPECT_EQ(jobs_->entries(), 0u);
  bench_.send(protocol::PrepareFolder{device, {10}, "1.0.1", {{"a", false, object_on({1})}}});
  EXPECT_EQ(bench_.worker.take<protocol::FolderReady>().value().error.kind, base::ErrorKind::lost);
}

TEST_F(ObjectsActorTest, MakesNoFolderThatWasDroppedWhileItsInputsWereComing) {
  bench_.send(protocol::PrepareFolder{device, {9}, "1.0.1", {{"data", false, object_on(other)}}});
  const auto fetch = bench_.take_to_node<protocol::ObjectFetch>();
  ASSERT_TRUE(fetch);
  bench_.send(protocol::DropFolder{"1.0.1"});
  const auto ready = bench_.worker.take<protocol::FolderReady>();
  ASSERT_TRUE(ready) << "every question is answered";
  EXPECT_EQ(ready->token, protocol::StageToken{9});
  EXPECT_EQ(ready->error.code, base::ErrorCode::conflict);
  bench_.send_peer(other, protocol::ObjectPart{fetch->second.hash, 0, data_.size(), false, data_});
  EXPECT_FALSE(bench_.worker.take<protocol::FolderReady>());
  EXPECT_EQ(jobs_->entries(), 0u) << "nobody would drop it again";
}

TEST_F(ObjectsActorTest, KeepsWhatACommandLeftAndDropsItsFolder) {
  bench_.send(protocol::PrepareFolder{device, {1}, "1.0.1", {}});
  ASSERT_TRUE(bench_.worker.take<protocol::FolderReady>().value().ok);
  jobs_->write("1.0.1", "out/small", "small");
  const std::string large(base::limits::inline_output_bytes_max + 1, 'L');
  jobs_->write("1.0.1", "out/large", large);
  bench_.send(protocol::CollectFolder{device, {2}, {17}, "1.0.1", {"out"}});
  const auto collected = bench_.worker.take<protocol::FolderCollected>();
  ASSERT_TRUE(collected && collected->ok);
  ASSERT_EQ(collected->outputs.size(), 2u);
  EXPECT_EQ(collected->outputs[0].path, "out/large");
  const auto object = std::get<protocol::ObjectRef>(collected->outputs[0].data);
  EXPECT_EQ(object.home, base::NodeId{1});
  EXPECT_EQ(collected->outputs[1],
            (protocol::OutputFile{"out/small", base::Bytes::copy_of(std::string_view("small"))}));
  bench_.send(protocol::ObjectRequest{{2}, protocol::GetChunk{object, 0, 1 << 20}});
  EXPECT_EQ(std::get<protocol::Chunk>(reply()).data.text(), large);

  bench_.send(protocol::CollectFolder{device, {3}, {17}, "1.0.1", {"nothing"}});
  const auto missing = bench_.worker.take<protocol::FolderCollected>();
  EXPECT_EQ(missing.value().error.code, base::ErrorCode::output_missing);
  bench_.send(protocol::DropFolder{"1.0.1"});
  EXPECT_EQ(jobs_->entries(), 0u);
}

}  // namespace
}  // namespace fastgpu::actors
