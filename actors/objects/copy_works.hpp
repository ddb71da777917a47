#pragma once

/// What other nodes ask this one to keep: copies of what they have pinned, and inputs of submits.
/// What is absent is to be fetched, then all is pinned, then who asked is told; of inputs by the
/// CopyDesk, once they have copies in turn. Beneath the objects actor, which fetches, sends what
/// `take_said` gives, and calls on its own thread. Every ask is answered once for each time that it
/// begins a work; one that is repeated meanwhile is not. Limits: limits::copy_works_max at once
/// that wait, for limits::copy_objects_max objects each; more are refused.

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "actors/objects/copy_desk.hpp"

namespace fastgpu::actors {

/// What a node asked to be kept here; used once in the lives of that node.
struct CopyWork {
  base::NodeId node;
  std::uint64_t call{};
  std::uint32_t part{};  ///< of an ObjectPin; 0: of a KeepCopies
  auto operator<=>(const CopyWork&) const = default;
};

class CopyWorks {
 public:
  using Said = std::vector<std::pair<base::NodeId, protocol::CopiesKept>>;
  /// Objects to be brought here for a work, and whom to ask for each, in order.
  struct Begun {
    CopyWork work;
    std::vector<std::pair<protocol::ObjectRef, std::vector<base::NodeId>>> absent;
  };

  CopyWorks(const objects::BlobStore& store, PinDesk& pins, CopyDesk& copies,
            base::ShardLayout layout)
      : store_(store), pins_(pins), copies_(copies), layout_(layout) {}

  Begun take(base::NodeId node, const protocol::KeepCopies& keep, base::Time now);
  /// No node that is down is waited for: who submits is told. The CopyDesk holds the answer.
  Begun take(base::NodeId node, const protocol::ObjectPin& pin, base::Time now);
  /// An object that a work waited for is here, or will not come.
  void brought(const CopyWork& work, const base::ObjectHash& hash, const base::Status& status,
               base::Time now);
  Said take_said() { return std::exchange(said_, {}); }

 private:
  using Ask = std::variant<protocol::KeepCopies, protocol::ObjectPin>;
  struct Work {
    Ask ask;
    std::set<base::ObjectHash> absent;
  };

  void begin(Begun& begun, const Ask& ask, base::Time now);
  void end(const CopyWork& id, const Ask& ask, const base::Status& brought, base::Time now);
  void pin(const CopyWork& work, const protocol::KeepCopies& keep, base::Time now);
  void answer(const CopyWork& work, const base::Status& status);

  const objects::BlobStore& store_;
  PinDesk& pins_;
  CopyDesk& copies_;
  const base::ShardLayout layout_;
  std::map<CopyWork, Work> works_;
  Said said_;
};

}  // namespace fastgpu::actors
