#include "runtime/objects/copies/copy_machine.hpp"

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/object_order.hpp"

namespace fastgpu::objects {

namespace limits = base::limits;

// --- a few nodes ---------------------------------------------------------------------------------

bool CopyMachine::Nodes::has(base::NodeId node) const {
  return std::find(begin(), end(), node) != end();
}

void CopyMachine::Nodes::add(base::NodeId node) {
  if (!has(node) && count_ < nodes_.size()) {
    nodes_[count_++] = node;
  }
}

void CopyMachine::Nodes::remove(base::NodeId node) {
  for (std::uint8_t i = 0; i < count_; ++i) {
    if (nodes_[i] == node) {
      nodes_[i] = nodes_[--count_];
      return;
    }
  }
}

// --- the door ------------------------------------------------------------------------------------

CopyMachine::Effects CopyMachine::step(const CopyEvent& event, base::Time now) {
  now_ = now;
  effects_.clear();
  std::visit([this](const auto& what) { handle(what); }, event);
  ask_more();
  settle_waits();
  ask_more();
  return std::exchange(effects_, {});
}

std::optional<base::Time> CopyMachine::next_deadline() const {
  std::optional<base::Time> next;
  const auto sooner = [&](base::Time at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [call, ask] : asks_) {
    sooner(std::min(ask.sent_at + limits::copy_repeat_interval,
                    ask.begun_at + limits::copy_ask_deadline));
  }
  for (const auto& [waiter, wait] : waits_) {
    sooner(wait.deadline);
  }
  for (const auto& [node, since] : down_since_) {
    if (!gone_.contains(node)) {
      sooner(since + limits::copy_grace);
    }
  }
  for (const auto& [node, until] : peace_) {
    sooner(until);
  }
  if (stuck_until_) {
    sooner(*stuck_until_);
  }
  if (look_from_) {
    sooner(looked_at_ + limits::copy_look_interval);
  }
  return next;
}

// --- events --------------------------------------------------------------------------------------

void CopyMachine::handle(const ClusterSeen& event) {
  std::map<base::NodeId, CopyMember> seen;
  std::uint32_t staying = 0;
  std::erase_if(down_since_, [&](const auto& down) {
    return std::none_of(event.members.begin(), event.members.end(), [&](const CopyMember& member) {
      return member.node == down.first && member.down;
    });
  });
  for (const CopyMember& member : event.members) {
    seen.emplace(member.node, member);
    if (member.down) {
      down_since_.emplace(member.node, now_);
    }
    staying += member.active ? 1 : 0;
  }
  std::erase_if(gone_, [&](base::NodeId node) { return !down_since_.contains(node); });
  if (seen == members_ && copies_ == event.copies) {
    return;
  }
  members_ = std::move(seen);
  copies_ = event.copies;
  staying_ = staying;
  for (auto ask = asks_.begin(); ask != asks_.end();) {
    const auto next = std::next(ask);
    const auto member = members_.find(ask->second.node);
    const bool takes = member != members_.end() && member->second.active && !member->second.down;
    if (!takes || (!member->second.up && is_awaited(ask->second.owner))) {
      end_ask(ask, false);
    }
    ask = next;
  }
  look_at_all();
}

void CopyMachine::handle(const CopyPinned& event) {
  std::map<base::ObjectHash, Held>& pins = pins_[event.owner];
  for (const base::ObjectHash& hash : event.hashes) {
    const auto [known, fresh] = pins.try_emplace(hash);
    Held& held = known->second;
    if (fresh) {
      held.home = event.home;
    } else if (event.home == self_ && held.home != self_) {
      held.others.add(held.home);  // it asked for the copy that is here
      held.home = self_;
      held.kept_at = now_;
    } else if (event.home == self_ && now_ - limits::pin_settle / 2 > held.kept_at) {
      held.others = {};  // an old pin of theirs may be about to go: they are to say it again, too
    }
    if (event.holder && event.holder != self_) {
      held.others.add(event.holder);
    }
    look_at({event.owner, hash}, held);
  }
}

void CopyMachine::handle(const CopiesAwaited& event) {
  if (waits_.size() >= limits::copy_waits_max) {
    effects_.push_back(CopiesSettled{event.waiter, event.hashes.size()});
    return;
  }
  ++awaited_[event.owner];
  Wait& wait = waits_[event.waiter] = {event.owner, {}, now_ + event.wait};
  for (const base::ObjectHash& hash : event.hashes) {
    Held* held = find({event.owner, hash});
    if (held != nullptr && wait.open.insert(hash).second) {
      ++held->waits;
      look_at({event.owner, hash}, *held);
    }
  }
}

void CopyMachine::handle(const OwnersUnpinned& event) {
  for (const PinOwner& owner : event.owners) {
    const auto found = pins_.extract(owner);
    if (found.empty()) {
      continue;
    }
    for (const auto& [hash, held] : found.mapped()) {
      under_copied_ -= held.under_copied ? 1 : 0;
      for (std::set<Key>* keys : {&awaited_todo_, &todo_, &stuck_}) {
        keys->erase({owner, hash});
      }
    }
    std::erase_if(asks_, [&](const auto& ask) {
      const bool ends = ask.second.owner == owner;
      asks_unawaited_ -= ends && !ask.second.awaited ? 1 : 0;
      return ends;
    });
  }
}

void CopyMachine::handle(const CopiesAnswered& event) {
  const auto found = asks_.find(event.call);
  if (found == asks_.end() || found->second.node != event.node) {
    return;  // late: given up, or not needed any more
  }
  if (event.answer == CopiesAnswer::busy) {
    return;  // it is said again
  }
  if (event.answer == CopiesAnswer::full) {
    leave_in_peace(event.node);
  }
  if (event.answer == CopiesAnswer::failed) {
    for (const base::ObjectHash& hash : found->second.hashes) {
      find({found->second.owner, hash})->failed.add(event.node);
    }
  }
  end_ask(found, event.answer == CopiesAnswer::kept);
}

void CopyMachine::handle(const CopyTick&) {
  for (auto ask = asks_.begin(); ask != asks_.end();) {
    const auto next = std::next(ask);
    if (ask->second.begun_at + limits::copy_ask_deadline <= now_) {
      leave_in_peace(ask->second.node);
      end_ask(ask, false);
    } else if (ask->second.sent_at + limits::copy_repeat_interval <= now_) {
      send(ask->first, ask->second);
    }
    ask = next;
  }
  for (const auto& [node, since] : down_since_) {
    if (since + limits::copy_grace <= now_ && gone_.insert(node).second) {
      look_at_all();
    }
  }
  const bool peace_ends =
      std::erase_if(peace_, [&](const auto& one) { return one.second <= now_; }) > 0;
  if (peace_ends || (stuck_until_ && *stuck_until_ <= now_)) {
    stuck_until_.reset();
    for (const Key& key : stuck_) {
      find(key)->failed = {};
    }
    look_at_all();
  }
  look_on();
}

// --- what is missing -----------------------------------------------------------------------------

bool CopyMachine::is_gone(base::NodeId node) const {
  return !members_.contains(node) || gone_.contains(node);
}

bool CopyMachine::is_holder(base::NodeId node) const {
  const auto member = members_.find(node);
  return member != members_.end() && member->second.active && !gone_.contains(node);
}

bool CopyMachine::is_ours(const Held& held) const {
  return !members_.empty() && (held.home == self_ || is_gone(held.home));
}

std::size_t CopyMachine::missing(const Held& held, bool count_asked) const {
  if (!is_ours(held)) {
    return 0;
  }
  const std::uint32_t wanted = std::min(copies_, staying_);
  const auto self = members_.find(self_);
  std::size_t have = self == members_.end() || self->second.active ? 1 : 0;
  for (const base::NodeId node : held.others) {
    have += is_holder(node) ? 1 : 0;
  }
  have += count_asked ? held.asked.size() : 0;
  return wanted > have ? wanted - have : 0;
}

CopyMachine::Held* CopyMachine::find(const Key& key) {
  const auto owner = pins_.find(key.first);
  if (owner == pins_.end()) {
    return nullptr;
  }
  const auto held = owner->second.find(key.second);
  return held == owner->second.end() ? nullptr : &held->second;
}

void CopyMachine::recount(Held& held) {
  const bool counts = held.waits == 0 && missing(held, false) > 0;
  under_copied_ += counts ? 1 : 0;
  under_copied_ -= held.under_copied ? 1 : 0;
  held.under_copied = counts;
}

void CopyMachine::look_at(const Key& key, Held& held) {
  recount(held);
  stuck_.erase(key);
  if (missing(held, true) == 0) {
    return;
  }
  if (is_awaited(key.first)) {
    todo_.erase(key);
    awaited_todo_.insert(key);
  } else if (!awaited_todo_.contains(key)) {
    todo_.insert(key);
  }
}

/// Somebody came, went or was given up.
void CopyMachine::look_at_all() {
  for (const auto& [waiter, wait] : waits_) {
    for (const base::ObjectHash& hash : wait.open) {
      if (Held* held = find({wait.owner, hash})) {
        look_at({wait.owner, hash}, *held);
      }
    }
  }
  look_again_ = look_from_.has_value();
  if (!look_from_ && !pins_.empty()) {
    look_from_ = pins_.begin()->first;
  }
}

/// So many pins in a turn: there may be millions.
void CopyMachine::look_on() {
  if (!look_from_ || looked_at_ + limits::copy_look_interval > now_) {
    return;
  }
  looked_at_ = now_;
  std::size_t seen = 0;
  auto owner = pins_.lower_bound(*look_from_);
  for (; owner != pins_.end() && seen < limits::copy_look_pins; ++owner) {
    for (auto& [hash, held] : owner->second) {
      look_at({owner->first, hash}, held);
      ++seen;
    }
  }
  if (owner != pins_.end()) {
    look_from_ = owner->first;
  } else if (std::exchange(look_again_, false) && !pins_.empty()) {
    look_from_ = pins_.begin()->first;
  } else {
    look_from_.reset();
  }
}

// --- asking --------------------------------------------------------------------------------------

void CopyMachine::ask_more() {
  while (!awaited_todo_.empty()) {
    ask_for(awaited_todo_);
  }
  while (!todo_.empty() && asks_unawaited_ < limits::copy_asks_in_flight_max) {
    ask_for(todo_);
  }
}

/// The next objects of one owner.
void CopyMachine::ask_for(std::set<Key>& todo) {
  const PinOwner owner = todo.begin()->first;
  std::map<base::NodeId, std::vector<base::ObjectHash>> asks;
  for (std::size_t seen = 0; seen < limits::copy_objects_max; ++seen) {
    if (todo.empty() || todo.begin()->first != owner) {
      break;
    }
    const Key key = todo.extract(todo.begin()).value();
    Held* held = find(key);
    const std::size_t missed = held != nullptr ? missing(*held, true) : 0;
    if (missed == 0) {
      continue;
    }
    std::vector<base::NodeId> takers = takers_of(key, *held);
    if (takers.size() < missed) {
      stuck_.insert(key);
      stuck_until_ = stuck_until_.value_or(now_ + limits::copy_retry_delay);
    }
    takers.resize(std::min(takers.size(), missed));
    for (const base::NodeId node : takers) {
      held->asked.add(node);
      asks[node].push_back(key.second);
    }
  }
  for (auto& [node, hashes] : asks) {
    begin_ask(node, owner, std::move(hashes));
  }
}

/// Nodes that may take a copy now, the best first.
std::vector<base::NodeId> CopyMachine::takers_of(const Key& key, const Held& held) const {
  std::vector<base::NodeId> nodes;
  for (const auto& [node, member] : members_) {
    if (node != self_ && member.active && member.up && !peace_.contains(node) &&
        !held.others.has(node) && !held.asked.has(node) && !held.failed.has(node)) {
      nodes.push_back(node);
    }
  }
  return base::in_order_for(key.second, std::move(nodes));
}

void CopyMachine::begin_ask(base::NodeId node, const PinOwner& owner,
                            std::vector<base::ObjectHash> hashes) {
  const bool awaited = is_awaited(owner);
  asks_unawaited_ += awaited ? 0 : 1;
  const std::uint64_t call = ++last_call_;
  Ask& ask = asks_[call] = {node, owner, std::move(hashes), now_, now_, awaited};
  send(call, ask);
}

void CopyMachine::send(std::uint64_t call, Ask& ask) {
  ask.sent_at = now_;
  AskCopies said{ask.node, call, ask.owner, {}};
  for (const base::ObjectHash& hash : ask.hashes) {
    const Held* held = find({ask.owner, hash});
    FASTGPU_CHECK(held != nullptr, "an ask ends with its owner");
    said.objects.emplace_back(hash, held->home);
  }
  effects_.push_back(std::move(said));
}

void CopyMachine::end_ask(std::map<std::uint64_t, Ask>::iterator found, bool ok) {
  const Ask ask = std::move(found->second);
  asks_.erase(found);
  asks_unawaited_ -= ask.awaited ? 0 : 1;
  for (const base::ObjectHash& hash : ask.hashes) {
    Held* held = find({ask.owner, hash});
    FASTGPU_CHECK(held != nullptr, "an ask ends with its owner");
    held->asked.remove(ask.node);
    if (ok) {
      // Who is no holder any more makes room; where it is a member again, it is found anew.
      for (const base::NodeId node : std::vector(held->others.begin(), held->others.end())) {
        if (!is_holder(node)) {
          held->others.remove(node);
        }
      }
      held->others.add(ask.node);
      held->kept_at = now_;
    }
    look_at({ask.owner, hash}, *held);
  }
}

void CopyMachine::leave_in_peace(base::NodeId node) {
  peace_[node] = now_ + limits::copy_retry_delay;
}

// --- who waits -----------------------------------------------------------------------------------

/// Nothing is missing, or nobody is left who could take what is.
bool CopyMachine::is_settled(const PinOwner& owner, const base::ObjectHash& hash) {
  const Held* held = find({owner, hash});
  if (held == nullptr || missing(*held, false) == 0) {
    return true;
  }
  return std::none_of(members_.begin(), members_.end(), [&](const auto& known) {
    const auto& [node, member] = known;
    return node != self_ && member.active && !member.down && !peace_.contains(node) &&
           !held->others.has(node) && !held->failed.has(node);
  });
}

void CopyMachine::settle_waits() {
  for (auto at = waits_.begin(); at != waits_.end();) {
    Wait& wait = at->second;
    const bool late = wait.deadline <= now_;
    while (!wait.open.empty() && (late || is_settled(wait.owner, *wait.open.begin()))) {
      if (Held* held = find({wait.owner, *wait.open.begin()})) {
        wait.fewer += missing(*held, false) > 0 ? 1 : 0;
        --held->waits;
        recount(*held);
      }
      wait.open.erase(wait.open.begin());
    }
    if (!wait.open.empty()) {
      ++at;
      continue;
    }
    effects_.push_back(CopiesSettled{at->first, wait.fewer});
    const PinOwner owner = wait.owner;
    at = waits_.erase(at);
    if (--awaited_.at(owner) == 0) {
      awaited_.erase(owner);
      end_wait(owner);
    }
  }
}

/// What nobody waits for any more is asked for a few at a time.
void CopyMachine::end_wait(const PinOwner& owner) {
  for (auto ask = asks_.begin(); ask != asks_.end();) {
    const auto next = std::next(ask);
    if (ask->second.owner == owner && ask->second.awaited) {
      end_ask(ask, false);
    }
    ask = next;
  }
}

// --- checks --------------------------------------------------------------------------------------

void CopyMachine::check_invariants() const {
  std::map<Key, std::size_t> waits;
  for (const auto& [waiter, wait] : waits_) {
    for (const base::ObjectHash& hash : wait.open) {
      ++waits[{wait.owner, hash}];
    }
  }
  std::size_t under_copied = 0;
  for (const auto& [owner, pins] : pins_) {
    for (const auto& [hash, held] : pins) {
      const auto waited = waits.find({owner, hash});
      FASTGPU_CHECK(held.waits == (waited == waits.end() ? 0 : waited->second), "waits are known");
      under_copied += held.under_copied ? 1 : 0;
      const bool counts = held.waits == 0 && missing(held, false) > 0;
      FASTGPU_CHECK(!all_counted() || held.under_copied == counts, "each is counted as it is");
    }
  }
  FASTGPU_CHECK(under_copied == under_copied_, "the count is that of the pins");
  std::size_t unawaited = 0;
  for (const auto& [call, ask] : asks_) {
    unawaited += ask.awaited ? 0 : 1;
    FASTGPU_CHECK(ask.hashes.size() <= limits::copy_objects_max, "an ask is bounded");
    for (const base::ObjectHash& hash : ask.hashes) {
      FASTGPU_CHECK(pins_.at(ask.owner).at(hash).asked.has(ask.node), "who is asked is known");
    }
  }
  FASTGPU_CHECK(unawaited == asks_unawaited_, "asks are counted");
  FASTGPU_CHECK(unawaited <= limits::copy_asks_in_flight_max + members_.size(), "and bounded");
  for (const std::set<Key>* keys : {&todo_, &awaited_todo_, &stuck_}) {
    for (const auto& [owner, hash] : *keys) {
      FASTGPU_CHECK(pins_.at(owner).contains(hash), "only pins are looked after");
    }
  }
}

}  // namespace fastgpu::objects
