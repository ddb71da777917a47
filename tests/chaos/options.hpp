#pragma once

/// What one run of chaos does: given on the command line or drawn from the seed, and printed, so
/// that a run can be had again. Pure values. A bad argument is an Error that says what is possible.
/// Processes and clocks are real: the same seed draws the same plan, not the same interleaving.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::chaos {

enum class FaultKind : std::uint8_t {
  kill,         ///< kill -9 of one node, started again once its work has gone on elsewhere
  kill_all,     ///< kill -9 of all at once
  kill_some,    ///< of more than one, but not all
  freeze,       ///< SIGSTOP of one node for less than a command's lease
  freeze_long,  ///< for longer than that
  cut,          ///< nothing passes between one node and the others
  one_way,      ///< nothing passes from one node to another, everything the other way
  bridge,       ///< two nodes hear each other only through the third
  slow,         ///< what one node hears and says is late
  reset,        ///< all connections of a node break, also in the middle of a frame
  full_disk,    ///< of the last node, whose folder is a small file system
};
inline constexpr std::size_t fault_kinds = 11;
const char* name_of(FaultKind kind);

struct ChaosOptions {
  std::uint64_t seed{1};
  int nodes{3};
  int devices{2};            ///< CPU devices of each node
  int replicas{3};           ///< of each shard that the cluster is founded with: 3 or 5
  int replicas_expected{3};  ///< 1: a shard is away while its node is; 3: its leader is replaced
  int rounds{8};
  int minutes{0};  ///< further runs with the next seeds until so much time has passed
  std::vector<FaultKind> only{};  ///< empty: all kinds that the seed turns on
  bool quick{false};     ///< the rounds of the short test: one after the other, pauses short
  bool keep{false};      ///< the folder also of a good run
  std::string folder{};  ///< below which the run's own folder is made; empty: the system's
  std::string check{};   ///< a kept folder: judge it again, run nothing
};

/// Drawn from the seed: who torments how, and how much work there is.
struct Plan {
  std::array<std::uint32_t, fault_kinds> weights{};  ///< 0: this run has none of that kind
  int clients{};
  int pause_ms{};               ///< between two calls of a client, on average
  int pause_round_ms{};         ///< between two rounds
  std::uint32_t command_ppm{};  ///< of submits
  std::uint32_t second_ppm{};   ///< of rounds with one victim: another node is killed meanwhile
  std::uint32_t reset_at_cut_ppm{};  ///< connections break when a cut begins, instead of hanging
  int freeze_ms_max{};
  int freeze_long_ms_max{};
  int cut_ms_max{};
};
Plan draw_plan(const ChaosOptions& options, base::Random& random);
/// Each option and its value, for people.
std::string to_text(const ChaosOptions& options, const Plan& plan);
/// The kinds of the rounds to come, in order.
std::vector<FaultKind> draw_rounds(const ChaosOptions& options, const Plan& plan,
                                   base::Random& random);

base::Result<ChaosOptions> parse_options(const std::vector<std::string>& words);
/// "scripts/chaos --seed 7 --rounds 20"
std::string replay_command(const ChaosOptions& options);
std::string usage();

}  // namespace fastgpu::chaos
