#pragma once

/// The images of data/digits.bin (data/README.md), divided into what is trained on and what is
/// tested on, and cut into shards: what one task works on. A value without threads or files once
/// loaded; loading fails by an empty answer and a line on standard error.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fastgpu/client.hpp>

namespace digits {

constexpr std::size_t pixels = 64;
constexpr std::size_t record_bytes = pixels + 1;

/// Records of 65 bytes, one after the other.
struct Images {
  std::vector<std::uint8_t> records;

  std::size_t count() const { return records.size() / record_bytes; }
  std::uint8_t digit(std::size_t image) const { return records[image * record_bytes + pixels]; }
};

struct Dataset {
  Images training;
  Images testing;
};

/// The kernel's first two arguments for each task: the shard's records, and how many they are.
struct Shards {
  std::vector<fastgpu::Bytes> records;
  std::vector<fastgpu::Bytes> counts;
};

/// Every sixth image is for testing.
std::optional<Dataset> load(const std::string& path);

/// Cuts the images into `count` shards of equal size, give or take one image.
Shards cut(const Images& images, std::size_t count);

}  // namespace digits
