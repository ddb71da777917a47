#pragma once

/// The objects that a job names as its inputs, and which nodes are asked to pin them before its
/// submit is proposed: their home, or where it does not answer a node that stands in for it, the
/// one that most likely has a copy: the first in the object's order. Of an object that is named
/// many times, once. Pure; called by the gateway machine. Nothing fails.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/session/cluster_map.hpp"
#include "runtime/session/gateway_state.hpp"

namespace fastgpu::session {

using Inputs = std::vector<protocol::ObjectRef>;

/// In the order of homes, then of hashes. Nothing for a request that is no submit.
Inputs inputs_of(const protocol::ClientRequest& request);
/// As they are asked for at first: of their homes, of others for those that surely do not answer.
std::vector<InputPart> parts_of(const Inputs& inputs, const ClusterMap& map);
/// The same inputs, asked of others: what this keeper refused, or is silent about. Nothing where
/// enough were asked, or nobody is left, or no copies are kept.
std::vector<InputPart> given_on(const InputPart& part, const ClusterMap& map);

// --- why a submit is refused; surely not done ----------------------------------------------------

/// The home of inputs is down or no member; `said`: the last word of one who was to stand in for
/// it.
base::Error inputs_away(base::NodeId home, const ClusterMap& map, const base::Error* said);
base::Error inputs_unanswered(const std::string& keeper);

}  // namespace fastgpu::session
