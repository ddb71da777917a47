#pragma once

/// Who speaks on a connection, known by the key that the connection was opened with and by nothing
/// that is said on it. Told by the link to whoever handles its frames; made by the key ring of
/// runtime/security. A value, shared unchanged.

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/ids.hpp"

namespace fastgpu::base {

enum class CallerKind : std::uint8_t {
  node,    ///< a member of the cluster, `node`
  client,  ///< a person or program, `name`
  joiner,  ///< shows a join token: may ask to become a member and nothing else
};

struct Caller {
  CallerKind kind{CallerKind::client};
  NodeId node;       ///< of a node; else 0
  std::string name;  ///< of a client; else empty
  std::string key;   ///< its public key, Z85
  bool operator==(const Caller&) const = default;
};

/// Null: nobody that we know, or a link without keys.
using CallerPtr = std::shared_ptr<const Caller>;

/// "node 3", "client alice", "a joiner"
inline std::string to_string(const Caller& caller) {
  switch (caller.kind) {
    case CallerKind::node:
      return "node " + std::to_string(caller.node.value);
    case CallerKind::client:
      return "client " + caller.name;
    case CallerKind::joiner:
      break;
  }
  return "a joiner";
}

}  // namespace fastgpu::base
