// Damaged bytes, by the hundred thousand: see tests/fuzz/codec_property.hpp for what must hold.
// Under the sanitizers this also shows that no damaged byte makes a decoder read or write astray.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "runtime/base/random.hpp"
#include "runtime/codec/client_codec.hpp"
#include "runtime/codec/image_codec.hpp"
#include "runtime/codec/peer_codec.hpp"
#include "runtime/codec/record_codec.hpp"
#include "tests/fuzz/codec_property.hpp"
#include "tests/unit/codec/samples.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fastgpu::codec {
namespace {

constexpr int mutations_per_decoder = 35'000;

using Input = std::vector<std::uint8_t>;

Input input_of(const base::Bytes& bytes) {
  return {bytes.span().begin(), bytes.span().end()};
}

/// Whole messages that the decoder accepts, to start from.
std::vector<Input> seeds_of(std::string_view decoder) {
  std::vector<Input> seeds;
  if (decoder == "peer") {
    for (const auto& message : samples::peer_messages()) {
      seeds.push_back(input_of(encode(message)));
    }
    for (const auto& message : samples::raft_messages()) {
      seeds.push_back(input_of(encode(protocol::PeerMessage{message})));
    }
  } else if (decoder == "client_call") {
    for (const auto& request : samples::client_requests()) {
      seeds.push_back(input_of(encode(base::CallId{7}, request)));
    }
  } else if (decoder == "client_answer") {
    for (const auto& reply : samples::client_replies()) {
      seeds.push_back(input_of(encode(base::CallId{7}, reply)));
    }
  } else if (decoder == "entry") {
    seeds.push_back(input_of(encode(samples::entry())));
  } else if (decoder == "job_spec") {
    seeds.push_back(input_of(encode(samples::job_spec())));
  } else {
    seeds.push_back(input_of(encode(samples::ledger_image())));
  }
  return seeds;
}

/// One small damage: a bit, a byte, a pointer's or a number's word, a cut, or a piece moved.
void damage(Input& input, base::Random& random) {
  const auto place = [&] { return random.below(input.size()); };
  switch (random.below(6)) {
    case 0:
      input[place()] ^= static_cast<std::uint8_t>(1u << random.below(8));
      break;
    case 1:
      input[place()] = static_cast<std::uint8_t>(random.next());
      break;
    case 2: {
      static constexpr std::uint64_t words[] = {0, 1, ~0ull, 1ull << 63, 0xffff'ffffull << 32};
      const std::uint64_t word = words[random.below(std::size(words))];
      std::memcpy(&input[place() / 8 * 8], &word, sizeof word);
      break;
    }
    case 3: {
      const std::size_t from = place() / 8 * 8;
      const std::size_t to = place() / 8 * 8;
      std::memmove(&input[to], &input[from], std::min<std::size_t>(8, input.size() - from));
      break;
    }
    case 4: {
      const std::uint32_t number = static_cast<std::uint32_t>(random.next() >> random.below(32));
      std::memcpy(&input[place() / 4 * 4], &number, sizeof number);
      break;
    }
    default:
      if (random.chance(100'000))
        input.resize(place() / 8 * 8 + 8);
      input[place()] += static_cast<std::uint8_t>(random.below(8));
  }
}

class DamagedBytes : public testing::TestWithParam<Decoder> {};

TEST_P(DamagedBytes, AreRefusedOrReadAsAValueThatIsStable) {
  const auto seeds = seeds_of(GetParam().name);
  for (const auto& seed : seeds)
    ASSERT_EQ(GetParam().judge(seed), Verdict::stable);
  base::Random random(20'260'101);
  int refused = 0;
  int read = 0;
  for (int i = 0; i < mutations_per_decoder; ++i) {
    Input input = seeds[static_cast<std::size_t>(i) % seeds.size()];
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
      damage(input, random);
    const Verdict verdict = GetParam().judge(input);
    ASSERT_NE(verdict, Verdict::unstable) << "mutation " << i;
    ++(verdict == Verdict::refused ? refused : read);
  }
  // Both happen often, so both were tried.
  EXPECT_GT(refused, mutations_per_decoder / 20);
  EXPECT_GT(read, mutations_per_decoder / 20);
}

INSTANTIATE_TEST_SUITE_P(, DamagedBytes, testing::ValuesIn(decoders),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(CodecFuzzTarget, TakesAnyInputForEachDecoder) {
  EXPECT_EQ(LLVMFuzzerTestOneInput(nullptr, 0), 0);
  base::Random random(7);
  for (int i = 0; i < 2000; ++i) {
    Input input(1 + random.below(200));
    for (auto& byte : input)
      byte = static_cast<std::uint8_t>(random.next() & random.next());
    input[0] = static_cast<std::uint8_t>(i);
    EXPECT_EQ(LLVMFuzzerTestOneInput(input.data(), input.size()), 0);
  }
}

}  // namespace
}  // namespace fastgpu::codec
