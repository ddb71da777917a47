#pragma once

/// Fully populated values of everything that the codec carries: one of each alternative, in the
/// order of its variant. Every number differs from every other and from its default, so that a
/// field that is forgotten or swapped is seen.

#include <vector>

#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/protocol/ledger_image.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::codec::samples {

protocol::JobSpec job_spec();
std::vector<protocol::PeerMessage> peer_messages();
std::vector<protocol::ClientRequest> client_requests();
std::vector<protocol::ClientReply> client_replies();
/// Of replicas: one of each body, in their order.
std::vector<protocol::RaftMessage> raft_messages();
/// One entry that holds a record of each kind.
protocol::Entry entry();
/// A ledger with tasks in every phase, two of which share an outcome.
protocol::LedgerImage ledger_image();

}  // namespace fastgpu::codec::samples
