#include "actors/objects/copy_desk.hpp"

#include <algorithm>

#include "actors/object_words.hpp"
#include "runtime/base/check.hpp"
#include "runtime/ledger/tables/replica_plan.hpp"

namespace fastgpu::actors {

namespace limits = base::limits;

namespace {

std::uint32_t copies_wanted(const protocol::ClusterView& view) {
  const std::uint32_t asked = view.members ? view.members->replicas : 0;
  return objects::copies_for(ledger::replicas_of(asked));
}

}  // namespace

CopyDesk::CopyDesk(const objects::BlobStore& store, const NodeContext& node)
    : store_(store),
      self_(node.self.node),
      layout_(node.layout),
      replicated_(node.replicated),
      machine_(self_, (node.incarnation.value << 32) + 1) {}

void CopyDesk::see(const protocol::SharedView& view, base::Time now) {
  members_version_ = view->members ? view->members->version : 0;
  members_.clear();
  for (const protocol::NodeView& node : view->nodes) {
    members_.push_back({node.info.node, node.info.state == protocol::MemberState::active,
                        node.state == protocol::NodeState::up,
                        node.state == protocol::NodeState::down});
  }
  step(objects::ClusterSeen{members_, replicated_ ? copies_wanted(*view) : 1}, now);
}

void CopyDesk::hear(base::NodeId node, const protocol::CopiesKept& kept, base::Time now) {
  step(objects::CopiesAnswered{node, kept.call, answer_of(kept)}, now);
}

// --- answers that wait for copies ----------------------------------------------------------------

bool CopyDesk::holds(base::NodeId node, const protocol::ObjectPin& pin) const {
  return std::any_of(held_.begin(), held_.end(), [&](const auto& held) {
    const auto* one = std::get_if<PinnedFor>(&held.second);
    return one != nullptr && one->first == node && one->second.call == pin.call &&
           one->second.part == pin.part;
  });
}

void CopyDesk::hold(base::NodeId node, const protocol::ObjectPin& pin,
                    protocol::ObjectPinned answer) {
  std::vector<base::ObjectHash> hashes = answer.ok ? hashes_of(pin.objects) : decltype(hashes){};
  hold({PinnedFor{node, std::move(answer)}, objects::owner_of(pin.request), std::move(hashes),
        limits::copy_wait_submit});
}

void CopyDesk::hold(base::JobId job, protocol::Kept answer) {
  std::vector<base::ObjectHash> hashes = hashes_of(answer.objects);
  hold({WorkerAnswer(std::move(answer)), objects::owner_of(layout_.shard_of(job), job),
        std::move(hashes), limits::copy_wait_finish});
}

void CopyDesk::expect(const protocol::CollectFolder& collect) {
  collecting_[{collect.device, collect.token}] = collect.job;
}

void CopyDesk::hold(FolderAnswer answer) {
  auto* collected = std::get_if<protocol::FolderCollected>(&answer);
  if (collected == nullptr) {
    return give(WorkerAnswer(std::get<protocol::FolderReady>(std::move(answer))));
  }
  const auto found = collecting_.extract({collected->device, collected->token});
  FASTGPU_CHECK(!found.empty(), "what is collected was asked for");
  std::vector<base::ObjectHash> hashes;
  for (const protocol::OutputFile& output : collected->outputs) {
    if (const auto* object = std::get_if<protocol::ObjectRef>(&output.data)) {
      hashes.push_back(object->hash);
    }
  }
  hold({WorkerAnswer(std::move(*collected)),
        objects::owner_of(layout_.shard_of(found.mapped()), found.mapped()), std::move(hashes),
        limits::copy_wait_finish});
}

/// The machine hears of it after this turn's pins. With nothing to wait for it is given at once.
void CopyDesk::hold(Held held) {
  if (held.hashes.empty()) {
    give(std::move(held.answer));
  } else {
    fresh_.push_back(std::move(held));
  }
}

void CopyDesk::give(HeldAnswer answer) {
  if (auto* pinned = std::get_if<PinnedFor>(&answer)) {
    turn_.pinned.push_back(std::move(*pinned));
  } else {
    turn_.answers.push_back(std::get<WorkerAnswer>(std::move(answer)));
  }
}

CopyDesk::Turn CopyDesk::end_turn(const PinDesk::Turn& pins, base::Time now) {
  for (const objects::CopyPinned& pinned : pins.pinned) {
    step(pinned, now);
  }
  if (!pins.unpinned.empty()) {
    step(objects::OwnersUnpinned{pins.unpinned}, now);
  }
  for (Held& held : std::exchange(fresh_, {})) {
    const objects::CopyWaiter waiter{++last_waiter_.value};
    held_.emplace(waiter, std::move(held.answer));
    step(objects::CopiesAwaited{waiter, held.owner, std::move(held.hashes), held.wait}, now);
  }
  const protocol::CopiesStand stand{machine_.under_copied(), machine_.all_counted(),
                                    members_version_};
  turn_.stand = std::exchange(stand_, stand) == stand ? std::nullopt : std::optional(stand);
  return std::exchange(turn_, {});
}

// --- with the machine ----------------------------------------------------------------------------

void CopyDesk::step(const objects::CopyEvent& event, base::Time now) {
  for (const objects::CopyEffect& effect : machine_.step(event, now)) {
    std::visit([this](const auto& what) { perform(what); }, effect);
  }
}

void CopyDesk::perform(const objects::AskCopies& ask) {
  protocol::KeepCopies keep{ask.call, {}, {}, {}};
  if (ask.owner.kind == objects::PinOwnerKind::request) {
    keep.request = {ask.owner.shard, ask.owner.high, ask.owner.low};
  } else {
    keep.job = {ask.owner.low};
  }
  for (const auto& [hash, home] : ask.objects) {
    // A pin without its blob: the disk has lost it.
    if (const base::Result<std::uint64_t> size = store_.size(hash); size.ok()) {
      keep.objects.push_back({hash, size.value(), home});
    }
  }
  turn_.asked.emplace_back(ask.node, std::move(keep));
}

void CopyDesk::perform(const objects::CopiesSettled& settled) {
  give(std::move(held_.extract(settled.waiter).mapped()));
  turn_.fewer += settled.fewer;
}

}  // namespace fastgpu::actors
