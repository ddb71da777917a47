#include "runtime/base/object_order.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/base/little_endian.hpp"

namespace fastgpu::base {
namespace {

/// Mixes well enough that nodes share objects evenly; the same in every program, for good.
std::uint64_t rank_of(const ObjectHash& hash, NodeId node) {
  std::uint64_t mixed = get_little_endian<std::uint64_t>(hash.bytes.data()) ^
                        (std::uint64_t{node.value} * 0x9e3779b97f4a7c15u);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

}  // namespace

std::vector<NodeId> in_order_for(const ObjectHash& hash, std::vector<NodeId> nodes) {
  std::vector<std::pair<std::uint64_t, NodeId>> ranked;
  ranked.reserve(nodes.size());
  for (const NodeId node : nodes) {
    ranked.emplace_back(rank_of(hash, node), node);
  }
  std::sort(ranked.begin(), ranked.end());
  std::transform(ranked.begin(), ranked.end(), nodes.begin(),
                 [](const auto& one) { return one.second; });
  return nodes;
}

NodeId first_in_order_for(const ObjectHash& hash, const std::vector<NodeId>& nodes) {
  FASTGPU_CHECK(!nodes.empty(), "nobody comes first of none");
  return *std::min_element(nodes.begin(), nodes.end(), [&hash](NodeId left, NodeId right) {
    return std::pair(rank_of(hash, left), left) < std::pair(rank_of(hash, right), right);
  });
}

}  // namespace fastgpu::base
