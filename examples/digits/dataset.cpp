#include "examples/digits/dataset.hpp"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

namespace digits {

std::optional<Dataset> load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.empty() || bytes.size() % record_bytes != 0) {
    std::fprintf(stderr, "digits: %s does not hold records of 65 bytes\n", path.c_str());
    return std::nullopt;
  }
  Dataset dataset;
  for (std::size_t image = 0; image < bytes.size() / record_bytes; ++image) {
    auto& part = image % 6 == 5 ? dataset.testing : dataset.training;
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(image * record_bytes);
    part.records.insert(part.records.end(), begin, begin + record_bytes);
  }
  return dataset;
}

Shards cut(const Images& images, std::size_t count) {
  Shards shards;
  for (std::size_t shard = 0; shard < count; ++shard) {
    const std::size_t begin = images.count() * shard / count;
    const std::size_t end = images.count() * (shard + 1) / count;
    const auto size = static_cast<std::int32_t>(end - begin);
    fastgpu::Bytes records((end - begin) * record_bytes);
    std::memcpy(records.data(), images.records.data() + begin * record_bytes, records.size());
    fastgpu::Bytes number(sizeof size);
    std::memcpy(number.data(), &size, sizeof size);
    shards.records.push_back(std::move(records));
    shards.counts.push_back(std::move(number));
  }
  return shards;
}

}  // namespace digits
