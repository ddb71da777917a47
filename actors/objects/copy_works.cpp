#include "actors/objects/copy_works.hpp"

#include "actors/object_words.hpp"

namespace fastgpu::actors {

namespace limits = base::limits;

static base::Error too_many_works() {
  return {base::ErrorKind::overloaded, base::ErrorCode::overloaded,
          "this node fetches what it is to keep for " + std::to_string(limits::copy_works_max) +
              " asks already",
          "ask again, or another node"};
}

CopyWorks::Begun CopyWorks::take(base::NodeId node, const protocol::KeepCopies& keep,
                                 base::Time now) {
  Begun begun{{node, keep.call, 0}, {}};
  if (!works_.contains(begun.work)) {
    for (const protocol::ObjectRef& object : keep.objects) {
      if (!store_.has(object.hash)) {
        begun.absent.emplace_back(object, copies_.sources_of(object, node));
      }
    }
    begin(begun, keep, now);
  }
  return begun;
}

CopyWorks::Begun CopyWorks::take(base::NodeId node, const protocol::ObjectPin& pin,
                                 base::Time now) {
  Begun begun{{node, pin.call, pin.part}, {}};
  if (!works_.contains(begun.work) && !copies_.holds(node, pin)) {
    for (const protocol::ObjectRef& object : pin.objects) {
      if (!store_.has(object.hash)) {
        begun.absent.emplace_back(object, copies_.sources_not_down(object));
      }
    }
    begin(begun, pin, now);
  }
  return begun;
}

void CopyWorks::begin(Begun& begun, const Ask& ask, base::Time now) {
  if (begun.absent.empty()) {
    return end(begun.work, ask, {}, now);
  }
  std::optional<base::Error> refusal;
  if (begun.absent.size() > limits::copy_objects_max) {
    refusal = object_gone(begun.absent.front().first.hash);
  } else if (works_.size() >= limits::copy_works_max) {
    refusal = too_many_works();
  }
  if (refusal) {
    begun.absent.clear();
    return end(begun.work, ask, *refusal, now);
  }
  Work& work = works_.emplace(begun.work, Work{ask, {}}).first->second;
  for (const auto& [object, sources] : begun.absent) {
    work.absent.insert(object.hash);
  }
}

void CopyWorks::brought(const CopyWork& id, const base::ObjectHash& hash,
                        const base::Status& status, base::Time now) {
  const auto found = works_.find(id);
  if (found == works_.end()) {
    return;  // another of its objects did not come
  }
  found->second.absent.erase(hash);
  if (!status.ok() || found->second.absent.empty()) {
    end(id, works_.extract(found).mapped().ask, status, now);
  }
}

void CopyWorks::end(const CopyWork& id, const Ask& ask, const base::Status& brought,
                    base::Time now) {
  if (const auto* inputs = std::get_if<protocol::ObjectPin>(&ask)) {
    copies_.hold(id.node, *inputs,
                 brought.ok() ? pins_.pin(*inputs, now) : refused(*inputs, brought.error()));
  } else if (brought.ok()) {
    pin(id, std::get<protocol::KeepCopies>(ask), now);
  } else {
    answer(id, brought);
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
