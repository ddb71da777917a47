/// What every store promises, checked on the one on disk and on its twin in memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/store/store_twins.hpp"

namespace fastgpu::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t roomy = 1u << 20;

template <class Twin>
class StoreContract : public testing::Test {
 protected:
  Store& open(std::size_t pending_bytes_max = roomy) { return twin_.open(pending_bytes_max); }
  Store& open_started(std::size_t pending_bytes_max = roomy) {
    Store& store = open(pending_bytes_max);
    store.start([this](StoreDurable durable) { log_.add(durable); });
    return store;
  }
  void settle(StoreToken token) { twin_.settle(log_, token); }
  std::vector<KeyValue> reopened(std::string_view prefix) {
    auto found = open().scan(prefix);
    EXPECT_TRUE(found.ok());
    return found.value();
  }

  DurableLog log_;
  Twin twin_;
};

using Twins = testing::Types<RocksDbTwin, MemoryTwin>;
TYPED_TEST_SUITE(StoreContract, Twins);

TYPED_TEST(StoreContract, IsEmptyAtFirst) {
  const auto found = this->open().scan("");
  ASSERT_TRUE(found.ok());
  EXPECT_THAT(found.value(), IsEmpty());
}

TYPED_TEST(StoreContract, KeepsWhatItReportedDurableOverARestart) {
  Store& store = this->open_started();
  ASSERT_EQ(store.write({1}, {Write::put("a", bytes("1"))}), base::Admission::accepted);
  ASSERT_EQ(store.write({2}, {Write::put("b", bytes(""))}), base::Admission::accepted);
  this->settle({2});
  EXPECT_THAT(this->reopened(""), ElementsAre(KeyValue{"a", bytes("1")}, KeyValue{"b", bytes("")}));
}

TYPED_TEST(StoreContract, ReportsTokensInOrderThroughTheLast) {
  Store& store = this->open_started();
  for (std::uint64_t token = 1; token <= 200; ++token) {
    ASSERT_EQ(store.write({token}, {Write::put(std::to_string(token), bytes("x"))}),
              base::Admission::accepted);
  }
  this->settle({200});
  const auto told = this->log_.told();
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), StoreToken{200});
}

TYPED_TEST(StoreContract, AppliesTheChangesOfAListInOrder) {
  Store& store = this->open_started();
  ASSERT_EQ(store.write({1}, {Write::put("k1", bytes("old")), Write::put("k2", bytes("old")),
                              Write::put("k3", bytes("old"))}),
            base::Admission::accepted);
  ASSERT_EQ(store.write({2}, {Write::erase_range("k1", "k3"), Write::put("k1", bytes("new")),
                              Write::put("k4", bytes("brief")), Write::erase("k4")}),
            base::Admission::accepted);
  this->settle({2});
  EXPECT_THAT(this->reopened("k"),
              ElementsAre(KeyValue{"k1", bytes("new")}, KeyValue{"k3", bytes("old")}));
}

TYPED_TEST(StoreContract, ScansOnlyThePrefixInTheOrderOfUnsignedBytes) {
  Store& store = this->open_started();
  const std::string low("p\x01", 2);
  const std::string high("p\xff", 2);
  const std::string zero("p\0", 2);
  ASSERT_EQ(store.write({1}, {Write::put(high, bytes("3")), Write::put(zero, bytes("1")),
                              Write::put(low, bytes("2")), Write::put("o", bytes("before")),
                              Write::put("q", bytes("after"))}),
            base::Admission::accepted);
  this->settle({1});
  EXPECT_THAT(this->reopened("p"),
              ElementsAre(KeyValue{zero, bytes("1")}, KeyValue{low, bytes("2")},
                          KeyValue{high, bytes("3")}));
}

TYPED_TEST(StoreContract, ReportsAListWithoutChanges) {
  Store& store = this->open_started();
  ASSERT_EQ(store.write({1}, {}), base::Admission::accepted);
  this->settle({1});
  EXPECT_THAT(this->log_.told(), ElementsAre(StoreToken{1}));
}

TYPED_TEST(StoreContract, TakesOneWriteAboveItsBoundWhenNothingWaits) {
  Store& store = this->open_started(10);
  ASSERT_EQ(store.write({1}, {Write::put("big", bytes(std::string(1000, 'x')))}),
            base::Admission::accepted);
  this->settle({1});
  EXPECT_EQ(this->reopened("big").size(), 1u);
}

TYPED_TEST(StoreContract, CountsWritesAndBytes) {
  Store& store = this->open_started();
  ASSERT_EQ(store.write({1}, {Write::put("key", bytes("value"))}), base::Admission::accepted);
  ASSERT_EQ(store.write({2}, {Write::erase_range("a", "bc")}), base::Admission::accepted);
  this->settle({2});
  EXPECT_EQ(store.counters().writes, 2u);
  EXPECT_EQ(store.counters().bytes, 11u);
  EXPECT_GE(store.counters().syncs, 1u);
  EXPECT_LE(store.counters().syncs, 2u);
}

}  // namespace
}  // namespace fastgpu::store
