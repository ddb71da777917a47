#pragma once

/// Torments a cluster, one fault a round, and lets it heal: what is struck, how hard and for how
/// long is drawn. Around a fault it times how soon work goes on. After each round all nodes must
/// see each other with all their devices again, in a minute or so. Runs on the thread that made the
/// cluster.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/cluster.hpp"
#include "tests/chaos/figures.hpp"
#include "tests/chaos/probes.hpp"
#include "tests/chaos/work.hpp"

namespace fastgpu::chaos {

class Nemesis {
 public:
  Nemesis(Cluster& cluster, Work& work, const ChaosOptions& options, const Plan& plan,
          base::Random& random, RunFigures& figures);

  /// False where this host cannot do such a thing.
  bool run_round(FaultKind kind);
  /// Undoes whatever was done; true once the cluster is whole.
  bool heal();

 private:
  /// What is done to one victim, and undone.
  struct Deed {
    std::string word;  ///< "killed", for the figures
    std::function<void()> strike;
    std::function<void()> undo;
    int undo_after_ms{};
    /// The victim's shards are led by others meanwhile, if there are replicas.
    bool silences_leader{true};
    bool is_busy{false};         ///< with commands: maybe no kernel comes to run there
    bool waits_for_work{false};  ///< undone only once the probes are answered
  };

  void kill(int victim);
  void kill_several(int count);
  void freeze(int victim, bool longer_than_leases);
  void cut(int victim);
  void one_way(int from, int to);
  void bridge(int one, int other);
  void slow(int victim);
  void reset(int victim);
  void fill_disk();
  void strike(int victim, const Deed& deed);
  /// Kills another node, maybe: what was timed then tells nothing.
  std::optional<int> strike_another(int victim);
  void judge_probes(int victim, const Deed& deed, history::Stamp struck, bool alone);

  bool start_kernels(int victim, int tries_max);
  /// The shards that the node leads, as another one sees it.
  std::vector<base::ShardId> led_by(int node);
  /// Where a job is kept that must go on while the node is away: any shard, if others can lead it.
  std::optional<base::ShardId> shard_without(int node);
  bool is_whole();
  void bury_the_dead();
  void complain(const std::string& what);
  void wait_ms(int ms);
  int draw_ms(int least, int most);
  int draw_node() {
    return static_cast<int>(random_.below(static_cast<std::uint64_t>(cluster_.size())));
  }
  int other_than(int node);

  Cluster& cluster_;
  Work& work_;
  const ChaosOptions options_;
  const Plan plan_;
  base::Random& random_;
  RunFigures& figures_;
  const ProcessorClock clock_;
  std::vector<std::shared_ptr<client::Connection>> each_;     ///< to one node each
  std::vector<std::shared_ptr<client::Connection>> all_but_;  ///< to all other nodes
  std::unique_ptr<KernelProbe> kernels_;
  std::vector<ShardProbe> shards_;
  bool full_disk_{false};  ///< now, or since the node last started
};

}  // namespace fastgpu::chaos
