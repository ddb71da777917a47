#pragma once

/// The refusals of a BlobStore, worded once.

#include <cstdint>
#include <string>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::objects {

base::Error wrong(std::string message);
base::Error too_large(const char* what, std::uint64_t bytes, std::uint64_t bytes_max);
base::Error missing(const base::ObjectHash& hash);
base::Error no_room(std::uint64_t bytes);
/// `free_bytes`: what may still be written, reserves taken off.
base::Error disk_full(std::uint64_t needed_bytes, std::uint64_t free_bytes);
/// The hash is set, the size within limits::object_bytes_max.
base::Status check_name_and_size(const base::ObjectHash& hash, std::uint64_t size);

}  // namespace fastgpu::objects
