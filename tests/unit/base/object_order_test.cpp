#include "runtime/base/object_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "runtime/base/bytes.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::base {
namespace {

ObjectHash hash(std::uint32_t number) {
  return sha256(Bytes::copy_of(std::to_string(number)).span());
}

std::vector<NodeId> nodes(std::uint32_t count) {
  std::vector<NodeId> all;
  for (std::uint32_t node = 1; node <= count; ++node) {
    all.push_back({node});
  }
  return all;
}

TEST(ObjectOrder, SharesObjectsAboutEvenly) {
  std::map<NodeId, int> firsts;
  for (std::uint32_t i = 0; i < 8000; ++i) {
    ++firsts[in_order_for(hash(i), nodes(8))[0]];
  }
  for (const auto& [node, count] : firsts) {
    EXPECT_NEAR(count, 1000, 150) << to_string(node);
  }
  EXPECT_EQ(firsts.size(), 8u);
}

TEST(ObjectOrder, StaysWhenANodeComesOrGoesAndHoweverNodesAreNamed) {
  for (std::uint32_t i = 0; i < 100; ++i) {
    auto order = in_order_for(hash(i), nodes(6));
    auto named = nodes(6);
    std::reverse(named.begin(), named.end());
    EXPECT_EQ(in_order_for(hash(i), named), order);
    std::erase(order, NodeId{6});
    EXPECT_EQ(in_order_for(hash(i), nodes(5)), order);
    EXPECT_EQ(first_in_order_for(hash(i), nodes(5)), order[0]);
  }
}

}  // namespace
}  // namespace fastgpu::base
