#include "node/cli/interrupt.hpp"

#include <atomic>
#include <csignal>

namespace fastgpu::cli {
namespace {

std::atomic<int> seen{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch it");

}  // namespace

void count_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { seen.fetch_add(1); };
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
}

int interrupts() {
  return seen.load();
}

}  // namespace fastgpu::cli
