#pragma once

/// Which devices the fake host has, and which of them this process sees.

#include <array>
#include <string>
#include <vector>

namespace fastgpu::testing {

struct FakeIdentity {
  std::string name;
  std::array<unsigned char, 16> uuid{};
  bool slice{false};
  std::string text() const;  ///< "GPU-..." or "MIG-..."
};

/// Whole ones by number, then the slices of the last.
std::vector<FakeIdentity> fake_devices();
/// By $CUDA_VISIBLE_DEVICES: those it names; without it all, but of a divided one its first slice.
std::vector<FakeIdentity> visible_devices();

/// "GPU-fa5e0000-0000-0000-0000-000000000001"
std::string fake_uuid(int number);
std::string fake_slice_uuid(int number);

}  // namespace fastgpu::testing
