// Fuzz target of all decoders, for an engine that calls LLVMFuzzerTestOneInput. The first byte of
// an input chooses the decoder, the rest is the message.

#include <cstddef>

#include "runtime/base/check.hpp"
#include "tests/fuzz/codec_property.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const auto& decoder = fastgpu::codec::decoders[data[0] % fastgpu::codec::decoders.size()];
  const auto verdict = decoder.judge({data + 1, size - 1});
  FASTGPU_CHECK(verdict != fastgpu::codec::Verdict::unstable, decoder.name);
  return 0;
}
