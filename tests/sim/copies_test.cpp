// Objects of a cluster whose shards have replicas: what a job needs or has made is on two nodes
// before that is told to anybody, so the loss of any one node for good loses nothing.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/object_order.hpp"
#include "runtime/base/sha256.hpp"
#include "tests/sim/watch.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

class Copies : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  static SimOptions cluster(std::uint32_t nodes) {
    SimOptions options;
    options.nodes = nodes;
    options.replicas = 3;
    return options;
  }
  Copies() : Copies(cluster(GetParam())) {}
  explicit Copies(const SimOptions& options) : world(options, watch), client(world) {}

  void SetUp() override {
    ASSERT_TRUE(world.run_until([this] { return all_led(); }, 10s));
    world.run_for(2s);
  }
  void TearDown() override {
    for (const std::string& violation : watch->violations()) {
      ADD_FAILURE() << violation;
    }
  }
  bool all_led() const {
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (!watch->leader_of({shard})) {
        return false;
      }
    }
    return true;
  }
  static std::uint32_t index_of(base::NodeId node) { return node.value - 1; }

  protocol::ObjectRef upload(const std::string& text) {
    const base::Bytes data = base::Bytes::copy_of(std::string_view(text));
    const protocol::ClientReply reply =
        client.ask(protocol::PutChunk{base::sha256(data.span()), data.size(), 0, data});
    const auto* put = std::get_if<protocol::PutReply>(&reply);
    EXPECT_TRUE(put != nullptr && put->complete);
    return put != nullptr ? put->object : protocol::ObjectRef{};
  }
  /// With an output of so many bytes for each task.
  static protocol::JobSpec job_with(std::uint32_t tasks, const protocol::ObjectRef* object,
                                    std::uint64_t output_bytes) {
    protocol::JobSpec spec = simple_job(tasks);
    auto& out = std::get<protocol::BufferArgument>(spec.kernel.arguments.back());
    out.size_bytes = output_bytes;
    spec.request.memory_bytes = output_bytes;
    if (object != nullptr) {
      protocol::BufferArgument in;
      in.name = "in";
      in.size_bytes = object->size_bytes;
      in.data.push_back(*object);
      spec.request.memory_bytes += in.size_bytes;
      spec.kernel.arguments.push_back(in);
    }
    return spec;
  }
  base::JobId submit(const protocol::JobSpec& spec, base::ShardId shard = {0}) {
    const protocol::ClientReply reply = client.ask(protocol::Submit{
        {shard, 5, ++requests_}, {std::make_shared<const protocol::JobSpec>(spec)}});
    const auto* accepted = std::get_if<protocol::Accepted>(&reply);
    EXPECT_NE(accepted, nullptr) << std::get<base::Error>(reply).message;
    return accepted != nullptr ? accepted->job : base::JobId{};
  }
  void expect_good_end(base::JobId job, const protocol::JobSpec& spec) {
    EXPECT_TRUE(world.run_until([&] { return watch->has_ended(job); }, 120s));
    watch->check_end(job, spec, false);
  }
  std::vector<protocol::ObjectRef> outputs_of(base::JobId job) const {
    std::vector<protocol::ObjectRef> objects;
    watch->find(job)->tasks.for_each([&](base::TaskRange, const protocol::TaskRecord& task) {
      for (const protocol::Data& output : task.outcome->outputs) {
        objects.push_back(std::get<protocol::ObjectRef>(output));
      }
    });
    return objects;
  }
  void expect_download(const protocol::ObjectRef& object) {
    const protocol::ClientReply reply = client.ask(protocol::GetChunk{object, 0, 1 << 20}, 30s);
    const auto* chunk = std::get_if<protocol::Chunk>(&reply);
    ASSERT_NE(chunk, nullptr) << std::get<base::Error>(reply).message;
    EXPECT_EQ(base::sha256(chunk->data.span()), object.hash);
  }
  protocol::ClusterStatus status() {
    const protocol::ClientReply reply = client.ask(protocol::AskCluster{});
    const auto* shown = std::get_if<protocol::ClusterStatus>(&reply);
    EXPECT_NE(shown, nullptr);
    return shown != nullptr ? *shown : protocol::ClusterStatus{};
  }
  /// As all nodes together say that are not down; none where one has not counted them.
  std::optional<std::uint64_t> copies_due() {
    std::uint64_t due = 0;
    for (const protocol::NodeView& node : status().nodes) {
      if (node.state == protocol::NodeState::down) {
        continue;
      }
      if (!node.duties || !node.duties->copies_counted) {
        return std::nullopt;
      }
      due += node.duties->copies_due;
    }
    return due;
  }
  /// Nodes that are up and have it pinned.
  std::uint32_t holders(const base::ObjectHash& hash) const {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < world.node_count(); ++i) {
      count += world.blobs(i) != nullptr && world.blobs(i)->is_pinned(hash) ? 1 : 0;
    }
    return count;
  }

  std::shared_ptr<Watch> watch{std::make_shared<Watch>()};
  SimWorld world;
  SimClient client;

 private:
  std::uint64_t requests_{0};
};

