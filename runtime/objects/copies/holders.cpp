#include "runtime/objects/copies/holders.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/object_order.hpp"

namespace fastgpu::objects {

namespace {

using Nodes = std::vector<base::NodeId>;

/// In the object's order, without `self`.
template <class Wanted>
Nodes members_in_order(const base::ObjectHash& hash, base::NodeId self,
                       const std::vector<CopyMember>& members, Wanted wanted) {
  Nodes nodes;
  for (const CopyMember& member : members) {
    if (member.node != self && wanted(member)) {
      nodes.push_back(member.node);
    }
  }
  return base::in_order_for(hash, std::move(nodes));
}

bool put_first(Nodes& nodes, base::NodeId node) {
  const auto found = std::find(nodes.begin(), nodes.end(), node);
  if (found == nodes.end()) {
    return false;
  }
  std::rotate(nodes.begin(), found, found + 1);
  return true;
}

}  // namespace

Nodes sources_of(const base::ObjectHash& hash, base::NodeId home, base::NodeId first,
                 base::NodeId self, const std::vector<CopyMember>& members) {
  Nodes sources =
      members_in_order(hash, self, members, [](const CopyMember& member) { return member.up; });
  const bool home_is_up = put_first(sources, home);
  if (!put_first(sources, first) && first && first != self) {
    sources.insert(sources.begin(), first);  // it has just spoken
  }
  if (!home_is_up && home != first && home != self && home) {
    sources.push_back(home);
  }
  return sources;
}

Nodes sources_not_down(const base::ObjectHash& hash, base::NodeId home, base::NodeId self,
                       const std::vector<CopyMember>& members) {
  Nodes sources =
      members_in_order(hash, self, members, [](const CopyMember& member) { return member.up; });
  Nodes silent = members_in_order(
      hash, self, members, [](const CopyMember& member) { return !member.up && !member.down; });
  put_first(sources, home);
  put_first(silent, home);
  sources.insert(sources.end(), silent.begin(), silent.end());
  return sources;
}

}  // namespace fastgpu::objects
