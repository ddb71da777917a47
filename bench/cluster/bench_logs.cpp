/// Logs: how many records of 100 bytes a node's store takes in a second, and how long one takes
/// from its node to somebody who follows through another node; three embedded nodes, real sockets.
///
/// bench_logs [RECORDS] [LINES]

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client/fastgpu/client.hpp"
#include "client/logs.hpp"
#include "node/embedded/embedded_cluster.hpp"
#include "runtime/logs/file_logs.hpp"
#include "runtime/logs/log_store.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using namespace fastgpu;
namespace fs = std::filesystem;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::int64_t now_ns() {
  return Clock::now().time_since_epoch().count();
}

void append(std::uint64_t records, std::size_t batch_size) {
  std::string name = (fs::temp_directory_path() / "fastgpu-logs.XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  auto files = logs::FileLogs::open((folder / "logs").string());
  logs::LogStoreOptions options;
  options.job_bytes_max = options.total_bytes_max = 1ull << 40;
  auto store = std::move(logs::LogStore::open(std::move(files).value(), options)).value();
  const base::Bytes bytes = base::Bytes::copy_of(std::string(100, 'x'));
  std::vector<base::LogRecord> batch;
  for (std::size_t i = 0; i < batch_size; ++i) {
    batch.push_back({{7}, 0, {{0}, {1}, {1}, 1}, base::LogStream::output, now_ns(), bytes});
  }
  const Clock::time_point start = Clock::now();
  for (std::uint64_t done = 0; done < records; done += batch_size) {
    store->append(batch);
  }
  const double taken = seconds_since(start);
  const Clock::time_point read_start = Clock::now();
  std::uint64_t read = 0;
  logs::LogQuery query{{7}};
  for (bool at_end = false; !at_end;) {
    const logs::LogPiece piece = store->read(query);
    read += piece.records.size();
    query.cursor = piece.next_cursor;
    at_end = piece.at_end;
  }
  std::printf("append  %8.0f records/s in batches of %zu; read %8.0f records/s\n",
              static_cast<double>(records) / taken, batch_size,
              static_cast<double>(read) / seconds_since(read_start));
  fs::remove_all(folder);
}

/// Collects how old each record is when it is shown.
struct Ages {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<double> ms;

  void add(std::int64_t born_ns) {
    const std::lock_guard lock(mutex);
    ms.push_back(static_cast<double>(now_ns() - born_ns) * 1e-6);
    changed.notify_all();
  }
  void await(std::size_t count) {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, std::chrono::seconds(30), [&] { return ms.size() >= count; })) {
      std::fprintf(stderr, "only %zu of %zu lines came\n", ms.size(), count);
      std::exit(1);
    }
  }
};

/// A task that runs until it is cancelled, on another node than the first.
protocol::AttemptInfo run_somewhere(const Client& client, client::Connection& connection,
                                    std::optional<Job>& job) {
  for (;;) {
    JobSpec spec;
    spec.kernel("spin").source(
        "__global__ void spin(int* out) { volatile int i = 0; while (i >= 0) i = 0; out[0] = i; }");
    job = client.submit(std::move(spec.out(4))).value();
    const base::JobId id{job->id().value};
    for (;;) {
      connection.ask(protocol::WaitJob{id, 50'000'000}, client::in(std::chrono::seconds(10)));
      const auto detail = connection.ask_for<protocol::JobDetail>(
          protocol::ShowJob{id, 0}, client::in(std::chrono::seconds(10)));
      if (detail.ok() && !detail.value().attempts.empty()) {
        if (detail.value().attempts[0].device.node.value != 1) {
          return detail.value().attempts[0];
        }
        break;
      }
    }
    (void)job->cancel();
  }
}

/// One line after the other: the next is printed when the last has been shown.
void latency(std::size_t lines) {
  node::EmbeddedOptions options;
  options.nodes = 3;
  auto cluster = std::move(node::EmbeddedCluster::start(options)).value();
  const Client client = Client::open({.credentials = cluster->credentials()}).value();
  auto connection =
      client::Connection::open({{cluster->addresses()[0]}, "bench", cluster->credentials()})
          .value();
  std::optional<Job> job;
  const protocol::AttemptInfo attempt = run_somewhere(client, *connection, job);
  const base::JobId id{job->id().value};
  Ages ages;
  client::LogSink sink;
  sink.record = [&ages](base::NodeId, const base::LogRecord& record) { ages.add(record.time_ns); };
  std::thread follower([&] { client::follow_logs(*connection, {.job = id}, sink); });
  const base::Bytes bytes = base::Bytes::copy_of(std::string(100, 'x'));
  for (std::size_t i = 1; i <= lines; ++i) {
    cluster->append_log(attempt.device.node.value - 1,
                        {{id, 0, attempt.attempt, base::LogStream::output, now_ns(), bytes}});
    ages.await(i);
  }
  (void)job->cancel();
  follower.join();
  std::vector<double> ms(ages.ms.begin() + 1, ages.ms.end());  // the first finds the node
  std::sort(ms.begin(), ms.end());
  std::printf("latency n%u -> n1 -> follower: p50 %.3f ms, p99 %.3f ms, max %.3f ms (%zu lines)\n",
              attempt.device.node.value, ms[ms.size() / 2], ms[ms.size() * 99 / 100], ms.back(),
              ms.size());
}

}  // namespace

int main(int count, char** arguments) {
  const std::uint64_t records = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 2'000'000;
  const std::size_t lines = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1000;
  append(records, 1);
  append(records, 100);
  latency(lines);
}
