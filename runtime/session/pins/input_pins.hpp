#pragma once

/// The objects that a job names as its inputs, by the node that has them: what is to be pinned
/// there before its submit is proposed. Of an object that is named many times, once.
/// Pure; called by the gateway machine. Nothing fails.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::session {

/// Nothing for a request that is no submit.
std::set<base::NodeId> homes_of_inputs(const protocol::ClientRequest& request);
/// Those whose home is this node, in the order of hashes.
std::vector<base::ObjectHash> inputs_at(base::NodeId home, const protocol::JobSpec& spec);

// --- why a submit is refused; surely not done ----------------------------------------------------

base::Error inputs_nowhere(base::NodeId home);
/// `why` is a sentence about the node.
base::Error inputs_away(const std::string& why);
base::Error inputs_unanswered(const std::string& node);

}  // namespace fastgpu::session
