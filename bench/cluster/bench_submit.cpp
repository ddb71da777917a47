/// Durable submits per second: three embedded nodes, three replicas of every shard, sync on. 64
/// clients, each with a thread and (unless fewer are asked for) a connection of its own, submit
/// small jobs of one task each and wait until each is accepted: first one at a time, then with
/// several under way. The jobs wait for a device that is not there; with `run` they run on null
/// devices meanwhile, so that their placements and outcomes pass through the same logs. Beside it
/// what one synced write costs the same disk in the same run: one store that writes alone, and
/// three at once, as three nodes on one disk do. Clients, nodes and all are this one process.
///
/// bench_submit [FOLDER] [SECONDS] [ROUNDS] [CONNECTIONS] [run|wait]: works in a new folder inside
/// FOLDER and removes it.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "client/connection.hpp"
#include "node/embedded/embedded_cluster.hpp"
#include "runtime/store/rocksdb_store.hpp"

namespace {

using namespace fastgpu;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::size_t clients_max = 64;
constexpr std::ptrdiff_t in_flight_of_batches = 16;  // of each client
constexpr double target_part = 0.6;                  // of clients / (1.5 x synced write)
constexpr double target_batched = 10'000;
constexpr int writes_measured = 100;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "bench_submit: %s\n", what.c_str());
  std::exit(1);
}

double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(part * static_cast<double>(values.size() - 1)));
}
double median(const std::vector<double>& values) {
  return quantile(values, 0.5);
}

// --- the disk ------------------------------------------------------------------------------------

/// What each of some writes of 256 bytes takes, one after the other, in a store of its own.
std::vector<double> synced_writes_ms(const fs::path& folder) {
  auto opened = store::RocksDbStore::open({.folder = folder.string()});
  if (!opened.ok()) {
    fail(opened.error().message);
  }
  std::binary_semaphore durable(0);
  opened.value()->start([&durable](store::StoreDurable) { durable.release(); });
  std::vector<double> times;
  for (std::uint64_t number = 1; number <= writes_measured; ++number) {
    const Clock::time_point start = Clock::now();
    const base::Bytes value(std::vector<std::uint8_t>(256, 'v'));
    opened.value()->write({number}, {store::Write::put("b" + std::to_string(number), value)});
    durable.acquire();
    times.push_back(ms_since(start));
  }
  opened.value().reset();  // its thread may still be inside the sink
  fs::remove_all(folder);
  return times;
}

