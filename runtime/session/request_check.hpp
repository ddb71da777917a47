#pragma once

/// The gateway's checks of a client's request, before anything is asked of anybody. Pure.

#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/session/cluster_map.hpp"

namespace fastgpu::session {

base::Status check_hello(const protocol::Hello& hello);

/// Limits and shape of every request; of a Submit also whether any device of the cluster could ever
/// run it (code infeasible), unless it asks to wait for one.
base::Status check_request(const protocol::ClientRequest& request, const ClusterMap& map);

}  // namespace fastgpu::session
