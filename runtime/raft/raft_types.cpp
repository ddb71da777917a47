#include "runtime/raft/raft_types.hpp"

#include <algorithm>

#include "runtime/base/crc32c.hpp"
#include "runtime/base/random.hpp"

namespace fastgpu::raft {
namespace {

/// Mixes one more number in; each bit of the result depends on all that came before.
std::uint64_t mixed(std::uint64_t state, std::uint64_t value) {
  return base::Random(state ^ (value * 0xff51afd7ed558ccdu)).next();
}

}  // namespace

const Member* Configuration::find(base::NodeId node) const {
  const auto at = std::find_if(members.begin(), members.end(),
                               [node](const Member& member) { return member.node == node; });
  return at == members.end() ? nullptr : &*at;
}

bool Configuration::has_voter(base::NodeId node, StoreId store) const {
  const Member* member = find(node);
  return member != nullptr && member->voter && member->store == store;
}

std::size_t Configuration::voters() const {
  return static_cast<std::size_t>(std::count_if(members.begin(), members.end(),
                                                [](const Member& member) { return member.voter; }));
}

Chain chain_after(Chain previous, const Entry& entry) {
  std::uint64_t state = mixed(previous.value, entry.index.value);
  state = mixed(state, entry.term.value);
  state = mixed(state, static_cast<std::uint64_t>(entry.kind));
  state = mixed(state, entry.data.size());
  state = mixed(state, base::crc32c(entry.data.span()));
  for (const Member& member : entry.configuration.members) {
    state = mixed(state, member.node.value * 2 + (member.voter ? 1 : 0));
    state = mixed(state, member.store.value);
  }
  return {state};
}

}  // namespace fastgpu::raft
