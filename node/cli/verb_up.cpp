#include <signal.h>

#include "node/cli/verbs.hpp"
#include "node/embedded/embedded_cluster.hpp"

namespace fastgpu::cli {

/// A throw-away cluster inside this process, until Ctrl-C.
int verb_up(Context& context, const Invocation& invocation) {
  // Blocked before any thread exists, so that only the wait below takes them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);

  node::EmbeddedOptions options;
  options.nodes = invocation.nodes;
  options.cpu_devices = invocation.devices;
  const auto cluster = node::EmbeddedCluster::start(options);
  if (!cluster.ok()) {
    return context.fail(cluster.error());
  }
  std::string servers;
  for (const std::string& address : cluster.value()->addresses()) {
    servers += (servers.empty() ? "" : ",") + address;
  }
  if (context.format() == Format::table) {
    context.print("ready: " + std::to_string(options.nodes) + " nodes with " +
                  std::to_string(options.cpu_devices) +
                  " CPU devices each\n  use it   fastgpu --server " + servers +
                  " status\n  stop it  Ctrl-C; nothing of it is kept\n");
  } else if (context.format() == Format::id) {
    context.print(servers + "\n");
  } else {
    Json document{{"schema", "fastgpu.up/1"}, {"servers", cluster.value()->addresses()}};
    context.print(document);
  }
  int signal_number = 0;
  sigwait(&ends, &signal_number);
  return 0;
}

}  // namespace fastgpu::cli
