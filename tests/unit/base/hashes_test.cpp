#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/base/crc32c.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::base {
namespace {

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

std::string sha256_text(std::string_view text) {
  return to_string(sha256(bytes_of(text)));
}

// The examples of FIPS 180-4 and of NIST's test vectors.
TEST(Sha256, MatchesThePublishedExamples) {
  EXPECT_EQ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", sha256_text(""));
  EXPECT_EQ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sha256_text("abc"));
  EXPECT_EQ("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            sha256_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
  EXPECT_EQ("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            sha256_text(std::string(1'000'000, 'a')));
}

TEST(Sha256, GivesTheSameHashHoweverTheBytesAreCut) {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += static_cast<char>(i * 7);
  }
  const ObjectHash whole = sha256(bytes_of(text));
  for (std::size_t cut : {1u, 55u, 56u, 63u, 64u, 65u, 128u, 299u}) {
    Sha256 parts;
    parts.update(std::string_view(text).substr(0, cut));
    parts.update(std::string_view(text).substr(cut));
    EXPECT_EQ(whole, parts.finish()) << "cut after " << cut << " bytes";
  }
}

// The examples of RFC 3720, B.4.
TEST(Crc32c, MatchesThePublishedExamples) {
  EXPECT_EQ(0x8a9136aau, crc32c(std::vector<std::uint8_t>(32, 0)));
  EXPECT_EQ(0x62a8ab43u, crc32c(std::vector<std::uint8_t>(32, 0xff)));
  EXPECT_EQ(0xe3069283u, crc32c(bytes_of("123456789")));
  EXPECT_EQ(0u, crc32c({}));
}

TEST(Crc32c, IsChainedByTheSeed) {
  const auto text = bytes_of("the quick brown fox jumps over the lazy dog");
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::span<const std::uint8_t> all(text);
    EXPECT_EQ(crc32c(text), crc32c(all.subspan(cut), crc32c(all.first(cut))));
  }
}

TEST(Crc32c, SeesEverySingleFlippedBit) {
  auto text = bytes_of("a frame that travels");
  const std::uint32_t good = crc32c(text);
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    text[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_NE(good, crc32c(text)) << "bit " << bit;
    text[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  }
}

}  // namespace
}  // namespace fastgpu::base
