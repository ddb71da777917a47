#include "runtime/objects/pins/pin_machine.hpp"

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"

namespace fastgpu::objects {

namespace limits = base::limits;

PinMachine::Effects PinMachine::step(const PinEvent& event, base::Time now) {
  now_ = now;
  effects_.clear();
  std::visit([this](const auto& what) { handle(what); }, event);
  return std::exchange(effects_, {});
}

std::optional<base::Time> PinMachine::next_deadline() const {
  std::optional<base::Time> next;
  const auto sooner = [&](base::Time at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [id, shard] : shards_) {
    if (const auto at = due(shard)) {
      sooner(*at);
    }
  }
  if (!unpinned_.empty()) {
    sooner(looked_at_ + limits_.look_interval);
  }
  return next;
}

/// When the leader is to be asked next. A question that is not answered is as good as none.
std::optional<base::Time> PinMachine::due(const Shard& shard) {
  if (!shard.leader || shard.owners.empty()) {
    return std::nullopt;
  }
  return shard.question ? std::max(shard.ask_at, shard.question->asked_at + limits::rpc_timeout)
                        : shard.ask_at;
}

void PinMachine::handle(const OwnerPinned& event) {
  Shard& shard = shards_[event.owner.shard];
  if (shard.owners.empty()) {
    shard.ask_at = now_ + limits_.check_interval;
  }
  shard.owners[event.owner] = now_;
  if (shard.question) {
    shard.question->owners.erase(event.owner);  // an answer on its way means the past
  }
  for (const base::ObjectHash& hash : event.hashes) {
    if (const auto found = unpinned_.find(hash); found != unpinned_.end()) {
      oldest_.erase({found->second, hash});
      unpinned_.erase(found);
    }
  }
}

void PinMachine::handle(const ObjectsUnpinned& event) {
  if (unpinned_.empty()) {
    looked_at_ = now_;
  }
  for (const base::ObjectHash& hash : event.hashes) {
    const auto [known, fresh] = unpinned_.emplace(hash, now_);
    if (!fresh) {
      oldest_.erase({known->second, hash});
      known->second = now_;
    }
    oldest_.insert({now_, hash});
  }
}

void PinMachine::handle(const ShardLedBy& event) {
  Shard& shard = shards_[event.shard];
  if (shard.leader != event.node) {
    shard.leader = event.node;
    shard.question.reset();
  }
}

void PinMachine::handle(const PinsAnswered& event) {
  Shard& shard = shards_[event.shard];
  const std::pair leadership(event.epoch, event.term);
  if (!shard.question || shard.question->number != event.question ||
      shard.question->node != event.node || leadership < shard.newest) {
    return;  // late, repeated, or of a leader that another has followed
  }
  shard.newest = leadership;
  DropPins drop;
  for (const PinOwner& owner : event.gone) {
    if (shard.question->owners.contains(owner) && shard.owners.erase(owner) > 0) {
      drop.owners.push_back(owner);
    }
  }
  shard.question.reset();
  if (!drop.owners.empty()) {
    effects_.push_back(std::move(drop));
  }
}

void PinMachine::handle(const PinTick& event) {
  for (auto& [id, shard] : shards_) {
    if (const auto at = due(shard); at && *at <= now_) {
      ask(id, shard);
    }
  }
  if (!unpinned_.empty() && looked_at_ + limits_.look_interval <= now_) {
    looked_at_ = now_;
    remove_old(event.disk_is_tight ? limits_.grace_tight : limits_.grace);
  }
}

/// The next batch in the order of owners, from where the last one ended; then from the first again.
void PinMachine::ask(base::ShardId id, Shard& shard) {
  Question question{++last_question_, shard.leader, {}, now_};
  AskPins effect{shard.leader, id, question.number, {}};
  auto at = shard.owners.lower_bound(shard.next);
  const std::size_t seen_max = std::min(shard.owners.size(), 4 * limits::pin_check_owners_max);
  for (std::size_t seen = 0; seen < seen_max && effect.owners.size() < limits::pin_check_owners_max;
       ++seen) {
    at = at == shard.owners.end() ? shard.owners.begin() : at;
    if (at->second + limits_.settle <= now_) {
      effect.owners.push_back(at->first);
      question.owners.insert(at->first);
    }
    ++at;
  }
  shard.next = at == shard.owners.end() ? PinOwner{} : at->first;
  shard.ask_at = now_ + limits_.check_interval;
  shard.question.reset();
  if (!effect.owners.empty()) {
    shard.question = std::move(question);
    effects_.push_back(std::move(effect));
  }
}

void PinMachine::remove_old(base::Duration grace) {
  RemoveObjects remove;
  while (!oldest_.empty() && oldest_.begin()->first + grace <= now_ &&
         remove.hashes.size() < limits::object_removals_max) {
    remove.hashes.push_back(oldest_.begin()->second);
    unpinned_.erase(oldest_.begin()->second);
    oldest_.erase(oldest_.begin());
  }
  if (!remove.hashes.empty()) {
    effects_.push_back(std::move(remove));
  }
}

std::size_t PinMachine::owners() const {
  std::size_t count = 0;
  for (const auto& [id, shard] : shards_) {
    count += shard.owners.size();
  }
  return count;
}

void PinMachine::check_invariants() const {
  FASTGPU_CHECK(unpinned_.size() == oldest_.size(), "objects without a pin are in both tables");
  for (const auto& [at, hash] : oldest_) {
    const auto found = unpinned_.find(hash);
    FASTGPU_CHECK(found != unpinned_.end() && found->second == at, "the tables agree on when");
    FASTGPU_CHECK(at <= now_, "nothing was unpinned in the future");
  }
  for (const auto& [id, shard] : shards_) {
    for (const auto& [owner, at] : shard.owners) {
      FASTGPU_CHECK(owner.shard == id, "an owner is kept with its shard");
      const bool asked = shard.question && shard.question->owners.contains(owner);
      FASTGPU_CHECK(!asked || at + limits_.settle <= shard.question->asked_at,
                    "nobody is asked about who pinned lately");
    }
    FASTGPU_CHECK(!shard.question || shard.question->owners.size() <= limits::pin_check_owners_max,
                  "a question is bounded");
  }
}

}  // namespace fastgpu::objects
