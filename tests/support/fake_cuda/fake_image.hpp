#pragma once

/// The machine code of the fake device: a file that looks like a cubin from outside and holds a
/// shared object for the host, with the one kernel that is in it.

#include <optional>
#include <string>
#include <string_view>

namespace fastgpu::testing {

struct FakeImage {
  unsigned arch{90};
  std::string kernel;  ///< its name as a compiler would write it
  std::string object;  ///< an ELF file that dlopen takes
  bool has_globals{false};
};

std::string write_fake_image(const FakeImage& image);
std::optional<FakeImage> read_fake_image(const void* begin);

}  // namespace fastgpu::testing
