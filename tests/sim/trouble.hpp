#pragma once

/// What befalls the nodes of a simulated world, each for a while, and peace in the end. One for
/// each history, beside its world; what it draws makes the seed's history, so the order of its
/// draws is part of it.
///
/// Limits: of every shard a majority keeps its disk. At most one node of a world whose shards have
/// three replicas loses it, or finds it damaged and is refused; such a node stays out.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/random.hpp"
#include "tests/support/sim_world.hpp"

namespace fastgpu::testing {

enum class FaultKind : std::uint8_t {
  crash,        ///< kill -9
  sync_crash,   ///< the same at a chosen point of a sync: before, within, after
  failed_sync,  ///< the process ends itself
  power,        ///< all nodes at once
  freeze,       ///< SIGSTOP, and SIGCONT later
  stall,        ///< the node's link alone stands still
  cut,          ///< between two nodes
  one_way,      ///< from one node to another, or to all others
  split,        ///< two parts that do not hear each other; often one node hears both
  slow_disk,
  full_disk,
  clock_jump,  ///< of the clock of the day
  rot,         ///< one bit of one record, while the node is down
  lost_disk,
  count,
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(FaultKind::count);
const char* to_word(FaultKind kind);

template <class Value>
using PerFault = std::array<Value, fault_kinds>;

class Trouble {
 public:
  using Lasting = std::function<base::Duration()>;

  /// World and random outlive it.
  Trouble(SimWorld& world, base::Random& random, const PerFault<bool>& kinds, Lasting lasting);

  /// One of the wanted kinds.
  void make();
  /// A network without faults, sound disks, and all nodes up but those that are out.
  void make_peace();
  /// The node has no disk any more that the cluster would take back.
  bool is_out(std::uint32_t index) const { return out_ == index; }
  const PerFault<std::uint64_t>& made() const { return made_; }
  /// Damage or a lost disk that a node began with as if nothing were.
  const std::vector<std::string>& unnoticed() const { return unnoticed_; }

 private:
  void befall(FaultKind kind, std::uint32_t victim);
  void crash(std::uint32_t victim);
  void arm_sync(std::uint32_t victim, store::SyncPoint point);
  void cut_power();
  void freeze(std::uint32_t victim);
  void stall(std::uint32_t victim);
  void cut(std::vector<std::pair<std::uint32_t, std::uint32_t>> ways);
  void split(std::uint32_t bridge);
  void fill_disk(std::uint32_t victim);
  void slow_disk(std::uint32_t victim);
  void spoil(FaultKind kind, std::uint32_t victim);
  void revive(std::uint32_t index);
  void later(std::function<void()> what);
  std::uint32_t node() { return static_cast<std::uint32_t>(random_.below(world_.node_count())); }

  SimWorld& world_;
  base::Random& random_;
  std::vector<FaultKind> kinds_;
  const Lasting lasting_;
  std::optional<std::uint32_t> out_;
  PerFault<std::uint64_t> made_{};
  std::vector<std::string> unnoticed_;
};

}  // namespace fastgpu::testing
