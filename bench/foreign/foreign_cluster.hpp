#pragma once

/// Runs the kernels of one foreign program on the CPU devices of a small cluster, each launch a job
/// of its own, and compares what comes of them with plain loops. One thread; a failure ends the
/// program's turn as a ForeignFailure, for this is a tool for people.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client/fastgpu/client.hpp"
#include "node/embedded/embedded_cluster.hpp"

namespace fastgpu::bench {

using Floats = std::vector<float>;

struct ForeignFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A node of its own with a client, for one job at a time.
class ForeignCluster {
 public:
  ForeignCluster();
  ~ForeignCluster();
  ForeignCluster(const ForeignCluster&) = delete;
  ForeignCluster& operator=(const ForeignCluster&) = delete;

  /// The outputs of the job's one task.
  std::vector<Output> run(const JobSpec& job);
  std::uint64_t launches() const { return launches_; }

 private:
  std::unique_ptr<node::EmbeddedCluster> cluster_;
  std::optional<Client> client_;
  std::uint64_t launches_{0};
};

/// A value, or a buffer that the kernel reads and writes.
using ForeignArgument = std::variant<int, float, Floats*>;
using Shape = std::array<std::uint32_t, 3>;
/// The names that a program's header gives to its sizes, and what they are to be.
using Sizes = std::vector<std::pair<std::string, int>>;

class ForeignProgram {
 public:
  /// `name` as in "GEMM/gemm": the files CUDA/GEMM/gemm.cu and .cuh below the folder.
  ForeignProgram(ForeignCluster& cluster, const std::string& folder, const std::string& name,
                 const Sizes& sizes);
  /// Covers `extent` threads with blocks of this size.
  void launch(const std::string& kernel, Shape extent, Shape block,
              std::vector<ForeignArgument> arguments);

 private:
  ForeignCluster& cluster_;
  std::string source_;
};

/// Values between -1 and 1 that look random and are the same in every run.
Floats sample(std::size_t count, unsigned seed);

/// Fails if an element differs by more than `tolerance` of the largest expected one.
void expect_near(const std::string& what, const Floats& found, const Floats& expected,
                 float tolerance = 1e-4f);

/// A program of the suite: its name, and what runs and checks it.
struct ForeignCase {
  std::string name;
  std::function<void(ForeignCluster&, const std::string& folder)> run;
};

std::vector<ForeignCase> linear_cases();
std::vector<ForeignCase> stencil_cases();
std::vector<ForeignCase> statistics_cases();

}  // namespace fastgpu::bench
