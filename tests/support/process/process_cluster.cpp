#include "tests/support/process/process_cluster.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::testing {

ProcessCluster::ProcessCluster(ProcessClusterOptions options)
    : environment_(std::move(options.environment)) {
  base::Result<link::ReservedPorts> taken = link::ReservedPorts::take(options.nodes);
  FASTGPU_CHECK(taken.ok(), "the loopback has free ports");
  ports_ = std::move(taken).value();
  for (const std::uint16_t port : ports_.ports()) {
    addresses_.push_back("127.0.0.1:" + std::to_string(port));
  }
  nodes_.resize(addresses_.size());
  for (int i = 0; i < options.nodes; ++i) {
    std::vector<std::string> command{program("fastgpu-node"), i == 0 ? "init" : "join"};
    if (i > 0) {
      command.insert(command.end(), {addresses_[0], "--token-file", token_file()});
    }
    command.insert(command.end(),
                   {"--dir", folder(i), "--listen", addresses_[i], "--name",
                    "n" + std::to_string(i + 1), "--devices", std::to_string(options.cpu_devices),
                    "--null-devices", std::to_string(options.null_devices)});
    const Finished made = run_command(command);
    EXPECT_EQ(made.exit_code, 0) << made.out << made.err;
    start(i);
  }
}

std::string ProcessCluster::token_file() const {
  const Finished made = fastgpu_at(0, {"node", "token", "-o", "id"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  return scratch_.write("token", made.out);
}

std::string ProcessCluster::servers() const {
  std::string all;
  for (const std::string& address : addresses_) {
    all += (all.empty() ? "" : ",") + address;
  }
  return all;
}

std::string ProcessCluster::folder(int index) const {
  return scratch_.file("n" + std::to_string(index + 1));
}

void ProcessCluster::kill(int index) {
  nodes_.at(index).reset();
}

void ProcessCluster::start(int index) {
  std::vector<std::string> command{"env"};
  command.insert(command.end(), environment_.begin(), environment_.end());
  command.insert(command.end(), {program("fastgpu-node"), "run", "--dir", folder(index)});
  nodes_.at(index) = std::make_unique<Process>(command);
  EXPECT_TRUE(nodes_[index]->await_line("ready"))
      << "node " << index + 1 << " did not start: " << nodes_[index]->err();
}

void ProcessCluster::freeze(int index) const {
  nodes_.at(index)->signal(SIGSTOP);
}

void ProcessCluster::thaw(int index) const {
  nodes_.at(index)->signal(SIGCONT);
}

Finished ProcessCluster::fastgpu(const std::vector<std::string>& words, Seconds limit) const {
  std::vector<std::string> command{program("fastgpu"), "--server", servers()};
  command.insert(command.end(), words.begin(), words.end());
  return run_command(command, limit);
}

Finished ProcessCluster::fastgpu_at(int index, const std::vector<std::string>& words,
                                    Seconds limit) const {
  std::vector<std::string> command{program("fastgpu"), "--server", address(index)};
  command.insert(command.end(), words.begin(), words.end());
  return run_command(command, limit);
}

}  // namespace fastgpu::testing
