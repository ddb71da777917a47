#include "tests/support/process/process_cluster.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/security/secret_file.hpp"
#include "tests/support/process/credentials.hpp"

namespace fastgpu::testing {
namespace {

constexpr std::size_t shard_count = 8;  // as init founds them

}  // namespace

ProcessCluster::ProcessCluster(ProcessClusterOptions options) : options_(std::move(options)) {
  base::Result<link::ReservedPorts> taken =
      link::ReservedPorts::take(options_.nodes + options_.later_nodes);
  FASTGPU_CHECK(taken.ok(), "the loopback has free ports");
  ports_ = std::move(taken).value();
  for (int i = 0; i < options_.nodes; ++i) {
    make_node(0);
    if (i == 0) {
      use_credentials(folder(0) + "/client.toml");
    }
  }
  use_keys();
}

void ProcessCluster::make_node(int member) {
  const int index = size();
  addresses_.push_back("127.0.0.1:" + std::to_string(ports_.ports().at(index)));
  nodes_.emplace_back();
  std::vector<std::string> command{program("fastgpu-node"), index == 0 ? "init" : "join"};
  if (index > 0) {
    command.insert(command.end(), {addresses_[member], "--token-file", token_file(member)});
  } else {
    command.insert(command.end(), {"--replicas", std::to_string(options_.replicas)});
  }
  command.insert(command.end(), {"--dir", folder(index), "--listen", addresses_[index], "--name",
                                 "n" + std::to_string(index + 1), "--devices",
                                 std::to_string(options_.cpu_devices), "--null-devices",
                                 std::to_string(options_.null_devices)});
  const Finished made = run_command(command);
  EXPECT_EQ(made.exit_code, 0) << made.out << made.err;
  start(index);
}

void ProcessCluster::join_another(int member) {
  make_node(member);
  use_keys();
}

void ProcessCluster::use_keys() const {
  std::vector<std::string> folders;
  for (int i = 0; i < size(); ++i) {
    folders.push_back(folder(i));
  }
  use_credentials_of(folders, addresses_, scratch_.file("client.toml"));
}

std::string ProcessCluster::token_file(int member) const {
  const Finished made = fastgpu_at(member, {"node", "token", "-o", "id"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const std::string path = scratch_.file("token");
  EXPECT_TRUE(security::replace_secret_file(path, made.out).ok());
  return path;
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

bool ProcessCluster::leaders_are_spread(int asked) const {
  const Finished listed = fastgpu_at(asked, {"node", "list", "--json"});
  const auto document = nlohmann::json::parse(listed.out, nullptr, false);
  if (listed.exit_code != 0 || document.is_discarded()) {
    return false;
  }
  std::size_t shards = 0;
  std::size_t least = shard_count;
  std::size_t most = 0;
  for (const auto& node : document["items"]) {
    shards += node["leads_shards"].size();
    least = std::min(least, node["leads_shards"].size());
    most = std::max(most, node["leads_shards"].size());
  }
  const std::size_t nodes = nodes_.size();
  // Where all nodes keep all shards they share exactly, so that the last one to come leads some.
  const bool exactly = nodes <= static_cast<std::size_t>(options_.replicas);
  return shards == shard_count && most <= (shards + nodes - 1) / nodes &&
         (!exactly || least >= shards / nodes);
}

void ProcessCluster::await_replicas() {
  if (replicas_seen_ || size() < 3) {
    return;
  }
  replicas_seen_ = true;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!leaders_are_spread(0)) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "the leaderships are not spread: " << fastgpu_at(0, {"node", "list"}).out;
      return;
    }
  }
}

void ProcessCluster::kill(int index) {
  await_replicas();
  nodes_.at(index).reset();
}

void ProcessCluster::start(int index) {
  std::vector<std::string> command{"env"};
  command.insert(command.end(), options_.environment.begin(), options_.environment.end());
  command.insert(command.end(), {program("fastgpu-node"), "run", "--dir", folder(index)});
  nodes_.at(index) = std::make_unique<Process>(command);
  EXPECT_TRUE(nodes_[index]->await_line("ready"))
      << "node " << index + 1 << " did not start: " << nodes_[index]->err();
}

void ProcessCluster::freeze(int index) {
  await_replicas();
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
