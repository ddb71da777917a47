#include "runtime/link/sim_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/link/sim_link.hpp"
#include "tests/unit/link/link_worlds.hpp"

namespace fastgpu::link::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A node or client of a simulation that writes down what it is told, and when.
struct SimNode {
  SimNode(SimNetwork& network_used, SimHost host, const LinkOptions& options_used)
      : network(network_used), options(options_used), link(network_used, host, options_used) {
    link.start([this](LinkEvent event) { told(event); });
  }
  void told(const LinkEvent& event) {
    const auto at = std::to_string(network.now().time_since_epoch().count());
    if (const auto* frame = std::get_if<FrameReceived>(&event)) {
      texts.emplace_back(frame->body.text());
      trace += at + " frame " + texts.back() + "\n";
      if (consumes) {
        link.consumed(frame->from, frame->bytes());
      }
    } else if (const auto* up = std::get_if<PeerUp>(&event)) {
      ups.push_back(up->incarnation.value);
      trace += at + " up\n";
    } else if (const auto* down = std::get_if<PeerDown>(&event)) {
      downs.push_back(down->reason);
      trace += at + " down " + std::string(to_string(down->reason)) + "\n";
    }
  }
  SendResult say(std::uint32_t node, const std::string& text) {
    return link.send(peer_endpoint({node}), encode(header_from(options.identity, FrameKind::peer),
                                                   base::Bytes::copy_of(text).span()));
  }

  SimNetwork& network;
  LinkOptions options;
  std::vector<std::string> texts;
  std::vector<std::uint64_t> ups;
  std::vector<DownReason> downs;
  std::string trace;
  bool consumes{true};
  SimLink link;
};

class SimNetworkTest : public ::testing::Test {
 protected:
  SimNode& node(std::uint32_t number, std::uint64_t incarnation = 1) {
    nodes.push_back(
        std::make_unique<SimNode>(network, SimHost{number}, node_options(number, incarnation)));
    EXPECT_TRUE(nodes.back()->link.listen(address(number)).ok());
    return *nodes.back();
  }
  static std::string address(std::uint32_t number) {
    return "127.0.0.1:" + std::to_string(7600 + number);
  }
  void dial(SimNode& from, std::uint32_t to) {
    from.link.connect(peer_endpoint({to}), address(to));
  }
  void run_for(base::Duration time) { network.run_until(network.now() + time); }

  SimNetwork network{base::Random(42)};
  std::vector<std::unique_ptr<SimNode>> nodes;
};

TEST_F(SimNetworkTest, TakesTimeWithinItsBounds) {
  SimNode& a = node(1);
  SimNode& b = node(2);
  dial(a, 2);
  run_for(milliseconds(10));
  const base::Time sent = network.now();
  a.say(2, "x");
  EXPECT_TRUE(b.texts.empty());
  const SimNetworkOptions options;
  network.run_until(sent + options.delay_min - base::Duration(1));
  EXPECT_TRUE(b.texts.empty());
  network.run_until(sent + options.delay_max);
  EXPECT_EQ(b.texts, std::vector<std::string>{"x"});
}

TEST_F(SimNetworkTest, CallsNoSinkOutsideARun) {
  SimNode& a = node(1);
  node(2);
  dial(a, 2);
  network.set_now(network.now() + seconds(1));
  a.link.connect(peer_endpoint({2}), address(3));
  EXPECT_TRUE(a.trace.empty());
  run_for(milliseconds(10));
  EXPECT_FALSE(a.trace.empty());
}

TEST_F(SimNetworkTest, LosesDoublesReordersAndDamagesWhenTold) {
  SimNode& a = node(1);
  SimNode& b = node(2);
  dial(a, 2);
  run_for(milliseconds(10));
  SimNetworkOptions faulty;
  faulty.loss_ppm = 100'000;
  faulty.duplicate_ppm = 100'000;
  faulty.reorder_ppm = 100'000;
  faulty.corrupt_ppm = 2'000;
  network.set_options(faulty);
  std::set<std::string> said;
  for (int i = 0; i < 1000; ++i) {
    said.insert(std::to_string(i));
    ASSERT_EQ(a.say(2, std::to_string(i)), SendResult::queued);
  }
  run_for(milliseconds(100));
  EXPECT_GT(network.counters().lost, 0u);
  EXPECT_GT(network.counters().duplicated, 0u);
  EXPECT_GT(network.counters().reordered, 0u);
  EXPECT_GT(network.counters().corrupted, 0u);
  const std::set<std::string> heard(b.texts.begin(), b.texts.end());
  EXPECT_TRUE(std::includes(said.begin(), said.end(), heard.begin(), heard.end()));
  EXPECT_LT(heard.size(), said.size()) << "some were lost";
  EXPECT_GT(b.texts.size(), heard.size()) << "some came twice";
  EXPECT_FALSE(std::is_sorted(b.texts.begin(), b.texts.end(),
                              [](const auto& x, const auto& y) { return stoi(x) < stoi(y); }));
  const LinkCounters counters = b.link.counters();
  EXPECT_GT(counters.dropped_crc + counters.dropped_magic + counters.dropped_version +
                counters.dropped_truncated + counters.dropped_length,
            0u);
}

