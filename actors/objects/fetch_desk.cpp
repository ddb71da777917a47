#include "actors/objects/fetch_desk.hpp"

#include <algorithm>

namespace fastgpu::actors {

std::optional<base::Time> earliest(std::initializer_list<std::optional<base::Time>> moments) {
  std::optional<base::Time> first;
  for (const std::optional<base::Time>& moment : moments) {
    first = first && moment ? std::min(*first, *moment) : (first ? first : moment);
  }
  return first;
}

void FetchDesk::want(const protocol::ObjectRef& object, std::vector<base::NodeId> sources,
                     Asker asker, base::Time now) {
  const objects::Wanter wanter{++last_wanter_.value};
  askers_.emplace(wanter, std::pair(object, std::move(asker)));
  step(objects::Want{wanter, object.hash, object.size_bytes, std::move(sources)}, now);
}

void FetchDesk::hear(base::NodeId node, const protocol::ObjectPart& part, base::Time now) {
  step(objects::PieceArrived{part.hash, part.offset, part.missing, part.data, node}, now);
}

void FetchDesk::step(const objects::TransferEvent& event, base::Time now) {
  for (const objects::TransferEffect& effect : machine_.step(event, now)) {
    if (const auto* ask = std::get_if<objects::AskPiece>(&effect)) {
      turn_.asked.emplace_back(ask->node,
                               protocol::ObjectFetch{ask->hash, ask->offset, ask->length});
    } else if (const auto* piece = std::get_if<objects::StorePiece>(&effect)) {
      perform(*piece, now);
    } else {
      const auto& failed = std::get<objects::TransferFailed>(effect);
      writer_.drop(failed.hash);
      end(failed.wanters, failed.error);
    }
  }
}

void FetchDesk::perform(const objects::StorePiece& piece, base::Time now) {
  const base::Status stored = writer_.write(piece);
  if (piece.last) {
    end(piece.wanters, stored);
  } else if (!stored.ok()) {
    step(objects::StoringFailed{piece.hash, stored.error()}, now);
  }
}

void FetchDesk::end(const std::vector<objects::Wanter>& wanters, const base::Status& status) {
  for (const objects::Wanter& wanter : wanters) {
    if (auto asker = askers_.extract(wanter); !asker.empty()) {
      auto& [object, who] = asker.mapped();
      turn_.ends.push_back({std::move(who), object, status});
    }
  }
}

}  // namespace fastgpu::actors
