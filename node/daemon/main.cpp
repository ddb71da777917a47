// fastgpu-node: the daemon of one host. `init` founds a cluster, `join` makes a further node of it,
// `run` is what a service starts, `recover` is for when too many disks are lost. They exit with the
// codes of docs/errors.md; `run` with 78 where its configuration is wrong, so that a service
// manager does not start it again and again.

#include <signal.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <caf/all.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "node/assembly/assembly.hpp"
#include "node/daemon/founding.hpp"
#include "node/daemon/join.hpp"
#include "node/daemon/node_config.hpp"
#include "node/daemon/node_keys.hpp"
#include "node/daemon/readiness.hpp"
#include "node/daemon/real_node.hpp"
#include "node/daemon/recover.hpp"
#include "node/daemon/report.hpp"
#include "node/embedded/up.hpp"
#include "node/host/random.hpp"
#include "runtime/link/address.hpp"
#include "runtime/security/join_token.hpp"

namespace fastgpu::node {
namespace {

constexpr const char* version = "0.1.0";
constexpr std::chrono::seconds join_limit{20};
constexpr std::chrono::seconds devices_limit{10};
constexpr std::chrono::seconds leaders_limit{2};

struct Arguments {
  std::string folder;
  NodeSettings settings;
  std::uint32_t shard_count{8};
  std::uint32_t replicas{3};
  std::string member_address;
  std::string token_file;
  bool verbose{false};
};

/// Port 0 would be another port at each start: people could not be told it.
base::Status check_listen(const std::string& address) {
  const base::Result<link::ListenAddress> parsed =
      link::parse_listen_address(address, link::Reachable::from_anywhere);
  if (!parsed.ok()) {
    return parsed.error();
  }
  if (parsed.value().port == 0) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       "--listen " + address + " has port 0",
                       "give the port that others will use, such as 127.0.0.1:7600"};
  }
  return {};
}

int init(const Arguments& arguments) {
  if (const base::Status good = check_listen(arguments.settings.listen); !good.ok()) {
    return report(good.error());
  }
  const NodeFolder folder(arguments.folder);
  if (folder.is_founded()) {
    return report(folder.begin(arguments.settings).error());
  }
  const protocol::NodeInfo self{
      {1}, arguments.settings.name, arguments.settings.listen, random_store_id()};
  const base::Result<NodeIdentity> identity = found_keys(folder, {random_cluster_id(),
                                                                  self.node,
                                                                  arguments.shard_count,
                                                                  {self},
                                                                  true,
                                                                  "",
                                                                  {},
                                                                  arguments.replicas});
  if (!identity.ok()) {
    return report(identity.error());
  }
  const base::Status founded = found_node(folder, arguments.settings, identity.value());
  if (!founded.ok()) {
    return report(founded.error());
  }
  std::cout << "Wrote " << (folder.path() / "node.toml").string() << ": node " << self.name
            << " of a new cluster, to listen on " << self.address << ".\n"
            << "Start it:          fastgpu-node run --dir " << arguments.folder << "\n"
            << "Use it:            fastgpu --credentials " << folder.credentials().string()
            << " status\n"
            << "Join another host: fastgpu-node join " << self.address << " --token-file "
            << folder.join_token().string() << " --dir DIR --listen ADDRESS --name NAME\n";
  return 0;
}

int join(const Arguments& arguments) {
  if (const base::Status good = check_listen(arguments.settings.listen); !good.ok()) {
    return report(good.error());
  }
  const NodeFolder folder(arguments.folder);
  if (folder.is_founded()) {
    return report(folder.begin(arguments.settings).error());
  }
  const base::Result<security::JoinToken> token = security::read_join_token(arguments.token_file);
  if (!token.ok()) {
    return report(token.error());
  }
  const base::Result<security::KeyPair> own = own_keys(folder);
  if (!own.ok()) {
    return report(own.error());
  }
  const base::RequestId request{{0}, random_seed(), random_seed()};
  const protocol::Join asked{
      request,           arguments.settings.name, arguments.settings.listen, token.value().shown(),
      random_store_id(), own.value().public_key()};
  const auto joined = ask_to_join(arguments.member_address, token.value(), asked, join_limit);
  if (!joined.ok()) {
    return report(joined.error());
  }
  const protocol::Joined& place = joined.value();
  const base::Status founded =
      found_node(folder, arguments.settings,
                 {place.cluster, place.self.node, place.shard_count, place.members, false, ""});
  if (!founded.ok()) {
    return report(founded.error());
  }
  std::cout << "Joined as node " << place.self.name << " (number " << place.self.node.value << ", "
            << place.members.size() << " members).\n"
            << "Start it: fastgpu-node run --dir " << arguments.folder << "\n";
  return 0;
}

