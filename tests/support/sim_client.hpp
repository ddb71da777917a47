#pragma once

/// A user of the simulated cluster: the real client actor over a simulated link. Calls come back
/// through callbacks, in virtual time.

#include <caf/all.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/protocol/client_messages.hpp"
#include "tests/support/sim_world.hpp"

namespace fastgpu::testing {

class SimClient {
 public:
  using Callback = std::function<void(const protocol::ClientReply&)>;

  /// Dials all nodes of the world.
  explicit SimClient(SimWorld& world);
  ~SimClient();
  SimClient(const SimClient&) = delete;
  SimClient& operator=(const SimClient&) = delete;

  void call(protocol::ClientRequest request, base::Duration limit, Callback done);
  void submit(const protocol::JobSpec& spec, base::Duration limit, Callback done);
  /// Calls and lets time pass until the answer is there.
  protocol::ClientReply ask(protocol::ClientRequest request,
                            base::Duration limit = std::chrono::seconds{10});

 private:
  struct State;
  SimWorld& world_;
  std::shared_ptr<State> state_;
};

/// A kernel job for simulated devices: `tasks` tasks whose output is their own index, 4 bytes.
protocol::JobSpec simple_job(std::uint32_t tasks, const std::string& source = "__global__ ok");

}  // namespace fastgpu::testing
