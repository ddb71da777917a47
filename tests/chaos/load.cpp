#include "tests/chaos/load.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace fastgpu::chaos {
namespace {

constexpr std::chrono::milliseconds call_limit{6000};

std::vector<int> shuffled(int count, base::Random& random) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  for (std::size_t i = numbers.size(); i > 1; --i) {
    std::swap(numbers[i - 1], numbers[random.below(i)]);
  }
  return numbers;
}

int draw_ms(base::Random& random, int least, int most) {
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
  const std::string name = "c" + std::to_string(number);
  const auto connection = cluster_.connect(shuffled(cluster_.size(), random), name);
  while (!stop.stop_requested()) {
    call(*connection, name, random);
    std::unique_lock lock(mutex_);
    pause_.wait_for(lock, stop, std::chrono::milliseconds(draw_ms(random, 0, 2 * plan_.pause_ms)),
                    [] { return false; });
  }
}

void Load::call(client::Connection& connection, const std::string& name, base::Random& random) {
  const std::uint64_t dice = random.below(100);
  const std::optional<Request> known = work_.any_request(random);
  if (dice < 55 || !known) {
    const bool command = random.chance(plan_.command_ppm);
    const auto tasks =
        static_cast<std::uint32_t>(command ? draw_ms(random, 1, 2) : draw_ms(random, 1, 6));
    // A few commands live long enough to see several faults.
    const int ms = !command                ? draw_ms(random, 0, 60)
                   : random.chance(80'000) ? draw_ms(random, 2000, 8000)
                                           : draw_ms(random, 20, 400);
    const Request request = work_.make(
        name, command ? history::Kind::command : history::Kind::kernel, tasks, ms, random);
    work_.submit(connection, name, request, call_limit);
  } else if (dice < 65) {
    work_.submit(connection, name, *known, call_limit);  // the same once more
  } else if (known->job != 0 && dice < 70) {
    work_.cancel(connection, name, known->job, call_limit);
  } else if (known->job != 0) {
    work_.read(connection, name, known->job, call_limit);
  }
}

}  // namespace fastgpu::chaos
