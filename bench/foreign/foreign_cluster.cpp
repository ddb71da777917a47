#include "bench/foreign/foreign_cluster.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "bench/foreign/kernel_text.hpp"

namespace fastgpu::bench {
namespace {

/// Only matters when something is broken.
constexpr std::chrono::minutes patience{5};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw ForeignFailure("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

ForeignCluster::ForeignCluster() {
  auto cluster = node::EmbeddedCluster::start({});
  if (!cluster.ok())
    throw ForeignFailure(cluster.error().message);
  cluster_ = std::move(cluster).value();
  client_ = Client::open({.credentials = cluster_->credentials()}).value();
}

ForeignCluster::~ForeignCluster() {
  client_.reset();
}

std::vector<Output> ForeignCluster::run(const JobSpec& job) {
  ++launches_;
  const auto submitted = client_->submit(job);
  if (!submitted)
    throw ForeignFailure(submitted.error().text());
  auto result = submitted.value().result(patience);
  if (!result)
    throw ForeignFailure(result.error().text());
  TaskResult& task = result.value().tasks.at(0);
  if (task.state != JobState::succeeded)
    throw ForeignFailure("it ended as " + task.reason + ": " + task.message);
  return std::move(task.outputs);
}

ForeignProgram::ForeignProgram(ForeignCluster& cluster, const std::string& folder,
                               const std::string& name, const Sizes& sizes)
    : cluster_(cluster) {
  const std::string path = folder + "/CUDA/" + name;
  const std::string code = read_file(path + ".cu");
  std::string header;
  if (std::ifstream(path + ".cuh"))
    header = read_file(path + ".cuh");
  std::string given;
  std::string given_again;  // a program without a header has its sizes in the source
  for (const auto& [size, value] : sizes) {
    const std::string define = "#define " + size + " " + std::to_string(value) + "\n";
    given += define;
    given_again += "#undef " + size + "\n" + define;
  }
  source_ = given + "#define POLYBENCH_LOOP_BOUND(x, y) x\n" + header + "\n" +
            (header.empty() ? "typedef float DATA_TYPE;\n" : "") + plain_defines(code) +
            given_again + device_functions(code);
}

void ForeignProgram::launch(const std::string& kernel, Shape extent, Shape block,
                            std::vector<ForeignArgument> arguments) {
  JobSpec job;
  std::array<std::uint32_t, 3> grid{};
  for (std::size_t i = 0; i < block.size(); ++i)
    grid[i] = (extent[i] + block[i] - 1) / block[i];
  job.name(kernel)
      .kernel(kernel)
      .source(source_)
      .grid(grid[0], grid[1], grid[2])
      .block(block[0], block[1], block[2])
      .device("cpu");
  std::vector<Floats*> buffers;
  for (const ForeignArgument& argument : arguments) {
    if (const auto* const number = std::get_if<int>(&argument)) {
      job.arg(*number);
    } else if (const auto* const real = std::get_if<float>(&argument)) {
      job.arg(*real);
    } else {
      buffers.push_back(std::get<Floats*>(argument));
      job.inout(*buffers.back());
    }
  }
  const std::vector<Output> outputs = cluster_.run(job);
  for (std::size_t i = 0; i < buffers.size(); ++i)
    std::memcpy(buffers[i]->data(), outputs.at(i).data.data(), outputs[i].data.size());
}

Floats sample(std::size_t count, unsigned seed) {
  Floats values(count);
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

void expect_near(const std::string& what, const Floats& found, const Floats& expected,
                 float tolerance) {
  float largest = 0;
  for (const float value : expected)
    largest = std::max(largest, std::fabs(value));
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (!(std::fabs(found.at(i) - expected[i]) <= tolerance * largest))
      throw ForeignFailure(what + "[" + std::to_string(i) + "] is " + std::to_string(found[i]) +
                           ", plain loops give " + std::to_string(expected[i]));
}

}  // namespace fastgpu::bench
