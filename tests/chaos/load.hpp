#pragma once

/// Clients that go on asking whatever happens: each a thread with a connection of its own. They
/// submit arrays of kernels and commands, look at jobs of each other, cancel some, and send some
/// requests again. Each has a few jobs that live, no more: a machine that is slow gets less work,
/// not a queue in which everything else would wait. Ends when destroyed; a call that is out then is
/// waited for.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/cluster.hpp"
#include "tests/chaos/options.hpp"
#include "tests/chaos/work.hpp"

namespace fastgpu::chaos {

class Load {
 public:
  Load(const Cluster& cluster, Work& work, const Plan& plan, base::Random& random);

 private:
  void run(const std::stop_token& stop, int number, base::Random random);
  struct Client {
    std::string name;
    std::shared_ptr<client::Connection> connection;
    base::Random random;
    std::deque<std::uint64_t> live;  ///< jobs of its own, as far as it knows
  };
  void call(Client& client);
  void submit_new(Client& client);

  const Cluster& cluster_;
  Work& work_;
  const Plan plan_;
  std::mutex mutex_;
  std::condition_variable_any pause_;
  std::vector<std::jthread> clients_;  ///< end first
};

}  // namespace fastgpu::chaos
