#pragma once

/// Copies that other nodes ask this one to keep: what is absent is to be fetched, then all is
/// pinned, then who asked is told. Beneath the objects actor, which fetches, sends what `take_said`
/// gives, and calls on its own thread. Every KeepCopies is answered once for each time that it
/// begins a work; one that is repeated meanwhile is not. Limit: limits::copy_works_max at once,
/// more are refused.

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "actors/pin_desk.hpp"

namespace fastgpu::actors {

/// What a node asked to be kept here; used once in the lives of that node.
struct CopyWork {
  base::NodeId node;
  std::uint64_t call{};
  auto operator<=>(const CopyWork&) const = default;
};

class CopyWorks {
 public:
  using Said = std::vector<std::pair<base::NodeId, protocol::CopiesKept>>;

  CopyWorks(const objects::BlobStore& store, PinDesk& pins, base::ShardLayout layout)
      : store_(store), pins_(pins), layout_(layout) {}

  /// Objects to be brought here for it are in `absent`.
  CopyWork take(base::NodeId node, const protocol::KeepCopies& keep,
                std::vector<protocol::ObjectRef>& absent, base::Time now);
  /// An object that a work waited for is here, or will not come.
  void brought(const CopyWork& work, const base::ObjectHash& hash, const base::Status& status,
               base::Time now);
  Said take_said() { return std::exchange(said_, {}); }

 private:
  struct Work {
    protocol::KeepCopies keep;
    std::set<base::ObjectHash> absent;
  };

  void pin(const CopyWork& work, const protocol::KeepCopies& keep, base::Time now);
  void answer(const CopyWork& work, const base::Status& status);

  const objects::BlobStore& store_;
  PinDesk& pins_;
  const base::ShardLayout layout_;
  std::map<CopyWork, Work> works_;
  Said said_;
};

}  // namespace fastgpu::actors
