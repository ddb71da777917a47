#include "tests/sim/users.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/base/limits.hpp"

namespace fastgpu::testing {

using namespace std::chrono_literals;

Users::Users(SimWorld& world, base::Random& random, const Plan& plan, Watch& watch)
    : world_(world),
      random_(random),
      plan_(plan),
      watch_(watch),
      first_(world),
      second_(world),
      objects_(world, first_, base::Random(random.next()),
               [this](protocol::JobSpec spec) { submit(std::move(spec)); }) {}

base::Duration Users::between(base::Duration low, base::Duration high) {
  return low + base::Duration{static_cast<std::int64_t>(
                   random_.below(static_cast<std::uint64_t>((high - low).count())))};
}

void Users::act() {
  if (plan_.objects && random_.chance(700'000)) {
    objects_.act();
  } else if (!accepted_.empty() && random_.chance(200'000)) {
    look();
  } else {
    submit_something();
  }
}

void Users::submit_something() {
  protocol::JobSpec spec =
      plan_.commands && random_.chance(800'000) ? some_command() : some_kernel();
  if (random_.chance(350'000)) {
    spec.after = some_conditions();
  }
  submit(std::move(spec));
}

protocol::JobSpec Users::some_kernel() {
  static constexpr const char* sources[] = {"__global__ ok", "__global__ ok", "__global__ ok",
                                            "__global__ fail", "__global__ crash"};
  const std::uint64_t most = plan_.commands ? 3 : 30;
  protocol::JobSpec spec =
      simple_job(1 + static_cast<std::uint32_t>(random_.below(most)), sources[random_.below(5)]);
  spec.retries = static_cast<std::uint32_t>(random_.below(3));
  return spec;
}

protocol::JobSpec Users::some_command() {
  protocol::JobSpec spec;
  spec.name = "simulated";
  spec.command.argv = {"train", "{}"};
  spec.tasks = 1 + static_cast<std::uint32_t>(random_.below(4));
  const bool limited = random_.chance(200'000);
  spec.time_limit_ns = (limited ? between(1s, 10s) : base::limits::duration_max).count();
  spec.lease_ns = random_.chance(700'000) ? between(10s, 15s).count() : 0;
  spec.retries = static_cast<std::uint32_t>(random_.below(4));
  return spec;
}

base::JobId Users::some_job(bool rather_late) {
  const auto last = static_cast<std::uint64_t>(accepted_.size());
  const std::uint64_t from = rather_late && last > 5 ? last - 5 : 0;
  const auto place = static_cast<std::ptrdiff_t>(from + random_.below(last - from));
  return std::next(accepted_.begin(), place)->first;
}

/// Jobs of any shard, ended or not; now and then one that never was.
std::vector<protocol::Dependency> Users::some_conditions() {
  std::vector<protocol::Dependency> conditions(1 + random_.below(2));
  for (protocol::Dependency& condition : conditions) {
    condition.kind = static_cast<protocol::DependencyKind>(random_.below(3));
    if (accepted_.empty() || random_.chance(50'000)) {
      condition.job = {1'000'000'000 + random_.below(100)};
    } else {
      condition.job = some_job(random_.chance(600'000));
    }
  }
  return conditions;
}

void Users::submit(protocol::JobSpec spec) {
  // Enough lives for everything: what ends as lost then is a fault of ours.
  spec.crash_limit = 1000;
  const base::RequestId request{
      {static_cast<std::uint32_t>(random_.below(world_.node_count()))}, 0x5e3d, ++last_request_};
  send(first_, request, spec);
  if (random_.chance(200'000)) {
    ++repeats_;
    ++waiting_;
    // Often while the first is still being written.
    const base::Duration wait = random_.chance(500'000) ? between(1ns, 5ms) : between(1ms, 3s);
    world_.agenda().note_in(wait, [this, request, spec] {
      --waiting_;
      send(second_, request, spec);
    });
  }
}

void Users::send(SimClient& client, const base::RequestId& request, const protocol::JobSpec& spec) {
  ++waiting_;
  client.call(protocol::Submit{request, {std::make_shared<const protocol::JobSpec>(spec)}}, 8s,
              [this, request, spec](const protocol::ClientReply& reply) {
                --waiting_;
                answered(request, spec, reply);
              });
}

void Users::answered(const base::RequestId& request, const protocol::JobSpec& spec,
                     const protocol::ClientReply& reply) {
  const auto* accepted = std::get_if<protocol::Accepted>(&reply);
  if (accepted == nullptr) {
    ++refused_;
    return;  // refused or unknown: nothing was promised
  }
  const auto [known, is_new] = requests_.emplace(request, accepted->job);
  if (known->second != accepted->job) {
    watch_.violation("one request was answered with " + to_string(known->second) + " and " +
                     to_string(accepted->job));
  }
  if (!is_new) {
    return;
  }
  if (!accepted_.emplace(accepted->job, Job{spec, request}).second) {
    watch_.violation("two submits were answered with job " + to_string(accepted->job));
  }
  if (random_.chance(150'000)) {
    cancel(accepted->job);
  }
}

/// At once, or later, when it has perhaps ended.
void Users::cancel(base::JobId job) {
  const base::Duration wait = random_.chance(500'000) ? between(1ns, 5ms) : between(5ms, 5s);
  world_.agenda().note_in(wait, [this, job] {
    first_.call(protocol::CancelJob{{}, job}, 8s, [](const protocol::ClientReply&) {});
  });
}

void Users::look() {
  const base::JobId job = some_job(true);
  SimClient& client = random_.chance(500'000) ? first_ : second_;
  client.call(protocol::ShowJob{job, 0}, 4s,
              [this, job, before = accepted_.at(job).ended_seen](
                  const protocol::ClientReply& reply) { looked(job, before, reply); });
}

void Users::looked(base::JobId job, std::uint32_t shown_before,
                   const protocol::ClientReply& reply) {
  if (const auto* error = std::get_if<base::Error>(&reply)) {
    if (error->code == base::ErrorCode::not_found) {
      watch_.violation("a look found accepted job " + to_string(job) + " unknown");
    }
    return;
  }
  const auto* detail = std::get_if<protocol::JobDetail>(&reply);
  if (detail == nullptr) {
    return;
  }
  ++looks_;
  std::uint32_t ended = 0;
  const auto& counts = detail->summary.counts;
  for (std::size_t state = 0; state < counts.size(); ++state) {
    ended += protocol::is_terminal(static_cast<protocol::TaskState>(state)) ? counts[state] : 0;
  }
  if (ended < shown_before) {
    watch_.violation("a look at " + to_string(job) + " shows " + std::to_string(ended) +
                     " ended tasks, an earlier one showed " + std::to_string(shown_before));
  }
  std::uint32_t& seen = accepted_.at(job).ended_seen;
  seen = std::max(seen, ended);
}

void Users::ask_again_for_all() {
  for (const auto& [job, known] : accepted_) {
    send(second_, known.request, known.spec);
  }
}

}  // namespace fastgpu::testing
