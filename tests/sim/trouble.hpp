#pragma once

/// What befalls the nodes of a simulated world: crashes, cut connections, pauses, each for a while,
/// and peace in the end. One for each history, beside its world; what it draws makes the seed's
/// history, so the order of its draws is part of it.

#include <cstdint>
#include <functional>

#include "runtime/base/random.hpp"
#include "tests/support/sim_world.hpp"

namespace fastgpu::testing {

struct TroubleKinds {
  bool crashes{false};
  bool cuts{false};
  bool pauses{false};
};

class Trouble {
 public:
  /// World and random outlive it.
  Trouble(SimWorld& world, base::Random& random, TroubleKinds kinds)
      : world_(world), random_(random), kinds_(kinds) {}

  /// One of them, or nothing where its kind is not wanted; `lasting` draws for how long.
  void make(const std::function<base::Duration()>& lasting);
  /// A network without faults, and all nodes up.
  void make_peace();
  std::uint64_t crashes() const { return crashes_; }

 private:
  void revive(std::uint32_t index);

  SimWorld& world_;
  base::Random& random_;
  const TroubleKinds kinds_;
  std::uint64_t crashes_{0};
};

}  // namespace fastgpu::testing