TEST_F(SimNetworkTest, KeepsTheOrderOfAConnectionWhenHealthy) {
  SimNode& a = node(1);
  SimNode& b = node(2);
  dial(a, 2);
  run_for(milliseconds(10));
  std::vector<std::string> said;
  for (int i = 0; i < 500; ++i) {
    said.push_back(std::to_string(i));
    a.say(2, said.back());
    run_for(std::chrono::microseconds(7));
  }
  run_for(milliseconds(10));
  EXPECT_EQ(b.texts, said);
}

TEST_F(SimNetworkTest, GoesOnWithinTheWindowUnderFaults) {
  LinkOptions small = node_options(1);
  small.frame_bytes_max = 2000;
  small.credit_bytes = 8000;
  SimNode a(network, {1}, small);
  ASSERT_TRUE(a.link.listen(address(1)).ok());
  small.identity.node = {2};
  SimNode b(network, {2}, small);
  b.link.connect(peer_endpoint({1}), address(1));
  SimNetworkOptions faulty;
  faulty.loss_ppm = 50'000;
  faulty.duplicate_ppm = 50'000;
  faulty.reorder_ppm = 50'000;
  network.set_options(faulty);
  std::uint64_t taken = 0;
  for (int round = 0; round < 5000; ++round) {
    run_for(milliseconds(1));
    taken += b.say(1, std::string(500, 'x')) == SendResult::queued ? 1 : 0;
    ASSERT_LE(a.link.machine().held_bytes(peer_endpoint({2})), small.credit_bytes);
  }
  // 5 s at one frame of 556 bytes a millisecond, 5 % lost: far more than a window went through.
  EXPECT_GT(a.texts.size(), 2500u);
  network.set_options({});
  run_for(seconds(5));
  EXPECT_EQ(b.say(1, "after"), SendResult::queued);
  run_for(seconds(1));
  EXPECT_EQ(a.texts.back(), "after");
  EXPECT_EQ(b.link.machine().queued_bytes(peer_endpoint({1})), 0u);
  EXPECT_GT(taken, 2500u);
}

TEST_F(SimNetworkTest, IsSilentAcrossACutAndComesBack) {
  SimNode& a = node(1);
  SimNode& b = node(2);
  dial(a, 2);
  dial(b, 1);
  run_for(seconds(1));
  network.cut({1}, {2});
  run_for(seconds(5));
  EXPECT_EQ(a.downs, std::vector<DownReason>{DownReason::silent});
  EXPECT_EQ(b.downs, std::vector<DownReason>{DownReason::silent});
  EXPECT_GT(network.counters().cut, 0u);
  network.heal({1}, {2});
  run_for(seconds(5));
  EXPECT_EQ(a.ups.size(), 2u);
  EXPECT_EQ(b.ups.size(), 2u);
  a.say(2, "again");
  run_for(seconds(1));
  EXPECT_EQ(b.texts, std::vector<std::string>{"again"});
}

TEST_F(SimNetworkTest, CutsOneWay) {
  SimNode& a = node(1);
  SimNode& b = node(2);
  dial(a, 2);
  run_for(seconds(1));
  network.cut_one_way({1}, {2});
  a.say(2, "lost");
  run_for(milliseconds(100));
  EXPECT_TRUE(b.texts.empty());
  network.heal_all();
  a.say(2, "heard");
  run_for(milliseconds(100));
  EXPECT_EQ(b.texts, std::vector<std::string>{"heard"});
}

