#pragma once

/// Bytes as jobs name them: at hand, or by the object that holds them.

#include <cstdint>
#include <variant>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::protocol {

/// An object and the node that surely has it.
struct ObjectRef {
  base::ObjectHash hash;
  std::uint64_t size_bytes{};
  base::NodeId home;
  bool operator==(const ObjectRef&) const = default;
};

/// Bytes themselves (up to limits::inline_data_bytes_max), or where they are kept.
using Data = std::variant<base::Bytes, ObjectRef>;

}  // namespace fastgpu::protocol
