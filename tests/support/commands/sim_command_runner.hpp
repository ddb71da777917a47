#pragma once

/// The command runner's simulated twin: the worker actor's words to a simulated warden and back.
///
/// Place in the flow: one for each life of a device, owned by its worker actor; the warden behind
/// it outlives the node, as real commands may. Orders reach the warden in their order, a little
/// later, as through a socket, also when their node has crashed meanwhile. Drives itself by the
/// harness's agenda, in virtual time.
/// The warden's earlier commands end when start() is called: a node says nothing of its new life
/// before. With `late_sweep` they end some time afterwards, which breaks that rule on purpose.

#include <functional>
#include <memory>

#include "runtime/base/random.hpp"
#include "runtime/exec/warden/command_runner.hpp"
#include "tests/support/commands/sim_warden.hpp"
#include "tests/support/sim_agenda.hpp"

namespace fastgpu::testing {

struct SimCommandOptions {
  bool late_sweep{false};
  /// When a moment of the node's clock is; empty: its clock is the simulation's.
  std::function<base::Time(base::Time)> true_time;
};

class SimCommandRunner final : public exec::CommandRunner {
 public:
  SimCommandRunner(SimAgenda& agenda, base::Random random, SimWarden& warden,
                   SimCommandOptions options)
      : agenda_(agenda), random_(random), warden_(warden), options_(options) {}

  void start(Sink sink) override;
  bool run(exec::CommandTask task) override;
  void stop(exec::CommandToken token, const std::string& why) override;
  void extend_lease(exec::CommandToken token, base::Time until) override;
  void note_gpu_use(const std::vector<exec::GpuProcess>&) override {}

 private:
  void begin_life();
  base::Time true_time(base::Time of_node) const {
    return options_.true_time ? options_.true_time(of_node) : of_node;
  }
  /// Hands the warden an order; dropped if the warden has another life by then.
  void order(std::function<void(SimWarden&)> what);

  SimAgenda& agenda_;
  base::Random random_;
  SimWarden& warden_;
  const SimCommandOptions options_;
  Sink sink_;
  bool ready_{false};
  base::Time last_order_{};
  std::shared_ptr<int> alive_{std::make_shared<int>(0)};
};

}  // namespace fastgpu::testing
