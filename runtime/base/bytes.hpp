#pragma once

/// Immutable shared bytes: copying one copies a pointer. Safe to share between threads.

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace fastgpu::base {

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::vector<std::uint8_t> data)
      : data_(std::make_shared<const std::vector<std::uint8_t>>(std::move(data))) {}
  static Bytes copy_of(std::span<const std::uint8_t> data) {
    return Bytes(std::vector<std::uint8_t>(data.begin(), data.end()));
  }
  static Bytes copy_of(std::string_view text) {
    return Bytes(std::vector<std::uint8_t>(text.begin(), text.end()));
  }

  std::size_t size() const { return data_ ? data_->size() : 0; }
  bool empty() const { return size() == 0; }
  const std::uint8_t* data() const { return data_ ? data_->data() : nullptr; }
  std::span<const std::uint8_t> span() const { return {data(), size()}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data()), size()}; }

  friend bool operator==(const Bytes& a, const Bytes& b) {
    return a.size() == b.size() &&
           (a.data() == b.data() || std::memcmp(a.data(), b.data(), a.size()) == 0);
  }

 private:
  std::shared_ptr<const std::vector<std::uint8_t>> data_;
};

}  // namespace fastgpu::base
