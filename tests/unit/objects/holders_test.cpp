#include "runtime/objects/copies/holders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "runtime/base/bytes.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::objects {
namespace {

using testing::ElementsAre;

base::ObjectHash hash(std::uint32_t number) {
  return base::sha256(base::Bytes::copy_of(std::to_string(number)).span());
}

TEST(Holders, AreAskedTheHomeFirstIfItIsUpAndLastIfItIsNot) {
  std::vector<CopyMember> members{{{1}}, {{2}}, {{3}}, {{4}}};
  auto sources = sources_of(hash(1), {3}, {}, {1}, members);
  ASSERT_EQ(sources.size(), 3u) << "never oneself";
  EXPECT_EQ(sources[0], base::NodeId{3});
  sources = sources_of(hash(1), {3}, {4}, {1}, members);
  EXPECT_THAT(sources, ElementsAre(base::NodeId{4}, base::NodeId{3}, base::NodeId{2}));
  members[2].up = false;
  sources = sources_of(hash(1), {3}, {4}, {1}, members);
  EXPECT_THAT(sources, ElementsAre(base::NodeId{4}, base::NodeId{2}, base::NodeId{3}));
  EXPECT_THAT(sources_of(hash(1), {3}, {}, {1}, {}), ElementsAre(base::NodeId{3}));
  EXPECT_TRUE(sources_of(hash(1), {1}, {}, {1}, {}).empty());
}

TEST(Holders, AreAskedTheSilentLastAndThoseThatAreDownNotAtAllByOneWhoDoesNotWait) {
  std::vector<CopyMember> members{{{1}}, {{2}}, {{3}}, {{4}}, {{5}}};
  const auto sources = [&](std::uint32_t home) {
    return sources_not_down(hash(1), {home}, {1}, members);
  };
  EXPECT_EQ(sources(4).size(), 4u) << "never oneself";
  EXPECT_EQ(sources(4)[0], base::NodeId{4});
  members[1].up = members[2].up = members[3].up = false;
  members[1].down = true;
  EXPECT_THAT(sources(4), ElementsAre(base::NodeId{5}, base::NodeId{4}, base::NodeId{3}));
  EXPECT_THAT(sources(3), ElementsAre(base::NodeId{5}, base::NodeId{3}, base::NodeId{4}));
  EXPECT_THAT(sources(2),
              testing::UnorderedElementsAre(base::NodeId{5}, base::NodeId{3}, base::NodeId{4}));
}

TEST(Holders, AreAsManyAsAShardMayLoseNodesAndOneMore) {
  EXPECT_EQ(copies_for(1), 1u);
  EXPECT_EQ(copies_for(3), 2u);
  EXPECT_EQ(copies_for(5), 3u);
}

}  // namespace
}  // namespace fastgpu::objects
