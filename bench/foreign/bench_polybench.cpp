/// Kernels of the PolyBench/GPU suite, unchanged, as kernel jobs on the CPU device, checked against
/// plain loops.
///
/// bench_polybench FOLDER: the suite's own folder, the one with CUDA/ in it. Without one it says so
/// and ends well: the suite is no part of this project. Sizes are small; each launch is a kernel
/// job of its own on a cluster of one node, its buffers carried in and out.

#include <cstdio>
#include <filesystem>

#include "bench/exec/bench_support.hpp"
#include "bench/foreign/foreign_cluster.hpp"

using namespace fastgpu::bench;

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "";
  if (folder.empty() || !std::filesystem::is_directory(folder + "/CUDA")) {
    std::printf("bench_polybench: skipped: %s\n",
                folder.empty() ? "no folder of the PolyBench/GPU suite was given"
                               : ("there is no folder " + folder + "/CUDA").c_str());
    return 0;
  }
  int failed = 0;
  int passed = 0;
  ForeignCluster cluster;
  for (const auto& cases : {linear_cases(), stencil_cases(), statistics_cases()}) {
    for (const ForeignCase& each : cases) {
      const std::uint64_t before = cluster.launches();
      const auto begin = Clock::now();
      try {
        each.run(cluster, folder);
        ++passed;
        std::printf("%-12s right    %4llu launches, %7.1f ms\n", each.name.c_str(),
                    static_cast<unsigned long long>(cluster.launches() - before),
                    microseconds_since(begin) / 1000);
      } catch (const ForeignFailure& failure) {
        ++failed;
        std::printf("%-12s WRONG    %s\n", each.name.c_str(), failure.what());
      }
      std::fflush(stdout);
    }
  }
  std::printf("bench_polybench: %d programs right, %d wrong\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
