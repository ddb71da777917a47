#pragma once

/// Which nodes should rather have an object: a pure function of its hash and of who is there, so
/// that no list of places travels or is kept, and any node can tell whom to ask for it.
///
/// The order is rendezvous hashing (Thaler, Ravishankar 1996): each node has a rank for each hash,
/// whoever else is there; when a node comes or goes, only what it has or should have is concerned.

#include <vector>

#include "runtime/base/ids.hpp"

namespace fastgpu::base {

/// The nodes, those that should rather hold the object before the others.
std::vector<NodeId> in_order_for(const ObjectHash& hash, std::vector<NodeId> nodes);
/// The first of them, of at least one, without sorting.
NodeId first_in_order_for(const ObjectHash& hash, const std::vector<NodeId>& nodes);

}  // namespace fastgpu::base
