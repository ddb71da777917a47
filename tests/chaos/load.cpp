#include "tests/chaos/load.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace fastgpu::chaos {
namespace {

constexpr std::chrono::milliseconds call_limit{6000};
constexpr std::size_t live_jobs_max = 6;

std::vector<int> shuffled(int count, base::Random& random) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  for (std::size_t i = numbers.size(); i > 1; --i) {
    std::swap(numbers[i - 1], numbers[random.below(i)]);
  }
  return numbers;
}

int draw(base::Random& random, int least, int most) {
  return least + static_cast<int>(random.below(static_cast<std::uint64_t>(most - least + 1)));
}

}  // namespace

Load::Load(const Cluster& cluster, Work& work, const Plan& plan, base::Random& random)
    : cluster_(cluster), work_(work), plan_(plan) {
  for (int number = 1; number <= plan.clients; ++number) {
    clients_.emplace_back([this, number, seed = random.next()](const std::stop_token& stop) {
      run(stop, number, base::Random(seed));
    });
  }
}

void Load::run(const std::stop_token& stop, int number, base::Random random) {
  Client client{"c" + std::to_string(number), nullptr, random, {}};
  client.connection = cluster_.connect(shuffled(cluster_.size(), client.random), client.name);
  while (!stop.stop_requested()) {
    call(client);
    std::unique_lock lock(mutex_);
    const std::chrono::milliseconds pause(draw(client.random, 0, 2 * plan_.pause_ms));
    pause_.wait_for(lock, stop, pause, [] { return false; });
  }
}

void Load::call(Client& client) {
  const std::uint64_t dice = client.random.below(100);
  const std::optional<Request> known = work_.any_request(client.random);
  if (client.live.size() >= live_jobs_max) {
    const std::uint64_t oldest = client.live.front();
    const auto detail = work_.read(*client.connection, client.name, oldest, call_limit);
    client.live.pop_front();
    if (!detail || !protocol::is_terminal(detail->summary.state)) {
      client.live.push_back(oldest);
    }
  } else if (dice < 55 || !known) {
    submit_new(client);
  } else if (dice < 65) {
    work_.submit(*client.connection, client.name, *known, call_limit);  // the same once more
  } else if (known->job != 0 && dice < 70) {
    work_.cancel(*client.connection, client.name, known->job, call_limit);
  } else if (known->job != 0) {
    work_.read(*client.connection, client.name, known->job, call_limit);
  }
}

void Load::submit_new(Client& client) {
  base::Random& random = client.random;
  const bool command = random.chance(plan_.command_ppm);
  const int tasks = command ? draw(random, 1, 2) : draw(random, 1, 6);
  // A few commands live long enough to see several faults.
  const int ms = !command                ? draw(random, 0, 60)
                 : random.chance(80'000) ? draw(random, 2000, 8000)
                                         : draw(random, 20, 400);
  const Request request =
      work_.make(client.name, command ? history::Kind::command : history::Kind::kernel,
                 static_cast<std::uint32_t>(tasks), ms, random);
  const std::uint64_t job = work_.submit(*client.connection, client.name, request, call_limit);
  if (job != 0) {
    client.live.push_back(job);
  }
}

}  // namespace fastgpu::chaos
