#include "node/embedded/embedded_cluster.hpp"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <caf/all.hpp>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "node/assembly/assembly.hpp"
#include "node/daemon/founding.hpp"
#include "node/daemon/node_config.hpp"
#include "node/daemon/node_keys.hpp"
#include "node/daemon/real_node.hpp"
#include "runtime/ledger/tables/replica_plan.hpp"
#include "runtime/link/reserved_ports.hpp"
#include "runtime/security/credentials.hpp"

namespace fastgpu::node {
namespace {

namespace fs = std::filesystem;

base::Error failed(const std::string& what) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal, what, ""};
}

base::Result<fs::path> temporary_folder() {
  std::string name = (fs::temp_directory_path() / "fastgpu.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return failed("no temporary folder: " + std::string(std::strerror(errno)));
  }
  // Commands run as users of their own where the node is root's: they pass through to the folder
  // that is theirs.
  ::chmod(name.c_str(), 0711);
  return fs::path(name);
}

/// What each node sees of the cluster, told on the monitors' threads.
class Views {
 public:
  void set(std::uint32_t index, protocol::SharedView view) {
    const std::lock_guard lock(mutex_);
    views_[index] = std::move(view);
    changed_.notify_all();
  }
  /// Until all of `nodes` nodes see all of them up, each with `devices` healthy devices.
  bool await_all(std::uint32_t nodes, std::uint32_t devices, std::chrono::seconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] {
      return views_.size() == nodes &&
             std::all_of(views_.begin(), views_.end(), [&](const auto& entry) {
               return is_whole(*entry.second, nodes, devices);
             });
    });
  }

 private:
  static bool is_whole(const protocol::ClusterView& view, std::uint32_t nodes,
                       std::uint32_t devices) {
    std::set<base::ShardId> led;
    for (const protocol::NodeView& node : view.nodes) {
      for (const protocol::LedShard& shard : node.leads) {
        led.insert(shard.shard);
      }
    }
    return view.nodes.size() == nodes && led.size() == nodes &&
           std::all_of(view.nodes.begin(), view.nodes.end(), [&](const protocol::NodeView& node) {
             return node.state == protocol::NodeState::up &&
                    std::count_if(node.devices.begin(), node.devices.end(), [](const auto& books) {
                      return books.healthy;
                    }) >= static_cast<std::ptrdiff_t>(devices);
           });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint32_t, protocol::SharedView> views_;
};

}  // namespace

struct EmbeddedCluster::Impl {
  explicit Impl(EmbeddedOptions given) : options(std::move(given)), system(quiet(config)) {}
  ~Impl() {
    nodes.clear();
    if (temporary) {
      std::error_code ignored;
      fs::remove_all(options.folder, ignored);
    }
  }

  NodeFolder folder(std::uint32_t index) const {
    return NodeFolder(options.folder / ("n" + std::to_string(index + 1)));
  }

  base::Status found() {
    if (base::Status good = ledger::check_replicas(options.replicas); !good.ok()) {
      return good;
    }
    base::Result<link::ReservedPorts> taken = link::ReservedPorts::take(options.nodes);
    if (!taken.ok()) {
      return taken.error();
    }
    ports = std::move(taken).value();
    std::vector<protocol::NodeInfo> members;
    for (std::uint32_t i = 0; i < options.nodes; ++i) {
      members.push_back({{i + 1},
                         "n" + std::to_string(i + 1),
                         "127.0.0.1:" + std::to_string(ports.ports()[i]),
                         random_store_id()});
    }
    base::Result<std::vector<protocol::ClientKey>> clients = make_keys(members);
    if (!clients.ok()) {
      return clients.error();
    }
    const base::ClusterId cluster = random_cluster_id();
    for (std::uint32_t i = 0; i < options.nodes; ++i) {
      NodeSettings settings;
      settings.name = members[i].name;
      settings.listen = members[i].address;
      settings.cpu_devices = options.cpu_devices;
      settings.null_devices = options.null_devices;
      const NodeIdentity identity{cluster, members[i].node, options.nodes,   members, true,
                                  "",      clients.value(), options.replicas};
      if (base::Status founded = found_node(folder(i), settings, identity); !founded.ok()) {
        return founded;
      }
    }
    return {};
  }