TEST_P(Copies, AJobRunsWhoseInputsWereOnANodeThatDiedForGoodAfterTheSubmit) {
  const protocol::ObjectRef input = upload(std::string(9000, 'i'));
  const protocol::JobSpec spec = job_with(30, &input, 4);
  const base::JobId job = submit(spec);
  ASSERT_EQ(holders(input.hash), 2u) << "on two nodes before it was accepted";
  world.crash(index_of(input.home));
  expect_good_end(job, spec);
}

TEST_P(Copies, AnObjectMayBeNamedByNewJobsWhenTheNodeDiedForGoodThatItWasUploadedTo) {
  const protocol::ObjectRef input = upload(std::string(9000, 'i'));
  const protocol::JobSpec spec = job_with(5, &input, 4);
  expect_good_end(submit(spec), spec);
  world.crash(index_of(input.home));
  for (const base::Duration after : {0s, 20s}) {  // it is silent; then it is down
    world.run_for(after);
    const base::JobId job = submit(spec);
    EXPECT_GE(holders(input.hash), 2u) << "on two nodes again before it was accepted";
    expect_good_end(job, spec);
  }
}

TEST_P(Copies, ResultsAreThereWhenAnyNodeDiedForGoodAfterTheEnd) {
  const protocol::JobSpec spec = job_with(12, nullptr, 3000);
  const base::JobId job = submit(spec);
  expect_good_end(job, spec);
  const std::vector<protocol::ObjectRef> outputs = outputs_of(job);
  ASSERT_EQ(outputs.size(), 12u);
  for (const protocol::ObjectRef& output : outputs) {
    EXPECT_EQ(holders(output.hash), 2u) << "on two nodes before its end was recorded";
  }
  world.crash(index_of(outputs[0].home));
  for (const protocol::ObjectRef& output : outputs) {
    expect_download(output);
  }
}

TEST_P(Copies, SurvivorsCopyAgainSoThatNodesMayDieOneAfterTheOther) {
  const protocol::JobSpec spec = job_with(12, nullptr, 3000);
  const base::JobId job = submit(spec);
  expect_good_end(job, spec);
  const std::vector<protocol::ObjectRef> outputs = outputs_of(job);
  const base::NodeId first = outputs[0].home;
  world.crash(index_of(first));
  world.run_for(60s);
  for (const protocol::ObjectRef& output : outputs) {
    EXPECT_GE(holders(output.hash), 2u) << "among those left";
  }
  // Of three, no shard has a majority any more; its objects are there all the same.
  const base::NodeId second = first.value == 1 ? base::NodeId{2} : base::NodeId{1};
  world.crash(index_of(second));
  world.run_for(1s);
  for (const protocol::ObjectRef& output : outputs) {
    EXPECT_GE(holders(output.hash), 1u);
    expect_download(output);
  }
}

/// The copy of the input cannot be made on the node that should have it.
class CopiesElsewhere : public Copies {
 protected:
  void run_a_job_while_the_holder_stands_still() {
    input = upload(std::string(9000, 'i'));
    std::vector<base::NodeId> others;
    for (std::uint32_t i = 0; i < world.node_count(); ++i) {
      if (world.info(i).node != input.home) {
        others.push_back(world.info(i).node);
      }
    }
    const base::NodeId still = base::in_order_for(input.hash, others)[0];
    holder = index_of(still);
    base::ShardId shard{0};
    while (watch->leader_of(shard) == still) {
      ++shard.value;
    }
    world.freeze(holder);
    spec = job_with(5, &input, 4);
    const base::Time asked = world.now();
    const base::JobId job = submit(spec, shard);
    EXPECT_LT(world.now() - asked, 2s);
    EXPECT_TRUE(world.run_until([&] { return holders(input.hash) >= 2; }, 60s))
        << "the frozen node does not get it";
    EXPECT_FALSE(world.blobs(holder)->has(input.hash));
    world.thaw(holder);
    expect_good_end(job, spec);
  }

  protocol::ObjectRef input;
  protocol::JobSpec spec;
  std::uint32_t holder{};
};

TEST_P(CopiesElsewhere, ASubmitGoesOnWithoutTheCopyOfANodeThatStandsStillAndItIsMadeElsewhere) {
  run_a_job_while_the_holder_stands_still();
}

