#include "runtime/worker/self_test.hpp"

#include <cstring>
#include <string_view>

namespace fastgpu::worker {

namespace {

constexpr std::uint32_t blocks = 4;
constexpr std::uint32_t threads = 64;
constexpr std::size_t words = std::size_t{blocks} * threads;

// Each thread hands its neighbour's mirror image what it mixed, so that only a device whose threads
// all ran, met and shared their memory writes the same word everywhere.
constexpr std::string_view source = R"(
__global__ void fastgpu_self_test(unsigned long long word, unsigned long long* out) {
  __shared__ unsigned long long mixed[64];
  const unsigned at = threadIdx.x, other = blockDim.x - 1 - at;
  mixed[at] = word ^ (at * 0x9e3779b97f4a7c15ull);
  __syncthreads();
  out[blockIdx.x * blockDim.x + at] = mixed[other] ^ (other * 0x9e3779b97f4a7c15ull);
}
)";

std::uint64_t word_of(LaunchToken token) {
  return (token.value + 1) * 0xd1342543de82ef95u;
}

const protocol::SharedSpec& shared_spec() {
  static const protocol::SharedSpec spec = [] {
    protocol::JobSpec job;
    job.name = "self-test";
    job.kernel.source = base::Bytes::copy_of(source);
    job.kernel.name = "fastgpu_self_test";
    job.kernel.grid = {blocks, 1, 1};
    job.kernel.block = {threads, 1, 1};
    return protocol::SharedSpec{std::make_shared<const protocol::JobSpec>(std::move(job))};
  }();
  return spec;
}

}  // namespace

bool is_self_test(const Launch& launch) {
  return launch.spec.value == shared_spec().value;
}

Launch self_test(LaunchToken token) {
  LaunchScalar scalar{protocol::ScalarType::u64, {}};
  const std::uint64_t word = word_of(token);
  std::memcpy(scalar.bytes.data(), &word, sizeof word);
  Launch launch{token, {}, 0, shared_spec(), {}};
  launch.arguments.emplace_back(scalar);
  launch.arguments.emplace_back(
      LaunchBuffer{protocol::BufferUse::out, {}, words * sizeof(std::uint64_t)});
  return launch;
}

std::optional<std::string> why_failed(const ExecutorDone& done, protocol::DeviceKind kind) {
  using base::FailureReason;
  if (done.reason == FailureReason::not_supported_on_device ||
      done.reason == FailureReason::staging_failed)
    return std::nullopt;
  if (done.reason != FailureReason::none)
    return std::string(base::to_word(done.reason)) + ": " + done.message;
  if (done.outputs.size() != 1 || done.outputs[0].size() != words * sizeof(std::uint64_t))
    return "it gave no answer";
  // A null device computes nothing: all is zero.
  const std::uint64_t expected = kind == protocol::DeviceKind::null ? 0 : word_of(done.token);
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, done.outputs[0].data() + i * sizeof word, sizeof word);
    if (word != expected)
      return "it gave a wrong answer in word " + std::to_string(i) + " of " + std::to_string(words);
  }
  return std::nullopt;
}

}  // namespace fastgpu::worker
