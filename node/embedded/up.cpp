#include "node/embedded/up.hpp"

#include <signal.h>

#include <iostream>

#include "node/daemon/report.hpp"
#include "node/embedded/embedded_cluster.hpp"

namespace fastgpu::node {
namespace {

bool is_json(const UpOptions& options) {
  return options.output == "json" || options.output == "jsonl";
}

void announce(const UpOptions& options, const std::vector<std::string>& addresses,
              const std::string& credentials) {
  std::string quoted;
  for (const std::string& address : addresses) {
    quoted += (quoted.empty() ? "\"" : ",\"") + address + "\"";
  }
  if (is_json(options)) {
    std::cout << R"({"schema":"fastgpu.up/1","as_of":")" << time_now()
              << R"(","source":"n1","stale":false,"servers":[)" << quoted << R"(],"credentials":")"
              << credentials << "\"}" << std::endl;
  } else if (options.output == "id") {
    std::cout << credentials << std::endl;
  } else {
    std::cout << "ready: " << options.nodes << (options.nodes == 1 ? " node" : " nodes") << " with "
              << options.devices << (options.devices == 1 ? " CPU device" : " CPU devices")
              << " each\n  use it   export FASTGPU_CREDENTIALS=" << credentials
              << "\n           fastgpu status\n  stop it  Ctrl-C; nothing of it is kept"
              << std::endl;
  }
}

}  // namespace

int run_up(const UpOptions& options) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);

  EmbeddedOptions embedded;
  embedded.nodes = options.nodes;
  embedded.cpu_devices = options.devices;
  embedded.replicas = options.replicas;
  const auto cluster = EmbeddedCluster::start(embedded);
  if (!cluster.ok()) {
    return report(cluster.error(), is_json(options));
  }
  announce(options, cluster.value()->addresses(), cluster.value()->credentials().string());
  int signal_number = 0;
  sigwait(&ends, &signal_number);
  return 0;
}

}  // namespace fastgpu::node