double synced_write_ms(const fs::path& folder, int stores) {
  std::mutex mutex;
  std::vector<double> all;
  std::vector<std::thread> threads;
  for (int i = 0; i < stores; ++i) {
    threads.emplace_back([&, i] {
      const std::vector<double> times = synced_writes_ms(folder / ("store" + std::to_string(i)));
      const std::lock_guard lock(mutex);
      all.insert(all.end(), times.begin(), times.end());
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return median(all);
}

// --- the clients ---------------------------------------------------------------------------------

/// What becomes of the jobs.
enum class Jobs : std::uint8_t { wait, run };

protocol::SharedSpec small_job(Jobs jobs) {
  protocol::JobSpec spec;
  spec.name = "noop";
  spec.kernel.name = "noop";
  spec.kernel.source = base::Bytes::copy_of(std::string("__global__ void noop() {}\n"));
  spec.request.kind = jobs == Jobs::run ? protocol::DeviceKind::null : protocol::DeviceKind::cpu;
  spec.wait_if_infeasible = jobs == Jobs::wait;
  return {std::make_shared<const protocol::JobSpec>(spec)};
}

/// Submits jobs, so many at a time, until told to stop; then waits for the last one's end.
class Submitter {
 public:
  Submitter(std::shared_ptr<client::Connection> connection, Jobs jobs)
      : connection_(std::move(connection)), spec_(small_job(jobs)) {}

  void submit_until(Clock::time_point end, std::ptrdiff_t in_flight) {
    latencies_ms_.clear();
    room_.release(in_flight);
    while (Clock::now() < end) {
      room_.acquire();
      connection_->start(protocol::Submit{{}, spec_}, client::in(std::chrono::seconds(30)),
                         [this, start = Clock::now()](const client::Reply& reply) {
                           accepted(reply, start);
                           room_.release();
                         });
    }
    for (std::ptrdiff_t i = 0; i < in_flight; ++i) {
      room_.acquire();
    }
  }
  void await_last() const {
    while (!spec_->wait_if_infeasible) {
      const auto listed = connection_->ask_for<protocol::JobList>(
          protocol::WaitJob{last_, 1'000'000'000}, client::in(std::chrono::seconds(60)));
      if (!listed.ok()) {
        fail(listed.error().message);
      }
      if (protocol::is_terminal(listed.value().jobs.at(0).state)) {
        return;
      }
    }
  }
  /// Of those accepted since the last `submit_until` began.
  const std::vector<double>& latencies_ms() const { return latencies_ms_; }

 private:
  /// On the connection's thread.
  void accepted(const client::Reply& reply, Clock::time_point start) {
    const auto* accepted = std::get_if<protocol::Accepted>(&reply);
    if (accepted == nullptr) {
      const auto* error = std::get_if<base::Error>(&reply);
      fail("a submit was not accepted: " + (error ? error->message : std::string("?")));
    }
    last_ = accepted->job;
    latencies_ms_.push_back(ms_since(start));
  }

  std::shared_ptr<client::Connection> connection_;
  const protocol::SharedSpec spec_;
  std::counting_semaphore<1024> room_{0};
  std::vector<double> latencies_ms_;
  base::JobId last_;
};

struct Figures {
  double per_second{};
  double p50_ms{};
  double p99_ms{};
  double cpu_us{};  ///< of this process, clients and nodes, for one submit
};

double cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& time) { return time.tv_sec * 1e6 + time.tv_usec; };
  return us(used.ru_utime) + us(used.ru_stime);
}

Figures submit(std::vector<std::unique_ptr<Submitter>>& submitters, double seconds,
               std::ptrdiff_t in_flight) {
  const double cpu_before_us = cpu_us();
  const Clock::time_point start = Clock::now();
  const auto end =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::thread> threads;
  for (const auto& submitter : submitters) {
    threads.emplace_back([&submitter, end, in_flight] { submitter->submit_until(end, in_flight); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const double taken_ms = ms_since(start);
  const double cpu_taken_us = cpu_us() - cpu_before_us;
  std::vector<double> all;
  for (const auto& submitter : submitters) {
    all.insert(all.end(), submitter->latencies_ms().begin(), submitter->latencies_ms().end());
  }
  for (const auto& submitter : submitters) {
    submitter->await_last();
  }
  const auto count = static_cast<double>(all.size());
  return {count / taken_ms * 1000, median(all), quantile(all, 0.99), cpu_taken_us / count};
}

/// The connections go round the nodes.
std::vector<std::unique_ptr<Submitter>> connect(const node::EmbeddedCluster& cluster,
                                                std::size_t connections, Jobs jobs) {
  const std::vector<std::string> addresses = cluster.addresses();
  std::vector<std::shared_ptr<client::Connection>> open;
  for (std::size_t i = 0; i < connections; ++i) {
    open.push_back(client::Connection::open(
                       {{addresses[i % addresses.size()]}, "bench_submit", cluster.credentials()})
                       .value());
  }
  std::vector<std::unique_ptr<Submitter>> submitters;
  for (std::size_t i = 0; i < clients_max; ++i) {
    submitters.push_back(std::make_unique<Submitter>(open[i % connections], jobs));
  }
  return submitters;
}

const char* verdict(bool met) {
  return met ? "met" : "MISSED";
}

/// The same figures of all rounds.
struct Series {
  std::vector<double> per_second, p50_ms, p99_ms, cpu_us;

  void add(const Figures& figures) {
    per_second.push_back(figures.per_second);
    p50_ms.push_back(figures.p50_ms);
    p99_ms.push_back(figures.p99_ms);
    cpu_us.push_back(figures.cpu_us);
  }
  void print(const char* name) const {
    std::printf("  %s %.0f submits/s, p50 %.2f ms, p99 %.2f ms, %.0f us of processor time each",
                name, median(per_second), median(p50_ms), median(p99_ms), median(cpu_us));
  }
};

struct Options {
  fs::path folder;
  double seconds{};
  int rounds{};
  std::size_t connections{};
  Jobs jobs{};
};

void report(const Options& options, double alone_ms, double at_once_ms, const Series& single,
            const Series& batched) {
  const double bound = clients_max * 1000 / (1.5 * alone_ms);
  const double part = median(single.per_second) / bound;
  std::printf(
      "bench_submit: 3 embedded nodes, R = 3, sync on, %zu clients on %zu connections, jobs that "
      "%s, median of %d rounds\n"
      "  synced write %.2f ms alone, %.2f ms where three stores write at once\n",
      clients_max, options.connections, options.jobs == Jobs::run ? "run" : "wait", options.rounds,
      alone_ms, at_once_ms);
  single.print("one at a time:");
  std::printf(": %.0f %% of 64 / (1.5 x synced write) = %.0f/s (target %.0f %%: %s)\n", part * 100,
              bound, target_part * 100, verdict(part >= target_part));
  batched.print("16 under way each:");
  std::printf(" (target %.0f/s: %s)\n", target_batched,
              verdict(median(batched.per_second) >= target_batched));
}

void bench(const Options& options) {
  node::EmbeddedOptions embedded;
  embedded.nodes = 3;
  embedded.cpu_devices = 0;
  embedded.null_devices = 1;
  embedded.folder = options.folder / "cluster";
  auto cluster = node::EmbeddedCluster::start(embedded);
  if (!cluster.ok()) {
    fail(cluster.error().message);
  }
  auto submitters = connect(*cluster.value(), options.connections, options.jobs);
  submit(submitters, 0.5, 1);
  std::vector<double> alone, at_once;
  Series single, batched;
  for (int round = 0; round < options.rounds; ++round) {
    alone.push_back(synced_write_ms(options.folder, 1));
    at_once.push_back(synced_write_ms(options.folder, 3));
    const Figures one = submit(submitters, options.seconds, 1);
    const Figures many = submit(submitters, options.seconds, in_flight_of_batches);
    single.add(one);
    batched.add(many);
    std::printf("round %d: synced write %.2f ms (three at once %.2f ms); %.0f/s, batched %.0f/s\n",
                round + 1, alone.back(), at_once.back(), one.per_second, many.per_second);
  }
  report(options, median(alone), median(at_once), single, batched);
}

}  // namespace

int main(int count, char** arguments) {
  const fs::path base = count > 1 ? arguments[1] : ".";
  Options options;
  options.folder = base / ("bench_submit." + std::to_string(::getpid()));
  options.seconds = std::max(count > 2 ? std::atof(arguments[2]) : 4, 0.1);
  options.rounds = std::max(count > 3 ? std::atoi(arguments[3]) : 5, 1);
  options.connections = std::clamp<std::size_t>(
      count > 4 ? std::strtoull(arguments[4], nullptr, 10) : clients_max, 1, clients_max);
  options.jobs = count > 5 && std::string(arguments[5]) == "run" ? Jobs::run : Jobs::wait;
  fs::create_directories(options.folder);
  bench(options);
  fs::remove_all(options.folder);
  return 0;
}
