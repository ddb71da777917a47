/// Trains a small neural network on a FastGPU cluster. Each step is one job: an array of kernel
/// tasks, one per shard of the images, that each return the gradient of their shard; this program
/// adds them up and moves the weights. A last array reads the test images.
///
///   digits --server 127.0.0.1:7601 --kernel-file examples/digits/digits.cu
///          --data examples/digits/data/digits.bin [--steps 60] [--tasks-per-step 12]

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fastgpu/client.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "examples/digits/dataset.hpp"
#include "examples/digits/network.hpp"

namespace {

constexpr auto step_limit = std::chrono::minutes(2);

struct Options {
  std::vector<std::string> servers;
  std::string kernel_file{"examples/digits/digits.cu"};
  std::string data{"examples/digits/data/digits.bin"};
  std::size_t steps{60};
  std::size_t tasks_per_step{12};
};

/// What ran where, over all jobs.
using TaskCounts = std::map<std::pair<std::string, std::uint32_t>, std::size_t>;

/// One cluster, one kernel source, and the count of what ran where.
class Trainer {
 public:
  Trainer(fastgpu::Client client, std::string source)
      : client_(std::move(client)), source_(std::move(source)) {}

  /// Runs `kernel` once per shard with the weights; the output of each task, in order.
  fastgpu::Expected<std::vector<fastgpu::Output>> run(const std::string& kernel,
                                                      const digits::Shards& shards,
                                                      const std::vector<float>& weights,
                                                      std::size_t output_bytes) {
    const auto spec = fastgpu::JobSpec{}
                          .name("digits " + kernel)
                          .kernel(kernel)
                          .source(source_)
                          .grid(1)
                          .block(128)
                          .tasks(static_cast<std::uint32_t>(shards.records.size()))
                          .in_each(shards.records)
                          .in_each(shards.counts)
                          .in(weights)
                          .out(output_bytes);
    auto job = client_.submit(spec);
    if (!job) {
      return job.error();
    }
    auto result = job.value().result(step_limit);
    if (!result) {
      return result.error();
    }
    std::vector<fastgpu::Output> outputs;
    for (auto& task : result.value().tasks) {
      if (task.state != fastgpu::JobState::succeeded || task.outputs.size() != 1) {
        fastgpu::Error error;
        error.message = kernel + " failed: " + task.message;
        return error;
      }
      ++counts_[{task.node, task.device}];
      outputs.push_back(std::move(task.outputs.front()));
    }
    return outputs;
  }

  const TaskCounts& counts() const { return counts_; }

 private:
  fastgpu::Client client_;
  std::string source_;
  TaskCounts counts_;
};

struct Trained {
  std::vector<float> weights;
  float loss{0};  ///< mean over the training images, before the last step
};

fastgpu::Expected<Trained> train(Trainer& trainer, const digits::Images& images,
                                 const Options& options) {
  const auto shards = digits::cut(images, options.tasks_per_step);
  const auto image_count = static_cast<float>(images.count());
  Trained trained{digits::initial_weights()};
  digits::Adam adam(0.02f);
  for (std::size_t step = 1; step <= options.steps; ++step) {
    const auto outputs = trainer.run("train_shard", shards, trained.weights,
                                     (digits::weight_count + 1) * sizeof(float));
    if (!outputs) {
      return outputs.error();
    }
    std::vector<float> sums(digits::weight_count + 1);
    for (const auto& output : *outputs) {
      const auto part = output.as<float>();
      for (std::size_t i = 0; i < sums.size(); ++i) {
        sums[i] += part.at(i) / image_count;
      }
    }
    trained.loss = sums.back();
    sums.pop_back();
    adam.step(trained.weights, sums);
    if (step == 1 || step % 10 == 0 || step == options.steps) {
      std::printf("step %3zu  loss %.4f\n", step, static_cast<double>(trained.loss));
      std::fflush(stdout);
    }
  }
  return trained;
}

/// How many of the images the network reads rightly.
fastgpu::Expected<std::size_t> count_right(Trainer& trainer, const digits::Images& images,
                                           const std::vector<float>& weights,
                                           std::size_t shard_count) {
  const auto shards = digits::cut(images, shard_count);
  const auto largest = (images.count() + shard_count - 1) / shard_count;
  const auto outputs = trainer.run("read_shard", shards, weights, largest);
  if (!outputs) {
    return outputs.error();
  }
  std::size_t image = 0;
  std::size_t right = 0;
  for (std::size_t shard = 0; shard < shard_count; ++shard) {
    const auto shard_size = shards.records[shard].size() / digits::record_bytes;
    for (std::size_t i = 0; i < shard_size; ++i, ++image) {
      right += (*outputs)[shard].data.at(i) == images.digit(image) ? 1 : 0;
    }
  }
  return right;
}

void print_counts(const TaskCounts& counts) {
  std::printf("\n%-6s %-8s %s\n", "NODE", "DEVICE", "TASKS");
  for (const auto& [place, tasks] : counts) {
    std::printf("%-6s %-8u %zu\n", place.first.c_str(), place.second, tasks);
  }
}

int fail(const fastgpu::Error& error) {
  std::fprintf(stderr, "digits: %s\n", error.text().c_str());
  return 1;
}

int run(const Options& options) {
  const auto dataset = digits::load(options.data);
  std::ifstream file(options.kernel_file);
  std::string source{std::istreambuf_iterator<char>(file), {}};
  if (!dataset || source.empty()) {
    std::fprintf(stderr, "digits: cannot read %s or %s\n", options.data.c_str(),
                 options.kernel_file.c_str());
    return 1;
  }
  auto client = fastgpu::Client::open({.servers = options.servers});
  if (!client) {
    return fail(client.error());
  }
  Trainer trainer(*client, std::move(source));
  const auto started = std::chrono::steady_clock::now();
  const auto trained = train(trainer, dataset->training, options);
  if (!trained) {
    return fail(trained.error());
  }
  const auto right =
      count_right(trainer, dataset->testing, trained->weights, options.tasks_per_step);
  if (!right) {
    return fail(right.error());
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - started;
  print_counts(trainer.counts());
  std::printf("\n%zu steps of %zu tasks in %.1f s, loss %.4f\n", options.steps,
              options.tasks_per_step, taken.count(), static_cast<double>(trained->loss));
  const auto tested = dataset->testing.count();
  std::printf("test accuracy %.2f %% (%zu of %zu digits read rightly)\n",
              100.0 * static_cast<double>(*right) / static_cast<double>(tested), *right, tested);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Trains a network that reads handwritten digits on a FastGPU cluster"};
  app.add_option("--server", options.servers,
                 "any nodes of the cluster; without: of the credentials")
      ->delimiter(',');
  app.add_option("--kernel-file", options.kernel_file, "the kernels' source");
  app.add_option("--data", options.data, "the images");
  app.add_option("--steps", options.steps, "training steps")->check(CLI::Range(1, 10000));
  app.add_option("--tasks-per-step", options.tasks_per_step, "shards of the images")
      ->check(CLI::Range(1, 299));
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
