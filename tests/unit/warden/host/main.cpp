/// The node's side of a warden, alone in a process: runs one shell script as a command and prints
/// what happens, a line per event. Ends when its standard input closes.
///   test_warden_host EXECUTOR DATA_FOLDER JOB_FOLDER SANDBOX LEASE_MS SCRIPT

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>

#include "runtime/exec/warden/process_runner.hpp"

using namespace fastgpu;

namespace {

base::Time boot_time() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return base::Time(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

void print(const exec::CommandEvent& event) {
  if (std::get_if<exec::CommandStarted>(&event))
    std::printf("started\n");
  if (const auto* output = std::get_if<exec::CommandOutput>(&event))
    std::printf("%s", std::string(output->bytes.text()).c_str());
  if (const auto* ended = std::get_if<exec::CommandEnded>(&event))
    std::printf("ended %s\n", base::to_word(ended->reason));
  if (const auto* died = std::get_if<exec::WardenDied>(&event))
    std::printf("died %zu\n", died->in_flight.size());
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
  if (count != 7)
    return 2;
  exec::ProcessRunnerOptions options;
  options.program = words[1];
  options.data_folder = words[2];
  options.sandbox = words[4];
  const auto user =
      exec::claim_user(exec::default_users(), static_cast<std::uint32_t>(getpid()) * 16);
  if (!user.ok())
    return 3;
  options.user = user.value();
  exec::CommandTask task;
  task.token = {1};
  task.folder = words[3];
  task.argv = {"/bin/sh", "-c", words[6]};
  task.lease_until = boot_time() + std::chrono::milliseconds(std::atoi(words[5]));
  auto runner = exec::make_process_runner(options);
  std::mutex held;  // until the runner is in its place
  held.lock();
  runner->start([&](const exec::CommandEvent& event) {
    const std::lock_guard wait(held);
    print(event);
    if (std::get_if<exec::WardenReady>(&event) && !runner->run(task))
      std::printf("refused\n");
  });
  held.unlock();
  char byte = 0;
  while (read(0, &byte, 1) > 0) {
  }
}
