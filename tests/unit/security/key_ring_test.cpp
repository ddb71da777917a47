#include "runtime/security/key_ring.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "runtime/security/keys.hpp"

namespace fastgpu::security {
namespace {

TEST(KeyRing, KnowsNobodyAtFirst) {
  EXPECT_EQ(KeyRing().who(KeyPair::generate().public_key(), 0), nullptr);
}

TEST(KeyRing, TellsNodesClientsAndJoinersApart) {
  const KeyPair node = KeyPair::generate();
  const KeyPair client = KeyPair::generate();
  const KeyPair joiner = KeyPair::generate();
  KeyRing ring;
  ring.add_node({3}, node.public_key());
  ring.add_client("alice", client.public_key());
  ring.add_joiner(hash_of_key(joiner.public_key()), 1000);
  EXPECT_EQ(to_string(*ring.who(node.public_key(), 0)), "node 3");
  EXPECT_EQ(to_string(*ring.who(client.public_key(), 0)), "client alice");
  EXPECT_EQ(ring.who(joiner.public_key(), 0)->kind, base::CallerKind::joiner);
  EXPECT_EQ(ring.key_of({3}), node.public_key());
  EXPECT_EQ(ring.key_of({4}), "");
}

TEST(KeyRing, LetsAJoinerInNoLongerThanItsTokenIsValid) {
  const KeyPair joiner = KeyPair::generate();
  KeyRing ring;
  ring.add_joiner(hash_of_key(joiner.public_key()), 1000);
  EXPECT_NE(ring.who(joiner.public_key(), 999), nullptr);
  EXPECT_EQ(ring.who(joiner.public_key(), 1000), nullptr);
}

TEST(KeyRing, AKeyOfTwoOwnersIsNobodys) {
  const KeyPair pair = KeyPair::generate();
  KeyRing ring;
  ring.add_node({1}, pair.public_key());
  ring.add_client("mallory", pair.public_key());
  EXPECT_EQ(ring.who(pair.public_key(), 0), nullptr);
  ring.add_node({1}, pair.public_key());
  EXPECT_EQ(ring.who(pair.public_key(), 0), nullptr);
}

TEST(KeyRing, TheSameOwnerTwiceIsStillTheOwner) {
  const KeyPair pair = KeyPair::generate();
  KeyRing ring;
  ring.add_node({1}, pair.public_key());
  ring.add_node({1}, pair.public_key());
  EXPECT_NE(ring.who(pair.public_key(), 0), nullptr);
}

TEST(KeyRing, TakesNoKeyThatIsNone) {
  KeyRing ring;
  ring.add_node({1}, "");
  ring.add_node({2}, "not a key");
  ring.add_client("nobody", "");
  EXPECT_EQ(ring.size(), 0u);
  EXPECT_EQ(ring.who("", 0), nullptr);
}

TEST(KeyRing, IsReplacedWholeWhileOthersAsk) {
  const KeyPair one = KeyPair::generate();
  const KeyPair other = KeyPair::generate();
  const auto ring_of = [](const KeyPair& pair) {
    KeyRing ring;
    ring.add_client("c", pair.public_key());
    return ring;
  };
  SharedKeyRing shared([] { return base::WallTimeMs{0}; });
  shared.replace(ring_of(one));
  std::atomic<bool> done{false};
  std::atomic<int> both_or_neither{0};
  std::thread asker([&] {
    while (!done) {
      const auto ring = shared.present();
      const bool knows_one = ring->who(one.public_key(), 0) != nullptr;
      const bool knows_other = ring->who(other.public_key(), 0) != nullptr;
      both_or_neither += knows_one == knows_other ? 1 : 0;
    }
  });
  for (int i = 0; i < 500; ++i) {
    shared.replace(ring_of(i % 2 == 0 ? other : one));
  }
  done = true;
  asker.join();
  EXPECT_EQ(both_or_neither, 0);
}

}  // namespace
}  // namespace fastgpu::security
