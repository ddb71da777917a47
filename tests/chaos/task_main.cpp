// chaos_task PORT MILLISECONDS [stubborn]: a command that writes down when it lives. It connects to
// the recorder on the loopback, says that it has begun, every few milliseconds that it lives, and,
// once it has written its result, that it has ended; all with the time at which it says so, taken
// before. A stubborn one ends for no SIGTERM. Its result names this very execution.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/history/history_text.hpp"

namespace {

namespace history = fastgpu::history;

constexpr int sign_of_life_ms = 25;

history::Stamp now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

void tell(int fd, history::Execution what, history::Moment moment) {
  what.at = now();
  what.moment = moment;
  const std::string line = history::to_line(what) + "\n";
  if (::send(fd, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    std::fprintf(stderr, "the recorder does not listen any more\n");
    std::exit(4);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "chaos_task PORT MILLISECONDS [stubborn]\n");
    return 2;
  }
  if (argc > 3) {
    ::signal(SIGTERM, SIG_IGN);
  }
  const history::Stamp until = now() + std::atoll(argv[2]) * 1'000'000;
  history::Execution self;
  self.job = std::strtoull(variable("FASTGPU_JOB_ID").c_str(), nullptr, 10);
  self.task = static_cast<std::uint32_t>(std::atol(variable("FASTGPU_TASK_ID").c_str()));
  self.attempt = variable("FASTGPU_ATTEMPT");
  self.node = variable("FASTGPU_NODE");
  const int recorder = connect_to(std::atoi(argv[1]));
  if (recorder < 0) {
    std::fprintf(stderr, "the recorder does not listen on port %s\n", argv[1]);
    return 3;
  }
  tell(recorder, self, history::Moment::start);
  self.content = self.attempt + "@" + self.node + "#" + std::to_string(now());
  for (history::Stamp left = until - now(); left > 0; left = until - now()) {
    ::poll(nullptr, 0,
           static_cast<int>(std::min<history::Stamp>(left / 1'000'000 + 1, sign_of_life_ms)));
    tell(recorder, self, history::Moment::alive);
  }
  if (std::ofstream file("result"); !(file << self.content << std::flush)) {
    std::fprintf(stderr, "the result cannot be written\n");
    return 5;
  }
  tell(recorder, self, history::Moment::end);
  return 0;
}
