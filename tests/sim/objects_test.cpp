// Objects of a whole cluster: what jobs name stays, what nobody needs goes, a full disk refuses.

#include <gtest/gtest.h>

#include "runtime/base/sha256.hpp"
#include "tests/sim/object_user.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

TEST(ObjectsNotice, WhatIsKeptForNobodyAndWhatIsRemovedThoughAJobNamesIt) {
  SimOptions options;
  options.nodes = 1;
  const auto watch = std::make_shared<Watch>();
  SimWorld world(options, watch);
  SimClient client(world);
  world.run_for(2s);
  const base::Bytes data = base::Bytes::copy_of(std::string_view("an input"));
  const protocol::ClientReply put =
      client.ask(protocol::PutChunk{base::sha256(data.span()), data.size(), 0, data});
  ASSERT_TRUE(std::holds_alternative<protocol::PutReply>(put));
  check_objects(world, *watch);
  EXPECT_EQ(watch->violations().size(), 1u) << "nobody has pinned it";

  protocol::BufferArgument in;
  in.name = "in";
  in.size_bytes = data.size();
  in.data.push_back(std::get<protocol::PutReply>(put).object);
  protocol::JobSpec spec = simple_job(1, "__global__ ok");
  spec.request.memory_bytes += in.size_bytes;
  spec.kernel.arguments.push_back(in);
  const protocol::ClientReply accepted =
      client.ask(protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(spec)}});
  ASSERT_TRUE(std::holds_alternative<protocol::Accepted>(accepted));
  check_objects(world, *watch);
  EXPECT_EQ(watch->violations().size(), 1u) << "its job has pinned it";
  watch->objects_removed(world.info(0), {base::sha256(data.span())});
  EXPECT_EQ(watch->violations().size(), 2u);
}

TEST(SimObjects, RefusesNewWorkWhileTheDiskIsTooFullAndGoesOnWithWhatItHas) {
  SimOptions options;
  options.nodes = 1;
  options.disk_reserve_bytes = 64u << 20;
  const auto watch = std::make_shared<Watch>();
  SimWorld world(options, watch);
  SimClient client(world);
  world.run_for(2s);
  const auto submit = [&] {
    return client.ask(protocol::Submit{
        {}, {std::make_shared<const protocol::JobSpec>(simple_job(400, "__global__ ok"))}});
  };
  const protocol::ClientReply first = submit();
  ASSERT_TRUE(std::holds_alternative<protocol::Accepted>(first));
  const base::JobId job = std::get<protocol::Accepted>(first).job;
  ASSERT_FALSE(watch->has_ended(job)) << "there is work left for the time of the full disk";

  world.disk(0).set_bytes_free(10u << 20);
  world.run_for(1s);
  const protocol::ClientReply refused = submit();
  ASSERT_TRUE(std::holds_alternative<base::Error>(refused));
  const auto& error = std::get<base::Error>(refused);
  EXPECT_EQ(error.code, base::ErrorCode::disk_full);
  EXPECT_NE(error.message.find("10 MiB free"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("64 MiB"), std::string::npos) << error.message;
  EXPECT_TRUE(world.run_until([&] { return watch->has_ended(job); }, 60s));

  world.crash(0);
  world.start(0);
  world.run_for(2s);
  const protocol::ClientReply again = submit();
  EXPECT_TRUE(std::holds_alternative<base::Error>(again)) << "a new life looks as well";
  world.disk(0).set_bytes_free(1u << 30);
  world.run_for(1s);
  const protocol::ClientReply second = submit();
  ASSERT_TRUE(std::holds_alternative<protocol::Accepted>(second));
  EXPECT_TRUE(world.run_until(
      [&] { return watch->has_ended(std::get<protocol::Accepted>(second).job); }, 60s));
}

}  // namespace
}  // namespace fastgpu::testing
