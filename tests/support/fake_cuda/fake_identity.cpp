#include "tests/support/fake_cuda/fake_identity.hpp"

#include <cstdlib>

#include "runtime/exec/cuda/session.hpp"
#include "tests/support/fake_cuda/knobs.hpp"

namespace fastgpu::testing {
namespace {

FakeIdentity identity(int number, bool slice) {
  FakeIdentity result;
  result.name = slice ? "Fake GPU MIG 1g.5gb" : "Fake GPU";
  result.uuid = {0xfa, 0x5e, static_cast<unsigned char>(slice ? 1 : 0)};
  result.uuid[15] = static_cast<unsigned char>(number);
  result.slice = slice;
  return result;
}

}  // namespace

std::string FakeIdentity::text() const {
  exec::cuda::Uuid bytes{};
  for (int i = 0; i < 16; ++i) {
    bytes.bytes[i] = static_cast<char>(uuid[static_cast<std::size_t>(i)]);
  }
  return exec::uuid_text(bytes, slice ? "MIG-" : "GPU-");
}

std::vector<FakeIdentity> fake_devices() {
  std::vector<FakeIdentity> result;
  for (int i = 0; i < static_cast<int>(knob("devices", 1)); ++i) {
    result.push_back(identity(i, false));
  }
  for (int i = 0; i < static_cast<int>(knob("slices", 0)); ++i) {
    result.push_back(identity(i, true));
  }
  return result;
}

std::vector<FakeIdentity> visible_devices() {
  const auto all = fake_devices();
  const char* named = std::getenv("CUDA_VISIBLE_DEVICES");
  const auto whole = knob("devices", 1);
  std::vector<FakeIdentity> result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool divided = i + 1 == whole && knob("slices", 0) > 0;
    const bool seen = named != nullptr ? std::string(named).find(all[i].text()) != std::string::npos
                                       : !divided && i <= whole;
    if (seen) {
      result.push_back(all[i]);
    }
  }
  return result;
}

std::string fake_uuid(int number) {
  return identity(number, false).text();
}

std::string fake_slice_uuid(int number) {
  return identity(number, true).text();
}

}  // namespace fastgpu::testing
