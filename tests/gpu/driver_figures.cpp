#include "tests/gpu/driver_figures.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <vector>

#include "runtime/exec/cuda/gpu_watch.hpp"
#include "runtime/exec/cuda/session.hpp"
#include "tests/gpu/device_process.hpp"

namespace fastgpu::gpu_report {
namespace {

using Values = std::map<std::string, double>;
using exec::CudaSession;
using exec::cuda::DevicePointer;

constexpr std::size_t probe_bytes = std::size_t{64} << 20;
constexpr unsigned char probe_byte = 0xA5;
constexpr int rounds = 20;
constexpr int streams = 3;
constexpr double context_goal_ms = 1000;

void tell(const char* name, double value) {
  std::printf("%s %.17g\n", name, value);
}

/// Of a call of the driver that cannot fail on a sound device: ends the part where it does.
void must(const CudaSession& session, exec::cuda::Code code, const char* what) {
  if (code == exec::cuda::success)
    return;
  std::fprintf(stderr, "%s: %s\n", what, session.describe(code).c_str());
  std::fflush(stdout);
  _exit(1);
}

struct HostMemory {
  explicit HostMemory(std::size_t size)
      : bytes(size),
        begin(
            static_cast<unsigned char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0))) {}
  std::size_t bytes;
  unsigned char* begin;
};

DevicePointer allocate(const CudaSession& session, std::size_t bytes) {
  DevicePointer pointer{};
  must(session,
       session.api().cuMemAllocFromPoolAsync(&pointer, bytes, session.pool(), session.stream()),
       "allocating");
  must(session, session.api().cuStreamSynchronize(session.stream()), "allocating");
  return pointer;
}

void part_context(const CudaSession& session, double open_ms) {
  tell("open_ms", open_ms);
  std::size_t free = 0;
  std::size_t total = 0;
  must(session, session.api().cuMemGetInfo(&free, &total), "asking for the free memory");
  tell("taken_mib", static_cast<double>(total - free) / (1 << 20));
  std::vector<double> times;
  for (int round = 0; round < rounds * 10; ++round) {
    const auto begin = Clock::now();
    must(session, session.api().cuEventRecord(session.mark(CudaSession::ran), session.stream()),
         "recording");
    must(session, session.await(CudaSession::ran), "waiting");
    times.push_back(milliseconds_since(begin) * 1e3);
  }
  tell("event_us", median(times));
  times.clear();
  for (int round = 0; round < rounds * 10; ++round) {
    const auto begin = Clock::now();
    const DevicePointer pointer = allocate(session, 1 << 20);
    must(session, session.api().cuMemFreeAsync(pointer, session.stream()), "freeing");
    times.push_back(milliseconds_since(begin) * 1e3);
  }
  tell("alloc_us", median(times));
}

/// Leaves a pattern behind and ends without giving anything back.
void part_fill(const CudaSession& session) {
  const DevicePointer pointer = allocate(session, probe_bytes);
  must(session, session.api().cuMemsetD8Async(pointer, probe_byte, probe_bytes, session.stream()),
       "filling");
  must(session, session.api().cuStreamSynchronize(session.stream()), "filling");
  tell("filled_mib", static_cast<double>(probe_bytes >> 20));
}

/// How much of fresh memory is not zero.
void part_look(const CudaSession& session) {
  const HostMemory host(probe_bytes);
  const DevicePointer pointer = allocate(session, probe_bytes);
  must(session, session.api().cuMemcpyDtoHAsync(host.begin, pointer, probe_bytes, session.stream()),
       "looking");
  must(session, session.api().cuStreamSynchronize(session.stream()), "looking");
  std::size_t dirty = 0;
  for (std::size_t i = 0; i < probe_bytes; ++i)
    dirty += host.begin[i] != 0 ? 1 : 0;
  tell("dirty_bytes", static_cast<double>(dirty));
}

double gigabytes_per_second(std::size_t bytes, Clock::time_point begin) {
  return static_cast<double>(bytes) / (milliseconds_since(begin) * 1e6);
}

void part_copies(const CudaSession& session, unsigned copy_mib) {
  const HostMemory host(std::size_t{copy_mib} << 20);
  const DevicePointer device = allocate(session, host.bytes);
  const auto& api = session.api();
  const auto rate = [&](auto&& copy) {
    std::vector<double> rates;
    for (int round = 0; round < 5; ++round) {
      const auto begin = Clock::now();
      copy();
      rates.push_back(gigabytes_per_second(host.bytes, begin));
    }
    return median(rates);
  };
  const auto in = [&] {
    must(session, api.cuMemcpyHtoDAsync(device, host.begin, host.bytes, session.stream()), "in");
    must(session, api.cuStreamSynchronize(session.stream()), "copying in");
  };
  const auto out = [&] {
    must(session, api.cuMemcpyDtoHAsync(host.begin, device, host.bytes, session.stream()), "out");
    must(session, api.cuStreamSynchronize(session.stream()), "copying out");
  };
  tell("pageable_in", rate(in));
  tell("pageable_out", rate(out));
  tell("pinned", session.pin(host.begin, host.bytes) ? 1 : 0);
  tell("pinned_in", rate(in));
  tell("pinned_out", rate(out));
  // There and back in pieces, in one stream and in several: what overlapping would give.
  std::vector<exec::cuda::Stream> lanes(streams);
  for (auto& lane : lanes)
    must(session, api.cuStreamCreate(&lane, exec::cuda::stream_non_blocking), "making a stream");
  const std::size_t piece = host.bytes / 16;
  const auto there_and_back = [&](std::size_t used) {
    for (std::size_t i = 0; i < 16; ++i) {
      const auto lane = lanes[i % used];
      const std::size_t at = i * piece;
      must(session, api.cuMemcpyHtoDAsync(device + at, host.begin + at, piece, lane), "in");
      must(session, api.cuMemcpyDtoHAsync(host.begin + at, device + at, piece, lane), "out");
    }
    for (const auto lane : lanes)
      must(session, api.cuStreamSynchronize(lane), "waiting for a stream");
  };
  tell("one_stream", rate([&] { there_and_back(1); }));
  tell("three_streams", rate([&] { there_and_back(streams); }));
}

