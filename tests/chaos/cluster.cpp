#include "tests/chaos/cluster.hpp"

#include <filesystem>
#include <fstream>

#include "runtime/security/secret_file.hpp"
#include "tests/support/process/credentials.hpp"

namespace fastgpu::chaos {
namespace {

using testing::Finished;
using testing::Process;
using testing::program;

constexpr testing::Seconds ready_limit{90};

base::Error failed(const std::string& what, const std::string& said) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal, what + ": " + said, ""};
}

}  // namespace

base::Result<std::unique_ptr<Cluster>> Cluster::found(const ChaosOptions& options,
                                                      const std::string& folder) {
  std::unique_ptr<Cluster> cluster(new Cluster(folder));
  if (const base::Status prepared = cluster->prepare(options); !prepared.ok()) {
    return prepared.error();
  }
  for (int node = 0; node < options.nodes; ++node) {
    if (const base::Status made = cluster->make_node(options, node); !made.ok()) {
      return made.error();
    }
  }
  cluster->use_keys();
  return cluster;
}

Cluster::~Cluster() {
  for (int node = 0; node < size(); ++node) {
    if (is_up(node)) {
      kill(node);
    }
  }
}

base::Status Cluster::prepare(const ChaosOptions& options) {
  const auto count = static_cast<std::size_t>(options.nodes);
  base::Result<link::ReservedPorts> taken = link::ReservedPorts::take(count + 1);
  if (!taken.ok()) {
    return taken.error();
  }
  ports_ = std::move(taken).value();
  std::vector<std::uint16_t> ports = ports_.ports();
  recorder_port_ = ports.back();
  ports.pop_back();
  for (const std::uint16_t port : ports) {
    addresses_.push_back("127.0.0.1:" + std::to_string(port));
  }
  nodes_.resize(count);
  shard_count_ = options.replicas_expected == 1 ? static_cast<std::uint32_t>(count) : 8;
  base::Result<Rooms> rooms = Rooms::make(options.nodes);
  if (rooms.ok()) {
    rooms_ = std::move(rooms).value();
    base::Result<std::unique_ptr<Proxy>> links = Proxy::start(rooms_, ports);
    if (!links.ok()) {
      return links.error();
    }
    links_ = std::move(links).value();
  } else {
    why_no_links_ = rooms.error().message;
  }
  auto disk = std::make_unique<SmallDisk>(node_folder(options.nodes - 1));
  why_no_disk_ = disk->why_not();
  disk_ = disk->mounted() ? std::move(disk) : nullptr;
  executions_ = std::make_unique<HistoryFile>(folder_ + "/executions.jsonl");
  auto recorder = Recorder::start(rooms_, options.nodes, recorder_port_, *executions_);
  if (!recorder.ok()) {
    return recorder.error();
  }
  recorder_ = std::move(recorder).value();
  return {};
}

/// A token is good for one node.
base::Result<std::string> Cluster::token_file(int node) const {
  const Finished made =
      run_in(0, {program("fastgpu"), "--dir", node_folder(0), "node", "token", "-o", "id"});
  if (made.exit_code != 0) {
    return failed("no token for " + name(node), made.out + made.err);
  }
  const std::string path = folder_ + "/" + name(node) + ".token";
  if (const base::Status kept = security::replace_secret_file(path, made.out); !kept.ok()) {
    return kept.error();
  }
  return path;
}

void Cluster::use_keys() const {
  std::vector<std::string> folders;
  for (int node = 0; node < size(); ++node) {
    folders.push_back(node_folder(node));
  }
  testing::use_credentials_of(folders, addresses_, folder_ + "/client.toml");
}

base::Status Cluster::make_node(const ChaosOptions& options, int node) {
  std::vector<std::string> words{program("fastgpu-node"), node == 0 ? "init" : "join"};
  if (node > 0) {
    const base::Result<std::string> token = token_file(node);
    if (!token.ok()) {
      return token.error();
    }
    words.insert(words.end(), {addresses_[0], "--token-file", token.value()});
  } else {
    words.insert(words.end(), {"--shards", std::to_string(shard_count_), "--replicas",
                               std::to_string(options.replicas)});
  }
  words.insert(words.end(),
               {"--dir", node_folder(node), "--listen", addresses_[index(node)], "--name",
                name(node), "--devices", std::to_string(options.devices), "--null-devices", "0"});
  const Finished made = run_in(node, words);
  if (made.exit_code != 0) {
    return failed(name(node) + " could not be made", made.out + made.err);
  }
  spawn(node);
  return await_ready(node);
}

Finished Cluster::run_in(int node, const std::vector<std::string>& words) const {
  const Rooms::Inside inside(rooms_, node);
  return testing::run_command(words);
}

void Cluster::spawn(int node) {
  const Rooms::Inside inside(rooms_, node);
  // A run that is killed itself leaves no node behind.
  nodes_[index(node)] = std::make_unique<Process>(
      std::vector<std::string>{"setpriv", "--pdeathsig", "KILL", program("fastgpu-node"), "run",
                               "--dir", node_folder(node)});
}

base::Status Cluster::await_ready(int node) {
  if (nodes_[index(node)]->await_line("ready", ready_limit)) {
    return {};
  }
  return failed(name(node) + " does not serve", nodes_[index(node)]->err());
}

void Cluster::bury(int node) {
  std::ofstream(folder_ + "/" + name(node) + ".err", std::ios::app)
      << nodes_[index(node)]->err() << "---\n";
  nodes_[index(node)].reset();
}

void Cluster::kill(int node) {
  nodes_[index(node)]->kill();
  bury(node);
}

std::optional<std::string> Cluster::ended_by_itself(int node) {
  if (!is_up(node)) {
    return std::nullopt;
  }
  const std::optional<int> code = nodes_[index(node)]->await_end(testing::Seconds{0});
  if (!code) {
    return std::nullopt;
  }
  const std::string said = nodes_[index(node)]->err();
  bury(node);
  return name(node) + " ended by itself with code " + std::to_string(*code) + ": " +
         said.substr(said.size() > 2000 ? said.size() - 2000 : 0);
}

std::shared_ptr<client::Connection> Cluster::connect(const std::vector<int>& nodes,
                                                     const std::string& program_name) const {
  client::ConnectionOptions options;
  for (const int node : nodes) {
    options.servers.push_back(addresses_[index(node)]);
  }
  options.program = program_name;
  return client::Connection::open(options).value();
}

}  // namespace fastgpu::chaos
