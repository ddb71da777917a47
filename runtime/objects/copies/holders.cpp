#include "runtime/objects/copies/holders.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/little_endian.hpp"

namespace fastgpu::objects {
namespace {

/// Mixes well enough that nodes share objects evenly; the same in every program, for good.
std::uint64_t rank_of(const base::ObjectHash& hash, base::NodeId node) {
  std::uint64_t mixed = base::get_little_endian<std::uint64_t>(hash.bytes.data()) ^
                        (std::uint64_t{node.value} * 0x9e3779b97f4a7c15u);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

}  // namespace

std::vector<base::NodeId> in_order_for(const base::ObjectHash& hash,
                                       std::vector<base::NodeId> nodes) {
  std::vector<std::pair<std::uint64_t, base::NodeId>> ranked;
  ranked.reserve(nodes.size());
  for (const base::NodeId node : nodes) {
    ranked.emplace_back(rank_of(hash, node), node);
  }
  std::sort(ranked.begin(), ranked.end());
  std::transform(ranked.begin(), ranked.end(), nodes.begin(),
                 [](const auto& one) { return one.second; });
  return nodes;
}

std::vector<base::NodeId> sources_of(const base::ObjectHash& hash, base::NodeId home,
                                     base::NodeId first, base::NodeId self,
                                     const std::vector<CopyMember>& members) {
  std::vector<base::NodeId> up;
  for (const CopyMember& member : members) {
    if (member.up && member.node != self) {
      up.push_back(member.node);
    }
  }
  std::vector<base::NodeId> sources = in_order_for(hash, std::move(up));
  for (const base::NodeId better : {home, first}) {  // the last one comes to stand first
    const auto found = std::find(sources.begin(), sources.end(), better);
    if (found != sources.end()) {
      std::rotate(sources.begin(), found, found + 1);
    } else if (better == first && first && first != self) {
      sources.insert(sources.begin(), first);  // it has just spoken
    }
  }
  const bool known = std::find(sources.begin(), sources.end(), home) != sources.end();
  if (!known && home != self && home) {
    sources.push_back(home);
  }
  return sources;
}

}  // namespace fastgpu::objects