  /// A key for each node, and credentials for whoever is to use the cluster.
  base::Result<std::vector<protocol::ClientKey>> make_keys(
      std::vector<protocol::NodeInfo>& members) const {
    security::Credentials user{first_client, security::KeyPair::generate(), {}};
    for (std::uint32_t i = 0; i < options.nodes; ++i) {
      const base::Result<security::KeyPair> own = own_keys(folder(i));
      if (!own.ok()) {
        return own.error();
      }
      members[i].key = own.value().public_key();
      user.servers[members[i].address] = members[i].key;
    }
    if (base::Status made = security::write_credentials(credentials(), user); !made.ok()) {
      return made.error();
    }
    return std::vector<protocol::ClientKey>{{user.name, user.keys.public_key(), false}};
  }
  fs::path credentials() const { return options.folder / "client.toml"; }

  base::Status start_node(std::uint32_t index) {
    RealNodeOptions node_options;
    node_options.executor_program = options.executor_program;
    node_options.use_gpus = index == 0;  // the host has them once
    node_options.on_view = [this, index](const protocol::SharedView& view) {
      views.set(index, view);
    };
    auto node = RealNode::start(system, folder(index), node_options);
    if (!node.ok()) {
      return node.error();
    }
    nodes[index] = std::move(node).value();
    return {};
  }

  EmbeddedOptions options;
  link::ReservedPorts ports;  ///< those given to nodes of a folder that is new
  Views views;                ///< outlives the nodes, which tell it
  bool temporary{false};
  caf::actor_system_config config;
  caf::actor_system system;
  std::vector<std::unique_ptr<RealNode>> nodes;  ///< null while stopped
};

base::Result<std::unique_ptr<EmbeddedCluster>> EmbeddedCluster::start(EmbeddedOptions options) {
  const bool temporary = options.folder.empty();
  if (temporary) {
    base::Result<fs::path> folder = temporary_folder();
    if (!folder.ok()) {
      return folder.error();
    }
    options.folder = folder.value();
  }
  if (options.executor_program.empty()) {
    options.executor_program = find_executor_program();
  }
  auto impl = std::make_unique<Impl>(std::move(options));
  impl->temporary = temporary;
  impl->nodes.resize(impl->options.nodes);
  if (!impl->folder(0).is_founded()) {
    if (const base::Status founded = impl->found(); !founded.ok()) {
      return founded.error();
    }
  }
  for (std::uint32_t i = 0; i < impl->options.nodes; ++i) {
    if (const base::Status started = impl->start_node(i); !started.ok()) {
      return started.error();
    }
  }
  if (!impl->views.await_all(impl->options.nodes,
                             impl->options.cpu_devices + impl->options.null_devices,
                             impl->options.start_limit)) {
    return failed("the nodes or their devices did not come up within " +
                  std::to_string(impl->options.start_limit.count()) + " s; is " +
                  impl->options.executor_program + " there?");
  }
  return std::unique_ptr<EmbeddedCluster>(new EmbeddedCluster(std::move(impl)));
}

EmbeddedCluster::EmbeddedCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

EmbeddedCluster::~EmbeddedCluster() = default;

std::vector<std::string> EmbeddedCluster::addresses() const {
  std::vector<std::string> addresses;
  for (std::uint32_t i = 0; i < impl_->options.nodes; ++i) {
    const base::Result<NodeSettings> settings = impl_->folder(i).settings();
    addresses.push_back(settings.ok() ? settings.value().listen : "");
  }
  return addresses;
}

std::filesystem::path EmbeddedCluster::credentials() const {
  return impl_->credentials();
}

void EmbeddedCluster::stop(std::uint32_t index) {
  impl_->nodes.at(index).reset();
}

void EmbeddedCluster::append_log(std::uint32_t index, std::vector<base::LogRecord> records) {
  impl_->nodes.at(index)->append_log(std::move(records));
}

base::Status EmbeddedCluster::restart(std::uint32_t index) {
  impl_->nodes.at(index).reset();
  return impl_->start_node(index);
}

}  // namespace fastgpu::node
