#include "examples/support/session.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace examples {
namespace {

constexpr auto job_limit = std::chrono::minutes(2);

}  // namespace

void SessionOptions::add_to(CLI::App& app) {
  app.add_option("--server", servers, "any nodes of the cluster; without: of the credentials")
      ->delimiter(',')
      ->envname("FASTGPU_SERVER");
  app.add_option("--kernel-file", kernel_file, "the kernels' source")->capture_default_str();
}

Session::Session(const SessionOptions& options)
    : client_(fastgpu::Client::open({.servers = options.servers}).value()),
      source_(read_file(options.kernel_file)) {}

fastgpu::JobSpec Session::job(const std::string& kernel) const {
  fastgpu::JobSpec spec;
  spec.name(kernel).kernel(kernel).source(source_);
  return spec;
}

std::vector<std::vector<fastgpu::Output>> Session::run(const fastgpu::JobSpec& spec) {
  auto result = client_.submit(spec).value().result(job_limit).value();
  std::vector<std::vector<fastgpu::Output>> outputs;
  for (auto& task : result.tasks) {
    if (task.state != fastgpu::JobState::succeeded) {
      throw std::runtime_error("task " + std::to_string(task.task) + " of job " +
                               std::to_string(result.id.value) + " " +
                               std::string(fastgpu::to_word(task.state)) + ": " + task.message);
    }
    ++places_[{task.node, task.device}];
    outputs.push_back(std::move(task.outputs));
  }
  return outputs;
}

void Session::print_places() const {
  std::printf("\n%-6s %-8s %s\n", "NODE", "DEVICE", "TASKS");
  for (const auto& [place, tasks] : places_) {
    std::printf("%-6s %-8u %zu\n", place.first.c_str(), place.second, tasks);
  }
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error(path + " cannot be read: is this the root of the repository?");
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) {
    throw std::runtime_error(path + " cannot be written: is the folder there, is there room?");
  }
}

int report_failure(const std::string& program, const std::function<void()>& body) {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
    return 1;
  }
}

}  // namespace examples
