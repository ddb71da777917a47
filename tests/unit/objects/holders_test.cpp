#include "runtime/objects/copies/holders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "runtime/base/bytes.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::objects {
namespace {

using testing::ElementsAre;

base::ObjectHash hash(std::uint32_t number) {
  return base::sha256(base::Bytes::copy_of(std::to_string(number)).span());
}

std::vector<base::NodeId> nodes(std::uint32_t count) {
  std::vector<base::NodeId> all;
  for (std::uint32_t node = 1; node <= count; ++node) {
    all.push_back({node});
  }
  return all;
}

TEST(Holders, ShareObjectsAboutEvenly) {
  std::map<base::NodeId, int> firsts;
  for (std::uint32_t i = 0; i < 8000; ++i) {
    ++firsts[in_order_for(hash(i), nodes(8))[0]];
  }
  for (const auto& [node, count] : firsts) {
    EXPECT_NEAR(count, 1000, 150) << to_string(node);
  }
  EXPECT_EQ(firsts.size(), 8u);
}

TEST(Holders, KeepTheirOrderWhenANodeComesOrGoesAndHoweverTheyAreNamed) {
  for (std::uint32_t i = 0; i < 100; ++i) {
    auto order = in_order_for(hash(i), nodes(6));
    auto named = nodes(6);
    std::reverse(named.begin(), named.end());
    EXPECT_EQ(in_order_for(hash(i), named), order);
    std::erase(order, base::NodeId{6});
    EXPECT_EQ(in_order_for(hash(i), nodes(5)), order);
  }
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

TEST(Holders, AreAsManyAsAShardMayLoseNodesAndOneMore) {
  EXPECT_EQ(copies_for(1), 1u);
  EXPECT_EQ(copies_for(3), 2u);
  EXPECT_EQ(copies_for(5), 3u);
}

}  // namespace
}  // namespace fastgpu::objects