TEST_P(CopiesElsewhere, WhoStandsInForADeadNodeFetchesWhatItLacksFromWhoeverHasIt) {
  run_a_job_while_the_holder_stands_still();
  ASSERT_FALSE(world.blobs(holder)->has(input.hash));
  world.crash(index_of(input.home));
  world.run_for(12s);
  const base::JobId job = submit(spec);
  EXPECT_TRUE(world.blobs(holder)->is_pinned(input.hash));
  expect_good_end(job, spec);
}

INSTANTIATE_TEST_SUITE_P(Of, CopiesElsewhere, ::testing::Values(3u, 5u));

INSTANTIATE_TEST_SUITE_P(Of, Copies, ::testing::Values(3u, 5u));

class CopiesOfThree : public Copies {
 protected:
  CopiesOfThree() : Copies(cluster(3)) {}
};

TEST_F(CopiesOfThree, AreDueWhenTheirHoldersHaveDiedAndUntilSomebodyCanHoldThemAgain) {
  const protocol::JobSpec spec = job_with(12, nullptr, 3000);
  const base::JobId job = submit(spec);
  expect_good_end(job, spec);
  const std::vector<protocol::ObjectRef> outputs = outputs_of(job);
  world.run_for(1s);
  EXPECT_EQ(copies_due(), 0u);
  const std::uint32_t left = index_of(outputs[0].home);
  const std::uint32_t first = (left + 1) % 3;
  const std::uint32_t second = (left + 2) % 3;
  world.crash(first);
  world.crash(second);
  world.run_for(60s);
  std::uint64_t here = 0;
  for (const protocol::ObjectRef& output : outputs) {
    here += world.blobs(left)->is_pinned(output.hash) ? 1 : 0;
  }
  EXPECT_GT(here, 0u);
  EXPECT_EQ(copies_due(), here);
  world.start(first);
  world.run_for(60s);
  EXPECT_EQ(copies_due(), 0u);
  for (const protocol::ObjectRef& output : outputs) {
    EXPECT_EQ(holders(output.hash), 2u);
  }
}

class CopiesOfFour : public Copies {
 protected:
  CopiesOfFour() : Copies(with_a_plan()) {}
  /// Replicas move as well: all nodes keep all shards until the root's plan is carried out.
  static SimOptions with_a_plan() {
    SimOptions options = cluster(4);
    options.founding_nodes = 4;
    return options;
  }
  bool await_drained(base::NodeId node) {
    for (int i = 0; i < 300; ++i) {
      const protocol::ClusterStatus now = status();
      const auto found = std::find_if(now.nodes.begin(), now.nodes.end(),
                                      [&](const auto& one) { return one.info.node == node; });
      if (found != now.nodes.end() && protocol::is_drained(*found, now.nodes)) {
        return true;
      }
      world.run_for(200ms);
    }
    return false;
  }
};

TEST_P(CopiesOfFour, ANodeThatIsDrainedAndRemovedTakesNothingWithIt) {
  const protocol::ObjectRef input = upload(std::string(9000, 'i'));
  const protocol::JobSpec spec = job_with(12, &input, 3000);
  const base::JobId job = submit(spec);
  expect_good_end(job, spec);
  std::vector<protocol::ObjectRef> objects = outputs_of(job);
  objects.push_back(input);
  const auto leaves = static_cast<std::uint32_t>(GetParam());
  const base::NodeId left = world.info(leaves).node;
  const auto change = [&](std::uint64_t number, protocol::MemberState state) {
    const protocol::ClientReply reply =
        client.ask(protocol::ChangeMember{{{0}, 6, number}, left, state}, 30s);
    const auto* error = std::get_if<base::Error>(&reply);
    EXPECT_EQ(error, nullptr) << error->message;
  };
  change(1, protocol::MemberState::draining);
  ASSERT_TRUE(await_drained(left));
  for (const protocol::ObjectRef& object : objects) {
    EXPECT_GE(holders(object.hash) - (world.blobs(leaves)->is_pinned(object.hash) ? 1 : 0), 2u)
        << "two others have it while the node is still there";
  }
  world.crash(leaves);
  change(2, protocol::MemberState::removed);
  for (const protocol::ObjectRef& object : objects) {
    expect_download(object);
  }
  world.run_for(2s);
  expect_good_end(submit(spec), spec);  // it names an object of whoever has left
}

INSTANTIATE_TEST_SUITE_P(Each, CopiesOfFour, ::testing::Values(0u, 1u, 2u, 3u));

}  // namespace
}  // namespace fastgpu::testing