/// What a part has printed; empty where it failed, with its words in `trouble`.
Values values_of_part(const DriverFigureOptions& options, const std::string& part,
                      std::string& trouble) {
  const std::string command = "'" + options.program + "' --part " + part +
                              " --device 'cuda:" + options.device + "' --copy-mib " +
                              std::to_string(options.copy_mib) + " 2>&1";
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) {
    trouble = "the part could not be started";
    return {};
  }
  std::string text;
  char buffer[4096];
  while (const std::size_t got = fread(buffer, 1, sizeof buffer, pipe))
    text.append(buffer, got);
  if (pclose(pipe) != 0) {
    trouble = text;
    return {};
  }
  Values values;
  std::istringstream lines(text);
  std::string name;
  double value = 0;
  while (lines >> name >> value)
    values[name] = value;
  return values;
}

void add_context(const Values& values, FigureTable& table) {
  table.add({"context created", values.at("open_ms"), "ms", context_goal_ms});
  table.add({"memory in use with one context", values.at("taken_mib"), "MiB"});
  table.add({"event recorded and awaited, p50", values.at("event_us"), "us"});
  table.add({"1 MiB from the pool and back, p50", values.at("alloc_us"), "us"});
}

void add_copies(const Values& values, FigureTable& table) {
  table.add({"host to device, pageable", values.at("pageable_in"), "GB/s"});
  table.add({"device to host, pageable", values.at("pageable_out"), "GB/s"});
  table.say("host memory can be pinned", values.at("pinned") != 0 ? "yes" : "no");
  table.add({"host to device, pinned", values.at("pinned_in"), "GB/s"});
  table.add({"device to host, pinned", values.at("pinned_out"), "GB/s"});
  table.add({"there and back in pieces, 1 stream", values.at("one_stream"), "GB/s"});
  table.add({"there and back in pieces, 3 streams", values.at("three_streams"), "GB/s"});
}

void measure_leftovers(const DriverFigureOptions& options, FigureTable& table) {
  const char* const what = "memory of an ended process, in the next";
  std::string trouble;
  const Values filled = values_of_part(options, "fill", trouble);
  const Values looked = filled.empty() ? Values{} : values_of_part(options, "look", trouble);
  if (looked.empty())
    return table.fail(what, trouble);
  const double dirty = looked.at("dirty_bytes");
  table.say(what, dirty == 0 ? "all zero"
                             : std::to_string(static_cast<long long>(dirty)) +
                                   " bytes are not zero of " + std::to_string(probe_bytes));
}

/// The first that NVML says of any device, or why it says nothing.
void measure_health(const DriverFigureOptions& options, FigureTable& table) {
  std::mutex mutex;
  std::condition_variable told;
  std::optional<exec::GpuNews> first;
  exec::GpuWatchOptions watch_options;
  watch_options.program = options.executor;
  auto watch = exec::watch_gpus(watch_options, [&](const exec::GpuNews& news) {
    const std::lock_guard lock(mutex);
    if (!first)
      first = news;
    told.notify_all();
  });
  {
    std::unique_lock lock(mutex);
    told.wait_for(lock, patience, [&] { return first.has_value(); });
  }
  watch.reset();
  if (!first)
    return table.fail("health by NVML", "nothing came");
  if (const auto* sample = std::get_if<exec::GpuSample>(&*first)) {
    const auto text = [](const auto& value) { return value ? std::to_string(*value) : "?"; };
    return table.say("health by NVML", std::to_string(sample->memory_used_bytes >> 20) +
                                           " MiB used, " + text(sample->utilisation_percent) +
                                           " % busy, " + text(sample->temperature_celsius) +
                                           " C, " + text(sample->power_milliwatts) +
                                           " mW, ECC errors " + text(sample->ecc_errors));
  }
  table.say("health by NVML", exec::to_line(*first));
}

}  // namespace

void measure_driver(const DriverFigureOptions& options, FigureTable& table) {
  std::string trouble;
  if (const Values values = values_of_part(options, "context", trouble); !values.empty())
    add_context(values, table);
  else
    table.fail("context", trouble);
  if (const Values values = values_of_part(options, "copies", trouble); !values.empty())
    add_copies(values, table);
  else
    table.fail("copies", trouble);
  measure_leftovers(options, table);
  measure_health(options, table);
}

int run_part(const std::string& part, const std::string& device, unsigned copy_mib) {
  const auto begin = Clock::now();
  exec::CudaSessionOptions options;
  options.id = device;
  const auto session = CudaSession::open(options);
  if (!session.ok()) {
    std::fprintf(stderr, "%s\n", session.error().message.c_str());
    return 1;
  }
  const double open_ms = milliseconds_since(begin);
  if (part == "context")
    part_context(session.value(), open_ms);
  else if (part == "fill")
    part_fill(session.value());
  else if (part == "look")
    part_look(session.value());
  else if (part == "copies")
    part_copies(session.value(), copy_mib);
  else
    return 2;
  return 0;
}

}  // namespace fastgpu::gpu_report
