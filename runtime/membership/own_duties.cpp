#include "runtime/membership/own_duties.hpp"

namespace fastgpu::membership {

void OwnDuties::take(const protocol::ReplicaStands& stands) {
  bool& votes = votes_[stands.shard];
  voting_ += stands.votes ? 1 : 0;
  voting_ -= votes ? 1 : 0;
  votes = stands.votes;
}

std::optional<protocol::NodeDuties> OwnDuties::told(std::uint64_t members_version) const {
  if (!expected_ || votes_.size() < *expected_ || !copies_) {
    return std::nullopt;
  }
  return protocol::NodeDuties{voting_, copies_->due,
                              copies_->counted && copies_->members_version >= members_version};
}

}  // namespace fastgpu::membership
