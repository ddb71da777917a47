#include "runtime/objects/blob_errors.hpp"

#include <utility>

#include "runtime/base/limits.hpp"

namespace fastgpu::objects {

namespace limits = base::limits;

base::Error wrong(std::string message) {
  return {base::ErrorKind::invalid, base::ErrorCode::bad_argument, std::move(message), ""};
}

base::Error too_large(const char* what, std::uint64_t bytes, std::uint64_t bytes_max) {
  return {base::ErrorKind::invalid, base::ErrorCode::too_large,
          std::string(what) + " of " + std::to_string(bytes) + " bytes is above the limit of " +
              std::to_string(bytes_max),
          ""};
}

base::Error missing(const base::ObjectHash& hash) {
  return {base::ErrorKind::unavailable, base::ErrorCode::object_missing,
          "object " + base::to_string(hash) + " is not on this node", ""};
}

base::Error no_room(std::uint64_t bytes) {
  return {base::ErrorKind::overloaded, base::ErrorCode::overloaded,
          "no room for an object of " + std::to_string(bytes) + " bytes on this node",
          "wait until finished jobs are dropped, or give the node a larger disk"};
}

base::Error disk_full(std::uint64_t needed_bytes, std::uint64_t free_bytes) {
  return {base::ErrorKind::overloaded, base::ErrorCode::disk_full,
          "the disk of this node is too full: " + std::to_string(needed_bytes) +
              " bytes are needed and " + std::to_string(free_bytes) + " are free",
          "free some room on that disk, or let another node do it"};
}

base::Status check_name_and_size(const base::ObjectHash& hash, std::uint64_t size) {
  if (hash == base::ObjectHash{}) {
    return wrong("an object needs a hash");
  }
  if (size > limits::object_bytes_max) {
    return too_large("an object", size, limits::object_bytes_max);
  }
  return {};
}

}  // namespace fastgpu::objects