int run(const Arguments& arguments) {
  const NodeFolder folder(arguments.folder);
  if (!folder.is_founded()) {
    return report({base::ErrorKind::rejected, base::ErrorCode::not_found,
                   arguments.folder + " is no node's folder: it has no identity.toml",
                   "make it with fastgpu-node init or join, or give the right --dir"});
  }
  // Blocked before any thread exists, so that only the wait below takes them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);

  RealNodeOptions options;
  options.executor_program = find_executor_program();
  const base::Result<NodeSettings> settings = folder.settings();
  const base::Result<NodeIdentity> identity = folder.identity();
  if (!settings.ok() || !identity.ok()) {
    const base::Error& error = settings.ok() ? identity.error() : settings.error();
    report(error);
    return start_exit_code(error);
  }
  Readiness readiness(settings.value().name,
                      settings.value().cpu_devices + settings.value().null_devices,
                      identity.value().shard_count);
  options.on_view = [&readiness](const protocol::SharedView& view) { readiness.see(*view); };
  if (arguments.verbose) {
    options.trace = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  }
  caf::actor_system_config config;
  caf::actor_system system(quiet(config));
  const auto node = RealNode::start(system, folder, options);
  if (!node.ok()) {
    report(node.error());
    return start_exit_code(node.error());
  }
  if (!readiness.await(devices_limit)) {
    std::cerr << "fastgpu-node: not all devices have reported after " << devices_limit.count()
              << " s; serving without them (fastgpu node list shows them)\n";
  }
  if (!readiness.await_leaders(leaders_limit)) {
    std::cerr << "fastgpu-node: some parts of the ledger have no leader yet: a majority of their "
                 "replicas must be up (fastgpu node list shows the nodes)\n";
  }
  std::cout << "ready" << std::endl;
  int signal_number = 0;
  sigwait(&ends, &signal_number);
  return 0;
}

void add_node_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--dir", arguments.folder, "the node's data folder")->required();
  command.add_option("--listen", arguments.settings.listen, "address that others dial")
      ->default_val("127.0.0.1:7600");
  command.add_option("--name", arguments.settings.name, "unique in the cluster")->required();
  command.add_option("--devices", arguments.settings.cpu_devices, "CPU devices")
      ->check(CLI::Range(0, 64));
  command
      .add_option("--null-devices", arguments.settings.null_devices,
                  "devices that finish every task at once, to measure everything else")
      ->check(CLI::Range(0, 64));
}

void add_founding_options(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--shards", arguments.shard_count,
                  "parts of the ledger, for good: at least as many as nodes will share the work of "
                  "leading them")
      ->check(CLI::Range(1, 65536));
  command
      .add_option("--replicas", arguments.replicas,
                  "copies of each part, once there are so many nodes: with 3 any one node may be "
                  "lost, with 5 any two")
      ->check(CLI::IsMember({3, 5}))
      ->capture_default_str();
}

void add_recover_options(CLI::App& command, RecoverArguments& recover) {
  command.add_option("--dir", recover.folder, "the data folder of a node that does not run")
      ->required();
  command
      .add_option(
          "--shards", recover.shards,
          "these only, such as 0,3; left out, those in which this node votes, but not alone")
      ->delimiter(',');
  command.add_flag("--force", recover.force,
                   "go on from this node's logs alone; what other nodes had beyond them is lost");
}

int main_program(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"The FastGPU daemon: one on each host, none of them the head."};
  app.require_subcommand(1);
  CLI::App* init_command = app.add_subcommand("init", "found a cluster with this as first node");
  add_node_options(*init_command, arguments);
  add_founding_options(*init_command, arguments);
  CLI::App* join_command = app.add_subcommand("join", "become a further node of a cluster");
  join_command->add_option("member", arguments.member_address, "address of any node")->required();
  join_command
      ->add_option("--token-file", arguments.token_file,
                   "what fastgpu node token printed, or join.token of the first node")
      ->required();
  add_node_options(*join_command, arguments);
  CLI::App* run_command = app.add_subcommand("run", "serve, in the foreground");
  run_command->add_option("--dir", arguments.folder, "the node's data folder")->required();
  run_command->add_flag("-v,--verbose", arguments.verbose, "tell on stderr what happens and why");
  RecoverArguments lost;
  CLI::App* recover_command = app.add_subcommand(
      "recover",
      "show what this node holds of each shard, and found shards anew from that whose "
      "majority is gone for good");
  add_recover_options(*recover_command, lost);
  UpOptions up;
  CLI::App* up_command = app.add_subcommand("up", "a throw-away cluster: what fastgpu up starts");
  up_command->add_option("--nodes", up.nodes, "how many nodes")->check(CLI::Range(1, 16));
  up_command->add_option("--devices", up.devices, "CPU devices of each")->check(CLI::Range(1, 64));
  up_command->add_option("--replicas", up.replicas, "copies of each part of the ledger: 3 or 5")
      ->check(CLI::IsMember({3, 5}));
  up_command->add_option("--output", up.output, "table, json, jsonl or id");
  CLI::App* version_command = app.add_subcommand("version", "print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      return app.exit(error);  // help was asked for
    }
    return report(
        {base::ErrorKind::invalid, base::ErrorCode::usage, error.what(),
         "fastgpu-node --help shows the commands, fastgpu-node COMMAND --help their flags"},
        up.output == "json" || up.output == "jsonl");
  }
  if (version_command->parsed()) {
    std::cout << "fastgpu-node " << version << "\n";
    return 0;
  }
  if (up_command->parsed()) {
    return run_up(up);
  }
  if (recover_command->parsed()) {
    return recover(lost);
  }
  return init_command->parsed()   ? init(arguments)
         : join_command->parsed() ? join(arguments)
                                  : run(arguments);
}

}  // namespace
}  // namespace fastgpu::node

int main(int argc, char** argv) {
  return fastgpu::node::main_program(argc, argv);
}
