#include "runtime/worker/staging_cache.hpp"

#include "runtime/base/check.hpp"

namespace fastgpu::worker {

StagingCache::State StagingCache::want(const protocol::ObjectRef& object,
                                       protocol::StageToken token, bool& ask) {
  ask = false;
  auto found = entries_.find(object.hash);
  if (found == entries_.end()) {
    if (asked_.size() >= asked_max)
      return State::waiting;
    found = entries_.emplace(object.hash, Entry{}).first;
    asked_.emplace(token, object.hash);
    ask = true;
  }
  found->second.wanted = turn_;
  return found->second.state;
}

bool StagingCache::staged(const protocol::Staged& answer) {
  const auto asked = asked_.find(answer.token);
  if (asked == asked_.end())
    return false;
  const base::ObjectHash hash = asked->second;
  asked_.erase(asked);
  Entry& entry = entries_.at(hash);
  entry.wanted = turn_;
  if (answer.ok) {
    entry.state = State::ready;
    entry.data = answer.data;
    kept_bytes_ += answer.data.size();
  } else {
    entry.state = State::failed;
    entry.error = answer.error;
    failed_.push_back(hash);
  }
  return true;
}

const base::Error& StagingCache::error_of(const protocol::ObjectRef& object) const {
  return entries_.at(object.hash).error;
}

base::Bytes StagingCache::bytes_of(const protocol::ObjectRef& object) const {
  const auto found = entries_.find(object.hash);
  FASTGPU_CHECK(found != entries_.end() && found->second.state == State::ready,
                "inputs are staged before they are used");
  return found->second.data;
}

void StagingCache::trim() {
  for (const auto& hash : failed_)
    entries_.erase(hash);
  failed_.clear();
  while (kept_bytes_ > kept_bytes_max) {
    auto oldest = entries_.end();
    for (auto it = entries_.begin(); it != entries_.end(); ++it)
      if (it->second.state == State::ready && it->second.wanted != turn_ &&
          (oldest == entries_.end() || it->second.wanted < oldest->second.wanted))
        oldest = it;
    if (oldest == entries_.end())
      break;  // all of it is wanted now: a bound that would stop the head of the queue for good
    kept_bytes_ -= oldest->second.data.size();
    entries_.erase(oldest);
  }
  ++turn_;
}

}  // namespace fastgpu::worker
