#pragma once

/// The end of a run: waits until all that was accepted has ended, asks every node for every job,
/// and has the history judged, as it stands in the files. What could not be asked is a violation
/// too.

#include <string>

#include "tests/chaos/cluster.hpp"
#include "tests/chaos/figures.hpp"
#include "tests/chaos/work.hpp"

namespace fastgpu::chaos {

/// The cluster is whole and nobody else asks any more. Adds what the nodes say to the history.
void ask_all_nodes(const Cluster& cluster, Work& work, RunFigures& figures);

/// Reads the files of the folder, judges them, adds to the figures.
void judge(const std::string& folder, const ChaosOptions& options, RunFigures& figures);

}  // namespace fastgpu::chaos