TEST_F(SimNetworkTest, ACrashResetsAndLosesWhatWasOnItsWay) {
  SimNode& a = node(1);
  SimNode& b = node(2);
  dial(a, 2);
  run_for(seconds(1));
  a.say(2, "too late");
  b.link.crash();
  run_for(milliseconds(100));
  EXPECT_TRUE(b.texts.empty());
  EXPECT_EQ(a.downs, std::vector<DownReason>{DownReason::reset});
  SimNode& again = node(2, 2);
  run_for(seconds(1));
  EXPECT_EQ(a.ups, (std::vector<std::uint64_t>{1, 2}));
  a.say(2, "in time");
  run_for(milliseconds(100));
  EXPECT_EQ(again.texts, std::vector<std::string>{"in time"});
}

TEST_F(SimNetworkTest, NobodyHearsThatAHostWentDown) {
  SimNode& a = node(1);
  SimNode& b = node(2);
  dial(a, 2);
  run_for(seconds(1));
  network.set_down({2}, true);
  b.link.crash();
  run_for(seconds(1));
  EXPECT_TRUE(a.downs.empty());
  run_for(seconds(2));
  EXPECT_EQ(a.downs, std::vector<DownReason>{DownReason::silent});
}

TEST_F(SimNetworkTest, APausedHostHearsLaterAndBlamesNobody) {
  SimNode& a = node(1);
  SimNode& b = node(2);
  dial(a, 2);
  dial(b, 1);
  run_for(seconds(1));
  network.set_paused({2}, true);
  a.say(2, "while asleep");
  run_for(milliseconds(1500));
  EXPECT_TRUE(b.texts.empty());
  network.set_paused({2}, false);
  run_for(milliseconds(10));
  EXPECT_EQ(b.texts, std::vector<std::string>{"while asleep"});
  EXPECT_TRUE(b.downs.empty());
  EXPECT_TRUE(a.downs.empty());
}

/// Three nodes that chatter, crash, come back and are cut off, all drawn from one seed.
std::string history(std::uint64_t seed) {
  SimNetworkOptions faulty;
  faulty.loss_ppm = 10'000;
  faulty.duplicate_ppm = 10'000;
  faulty.reorder_ppm = 10'000;
  faulty.corrupt_ppm = 1'000;
  base::Random random(seed);
  SimNetwork network(base::Random(random.next()), faulty);
  std::vector<std::unique_ptr<SimNode>> nodes(3);
  std::string trace;
  for (int step = 0; step < 3000; ++step) {
    const auto index = static_cast<std::uint32_t>(random.below(3));
    auto& node = nodes[index];
    if (node == nullptr) {
      const std::uint64_t incarnation = static_cast<std::uint64_t>(step) + 1;
      node = std::make_unique<SimNode>(network, SimHost{index + 1},
                                       node_options(index + 1, incarnation));
      EXPECT_TRUE(node->link.listen("127.0.0.1:" + std::to_string(index + 1)).ok());
      for (std::uint32_t to = 1; to <= 3; ++to) {
        node->link.connect(peer_endpoint({to}), "127.0.0.1:" + std::to_string(to));
      }
    } else if (random.chance(5'000)) {
      trace += node->trace;
      node->link.crash();
      node = nullptr;
    } else if (random.chance(5'000)) {
      network.cut({index + 1}, {(index + 1) % 3 + 1});
    } else if (random.chance(10'000)) {
      network.heal_all();
    } else {
      node->say(static_cast<std::uint32_t>(1 + random.below(3)), std::to_string(step));
    }
    network.run_until(network.now() + milliseconds(random.below(10)));
  }
  network.heal_all();
  network.set_options({});
  network.run_until(network.now() + seconds(10));
  for (const auto& node : nodes) {
    if (node != nullptr) {
      trace += node->trace;
      for (const auto& other : nodes) {
        if (other != nullptr) {
          EXPECT_EQ(node->say(other->options.identity.node.value, "done"), SendResult::queued)
              << "seed " << seed;
        }
      }
    }
  }
  return trace;
}

TEST(SimNetwork, OneSeedGivesOneHistoryAndAllAreUpWhenHealed) {
  std::set<std::string> histories;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const std::string once = history(seed);
    EXPECT_EQ(once, history(seed)) << "seed " << seed;
    EXPECT_GT(once.size(), 10'000u);
    histories.insert(once);
  }
  EXPECT_EQ(histories.size(), 5u);
}

}  // namespace
}  // namespace fastgpu::link::testing
