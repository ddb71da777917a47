#pragma once

/// A user of objects in the simulated cluster: uploads inputs, submits jobs that need them, at once
/// or later, forgets some of them, and names some that may be gone by then. And what must hold of
/// the disks in the end, told apart from the code that keeps it.

#include <functional>
#include <vector>

#include "runtime/base/random.hpp"
#include "tests/sim/watch.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {

class ObjectUser {
 public:
  using Submit = std::function<void(protocol::JobSpec)>;

  ObjectUser(SimWorld& world, SimClient& client, base::Random random, Submit submit)
      : world_(world), client_(client), random_(random), submit_(std::move(submit)) {}

  /// Does one thing.
  void act();
  std::uint64_t uploads() const { return objects_.size(); }

 private:
  void upload();
  void uploaded(const protocol::ObjectRef& object);
  void submit(const protocol::ObjectRef& object);

  SimWorld& world_;
  SimClient& client_;
  base::Random random_;
  const Submit submit_;
  std::vector<protocol::ObjectRef> objects_;  ///< all that were ever uploaded
};

/// Short enough for a simulation, and far longer than a submit takes on its way.
objects::PinLimits short_pin_limits();

/// Notes a violation for each object that a recorded job names and too few nodes have and pinned
/// (its home, where there are no copies), and for each object and each pin that is there for nobody
/// that a ledger knows. All nodes are up.
void check_objects(const SimWorld& world, Watch& watch);

}  // namespace fastgpu::testing
