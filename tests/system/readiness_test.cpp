// A node says that it is ready once it knows its devices: what it answers then holds.

#include "node/daemon/readiness.hpp"

#include <gtest/gtest.h>

namespace fastgpu::testing {
namespace {

protocol::ClusterView view_of(const std::string& name, std::size_t devices) {
  protocol::ClusterView view;
  view.nodes.resize(1);
  view.nodes[0].info.name = name;
  view.nodes[0].devices.resize(devices);
  return view;
}

TEST(Readiness, ComesWithTheLastDeviceOfTheNodeItself) {
  node::Readiness readiness("n1", 2);
  readiness.see(view_of("n2", 2));
  readiness.see(view_of("n1", 1));
  EXPECT_FALSE(readiness.await(std::chrono::seconds{0}));
  readiness.see(view_of("n1", 2));
  EXPECT_TRUE(readiness.await(std::chrono::seconds{0}));
  readiness.see(view_of("n1", 0));
  EXPECT_TRUE(readiness.await(std::chrono::seconds{0})) << "a device that left does not undo it";
}

TEST(Readiness, OfANodeWithoutDevicesNeedsItsFirstView) {
  node::Readiness readiness("n1", 0);
  EXPECT_FALSE(readiness.await(std::chrono::seconds{0}));
  readiness.see(view_of("n1", 0));
  EXPECT_TRUE(readiness.await(std::chrono::seconds{0}));
}

TEST(Readiness, ComesWithALeaderOfEachShard) {
  node::Readiness readiness("n1", 0, 2);
  protocol::ClusterView view = view_of("n1", 0);
  view.nodes[0].leads = {{{0}, {1}, {1}}};
  readiness.see(view);
  EXPECT_FALSE(readiness.await_leaders(std::chrono::seconds{0}));
  view.nodes[0].leads.push_back({{1}, {1}, {1}});
  readiness.see(view);
  EXPECT_TRUE(readiness.await_leaders(std::chrono::seconds{0}));
}

}  // namespace
}  // namespace fastgpu::testing
