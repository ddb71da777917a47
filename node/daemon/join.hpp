#pragma once

/// A new node asks a member for its place in the cluster. Used by `fastgpu-node join`, before the
/// node itself is started.

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/security/join_token.hpp"

namespace fastgpu::node {

/// Blocks until the cluster has answered for certain, at most `limit`: asks again where the member
/// has just started, or cannot reach the first node. Asking again with the same `join.request`
/// gives the same place.
/// Speaks under the token's key, which lets it do nothing else, with a member that the token names.
base::Result<protocol::Joined> ask_to_join(const std::string& member_address,
                                           const security::JoinToken& token,
                                           const protocol::Join& join, base::Duration limit);

}  // namespace fastgpu::node
