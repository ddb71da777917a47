#pragma once

/// The list of members as a node keeps it on its disk, beside the logs, so that it finds the others
/// again before it knows a commit of the root's log. One record, replaced whole; the form is that
/// in which nodes tell each other the list. Pure functions of bytes; what is damaged is
/// ErrorCode::corrupt.

#include "runtime/base/result.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::actors {

store::Write put_members(const protocol::Members& members);
/// Version 0 where there is none.
base::Result<protocol::Members> read_members(const store::Store& store);

}  // namespace fastgpu::actors
