/// CUDA saxpy on the CPU device against a plain loop: 16 Mi floats, block 1024, the same threads,
/// the median of nine interleaved pairs. Target: at least 70 % of the plain loop's speed.

#include <atomic>
#include <functional>
#include <thread>

#include "bench/exec/bench_support.hpp"
#include "runtime/exec/cpu/kernel_cache.hpp"
#include "runtime/exec/cpu/run/launcher.hpp"

void plain_saxpy(std::size_t first, std::size_t last, float a, const float* x, float* y);

namespace {

using namespace fastgpu;

constexpr std::size_t count = 16u << 20;
constexpr int pairs = 9;
constexpr double target = 0.70;

const char* const source =
    "__global__ void saxpy(int n, float a, const float* x, float* y) {\n"
    "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
    "  if (i < n) y[i] = a * x[i] + y[i];\n"
    "}\n";

}  // namespace

int main() {
  const bench::TemporaryFolder folder;
  exec::KernelCacheOptions options;
  options.compiler.folder = folder.path();
  options.compiler.child_program = FASTGPU_BENCH_EXECUTOR;
  exec::KernelCache cache(options, {});
  exec::KernelRequest request;
  request.source = source;
  request.expression = "saxpy";
  const auto entry = cache.wait(cache.request(request));
  if (entry->module == nullptr) {
    std::fprintf(stderr, "%s\n", entry->message.c_str());
    return 1;
  }
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  exec::Launcher launcher(threads);
  std::vector<float> x(count, 1.0f), y(count, 2.0f);
  int n = count;
  float a = 0.5f;
  const float* x_begin = x.data();
  float* y_begin = y.data();
  void* arguments[] = {&n, &a, &x_begin, &y_begin};
  const exec::LaunchShape shape{{count / 1024, 1, 1}, {1024, 1, 1}, 0, false};

  // The same threads in the same way: portions from a counter.
  exec::ThreadPool pool(threads);
  std::atomic<std::size_t> next{0};
  const std::size_t portion = count / (threads * 16);
  const std::function<void(unsigned)> plain = [&](unsigned) {
    for (std::size_t first = next.fetch_add(portion); first < count;
         first = next.fetch_add(portion))
      plain_saxpy(first, std::min(count, first + portion), a, x_begin, y_begin);
  };
  const auto run_plain = [&] {
    next = 0;
    const auto begin = bench::Clock::now();
    pool.run(plain, threads - 1);
    return bench::microseconds_since(begin);
  };
  const auto run_kernel = [&] {
    const auto begin = bench::Clock::now();
    launcher.run(*entry->module, shape, arguments);
    return bench::microseconds_since(begin);
  };
  run_plain();
  run_kernel();
  std::vector<double> plain_us, kernel_us, ratios;
  for (int i = 0; i < pairs; ++i) {
    plain_us.push_back(run_plain());
    kernel_us.push_back(run_kernel());
    ratios.push_back(plain_us.back() / kernel_us.back());
  }
  const double ratio = bench::median(ratios);
  const double gigabytes = 3.0 * sizeof(float) * count / 1e3;
  std::printf(
      "{\"bench\": \"bench_cpu_saxpy\", \"threads\": %u, \"plain_gb_s\": %.1f, \"kernel_gb_s\": "
      "%.1f, \"ratio\": %.2f, \"target\": %.2f, \"ok\": %s}\n",
      threads, gigabytes / bench::median(plain_us), gigabytes / bench::median(kernel_us), ratio,
      target, ratio >= target ? "true" : "false");
}
