#include "actors/objects/copy_works.hpp"

namespace fastgpu::actors {

namespace limits = base::limits;

static base::Error too_many_works() {
  return {base::ErrorKind::overloaded, base::ErrorCode::overloaded,
          "this node keeps copies for " + std::to_string(limits::copy_works_max) +
              " asks of others already",
          "ask again, or another node"};
}

CopyWork CopyWorks::take(base::NodeId node, const protocol::KeepCopies& keep,
                         std::vector<protocol::ObjectRef>& absent, base::Time now) {
  const CopyWork id{node, keep.call};
  if (works_.contains(id)) {
    return id;
  }
  if (works_.size() >= limits::copy_works_max) {
    answer(id, too_many_works());
    return id;
  }
  Work work{keep, {}};
  for (const protocol::ObjectRef& object : keep.objects) {
    if (!store_.has(object.hash) && work.absent.insert(object.hash).second) {
      absent.push_back(object);
    }
  }
  if (work.absent.empty()) {
    pin(id, keep, now);
  } else {
    works_.emplace(id, std::move(work));
  }
  return id;
}

void CopyWorks::brought(const CopyWork& id, const base::ObjectHash& hash,
                        const base::Status& status, base::Time now) {
  const auto found = works_.find(id);
  if (found == works_.end()) {
    return;  // another of its objects did not come
  }
  if (!status.ok()) {
    works_.erase(found);
    return answer(id, status);
  }
  found->second.absent.erase(hash);
  if (found->second.absent.empty()) {
    pin(id, works_.extract(found).mapped().keep, now);
  }
}

void CopyWorks::pin(const CopyWork& work, const protocol::KeepCopies& keep, base::Time now) {
  const objects::PinOwner owner = keep.job ? objects::owner_of(layout_.shard_of(keep.job), keep.job)
                                           : objects::owner_of(keep.request);
  std::map<base::NodeId, std::vector<base::ObjectHash>> homes;
  for (const protocol::ObjectRef& object : keep.objects) {
    homes[object.home].push_back(object.hash);
  }
  for (const auto& [home, hashes] : homes) {
    if (const base::Status pinned = pins_.pin_copies(hashes, owner, home, work.node, now);
        !pinned.ok()) {
      return answer(work, pinned);
    }
  }
  answer(work, {});
}

void CopyWorks::answer(const CopyWork& work, const base::Status& status) {
  said_.emplace_back(work.node, protocol::CopiesKept{work.call, status.ok(),
                                                     status.ok() ? base::Error{} : status.error()});
}

}  // namespace fastgpu::actors
