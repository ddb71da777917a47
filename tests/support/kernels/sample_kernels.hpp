#pragma once

/// The kernels of tests/data/kernels with a launch, inputs, and the answer as the host computes it:
/// one list for every way in which a kernel is run. A test makes its own kind of task of a
/// SampleKernel and gives the outputs to `expect_right`.
///
/// Values, the same at every call. The inputs of some are larger than what travels inside a job, of
/// others smaller. Depends on nothing of the project, so that it builds where a device alone does.

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <ostream>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace fastgpu::testing {

using SampleBytes = std::vector<std::uint8_t>;

struct SampleIn {
  SampleBytes data;
};
struct SampleInOut {
  SampleBytes data;
};
struct SampleOut {
  std::uint64_t size_bytes{};
};
struct SampleScratch {
  std::uint64_t size_bytes{};
};
using SampleArgument = std::variant<std::int32_t, std::uint64_t, float, SampleIn, SampleInOut,
                                    SampleOut, SampleScratch>;

struct SampleKernel {
  std::string file;    ///< in tests/data/kernels
  std::string kernel;  ///< name expression
  std::array<std::uint32_t, 3> grid{1, 1, 1};
  std::array<std::uint32_t, 3> block{1, 1, 1};
  std::uint32_t shared_bytes{};
  std::vector<SampleArgument> arguments;
  /// Fails the test where the bytes of the `out` and `inout` arguments, in their order, are not
  /// what the host computes.
  std::function<void(const std::vector<SampleBytes>& outputs)> expect_right;

  std::string source() const;
  /// The kernel's name as a part of a test's name: "reverse_fn_int".
  std::string test_name() const;
};
std::ostream& operator<<(std::ostream& out, const SampleKernel& sample);

/// All of them: each kernel of each file once.
std::vector<SampleKernel> sample_kernels();
/// The one of that name expression; another name fails the test and gives an empty one. `saxpy` is
/// the plain function, not the template.
SampleKernel sample_kernel(const std::string& kernel);

}  // namespace fastgpu::testing
