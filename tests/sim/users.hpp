#pragma once

/// The users of a simulated cluster, and what they were promised. They submit kernels, commands and
/// jobs that wait for others, upload objects, cancel, look, and ask again under the same request
/// through another connection. What they are answered is held against what they were answered
/// before: a request makes one job, an accepted job is never unknown, and what a look has shown
/// another one that began later shows as well.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "tests/sim/object_user.hpp"
#include "tests/sim/plan.hpp"
#include "tests/sim/watch.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {

class Users {
 public:
  struct Job {
    protocol::JobSpec spec;
    base::RequestId request;
    std::uint32_t ended_seen{0};  ///< tasks that a look has shown to have ended
  };

  /// All of them outlive it.
  Users(SimWorld& world, base::Random& random, const Plan& plan, Watch& watch);

  /// Does one thing.
  void act();
  /// Every request that was accepted, once more; in peace.
  void ask_again_for_all();
  const std::map<base::JobId, Job>& accepted() const { return accepted_; }
  /// Submits that are not answered yet, or are still to be sent again.
  std::uint64_t waiting() const { return waiting_; }
  std::uint64_t uploads() const { return objects_.uploads(); }
  std::uint64_t looks() const { return looks_; }
  std::uint64_t repeats() const { return repeats_; }
  std::uint64_t refused() const { return refused_; }

 private:
  void submit_something();
  protocol::JobSpec some_kernel();
  protocol::JobSpec some_command();
  std::vector<protocol::Dependency> some_conditions();
  void submit(protocol::JobSpec spec);
  void send(SimClient& client, const base::RequestId& request, const protocol::JobSpec& spec);
  void answered(const base::RequestId& request, const protocol::JobSpec& spec,
                const protocol::ClientReply& reply);
  void cancel(base::JobId job);
  void look();
  void looked(base::JobId job, std::uint32_t shown_before, const protocol::ClientReply& reply);
  base::JobId some_job(bool rather_late);
  base::Duration between(base::Duration low, base::Duration high);

  SimWorld& world_;
  base::Random& random_;
  const Plan& plan_;
  Watch& watch_;
  SimClient first_;
  SimClient second_;
  ObjectUser objects_;
  std::map<base::JobId, Job> accepted_;
  std::map<base::RequestId, base::JobId> requests_;
  std::uint64_t last_request_{0};
  std::uint64_t waiting_{0};
  std::uint64_t looks_{0};
  std::uint64_t repeats_{0};
  std::uint64_t refused_{0};
};

}  // namespace fastgpu::testing
