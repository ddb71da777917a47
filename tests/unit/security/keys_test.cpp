#include "runtime/security/keys.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace fastgpu::security {
namespace {

TEST(Keys, AreOfFortyCharactersAndAllDifferent) {
  const KeyPair one = KeyPair::generate();
  const KeyPair other = KeyPair::generate();
  EXPECT_TRUE(is_key(one.public_key()));
  EXPECT_TRUE(is_key(one.secret_key()));
  EXPECT_NE(one.public_key(), other.public_key());
  EXPECT_NE(one.public_key(), one.secret_key());
}

TEST(Keys, KnowWhatIsNone) {
  const std::string good = KeyPair::generate().public_key();
  EXPECT_FALSE(is_key(""));
  EXPECT_FALSE(is_key(good.substr(1)));
  EXPECT_FALSE(is_key(good + "0"));
  EXPECT_FALSE(is_key(std::string(40, ' ')));
  EXPECT_FALSE(is_key(std::string(40, '\0')));
  EXPECT_FALSE(is_key(std::string(40, '\xff')));
  EXPECT_FALSE(is_key(std::string(40, '~')));
}

TEST(Keys, FollowFromTheirSecret) {
  const KeyPair made = KeyPair::generate();
  const auto again = KeyPair::of_secret(made.secret_key());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again.value().public_key(), made.public_key());
  EXPECT_FALSE(KeyPair::of_secret("short").ok());
}

TEST(Keys, AnErrorNeverTellsTheSecret) {
  const std::string damaged = std::string(39, 'x') + "~";
  const auto refused = KeyPair::of_secret(damaged);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message.find("xxx"), std::string::npos);
}

TEST(Keys, LeaveNothingBehindWhenMoved) {
  KeyPair from = KeyPair::generate();
  const std::string secret = from.secret_key();
  const KeyPair to = std::move(from);
  EXPECT_EQ(to.secret_key(), secret);
  EXPECT_FALSE(bool(from));  // NOLINT: what a moved-from pair holds is the promise
  EXPECT_TRUE(from.secret_key().empty());
}

TEST(Keys, CompareWholeTexts) {
  EXPECT_TRUE(equal_in_constant_time("same", "same"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("same", "samf"));
  EXPECT_FALSE(equal_in_constant_time("same", "same "));
}

}  // namespace
}  // namespace fastgpu::security
