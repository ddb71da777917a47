#include "tests/support/process/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/base/check.hpp"

extern char** environ;

namespace fastgpu::testing {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Pipe() { FASTGPU_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "a pipe can be made"); }
  int ends[2];
};

pid_t spawn(const std::vector<std::string>& command, int in, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  // A test that was started in the background ignores SIGINT: what it starts must not.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  posix_spawnattr_setsigdefault(&attributes, &interrupt);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int failed =
      ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  FASTGPU_CHECK(failed == 0, command[0].c_str());
  return pid;
}

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

/// Waits by pidfd, so that no signal handler and no polling is needed.
std::optional<int> await_exit(pid_t pid, Clock::time_point deadline) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd ended{fd, POLLIN, 0};
  const int ready = ::poll(&ended, 1, milliseconds_until(deadline));
  ::close(fd);
  if (ready <= 0) {
    return std::nullopt;
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return code_of(status);
}

/// Appends what there is to read; false at the end of the stream.
bool read_some(int fd, std::string& text) {
  char buffer[65536];
  const ssize_t size = ::read(fd, buffer, sizeof buffer);
  if (size > 0) {
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return size > 0;
}

}  // namespace

Finished run_command(const std::vector<std::string>& command, Seconds limit,
                     const std::string& input) {
  const TemporaryFolder folder;
  const int in = ::open(folder.write("in", input).c_str(), O_RDONLY | O_CLOEXEC);
  Pipe out;
  Pipe err;
  const pid_t pid = spawn(command, in, out.ends[1], err.ends[1]);
  ::close(in);
  ::close(out.ends[1]);
  ::close(err.ends[1]);
  Finished finished;
  const Clock::time_point deadline = Clock::now() + limit;
  pollfd streams[2] = {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}};
  std::string* texts[2] = {&finished.out, &finished.err};
  while ((streams[0].fd >= 0 || streams[1].fd >= 0) &&
         ::poll(streams, 2, milliseconds_until(deadline)) > 0) {
    for (int i = 0; i < 2; ++i) {
      if (streams[i].revents != 0 && !read_some(streams[i].fd, *texts[i])) {
        streams[i].fd = -1;
      }
    }
  }
  if (const std::optional<int> code = await_exit(pid, deadline)) {
    finished.exit_code = *code;
  } else {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  ::close(out.ends[0]);
  ::close(err.ends[0]);
  return finished;
}

Process::Process(const std::vector<std::string>& command) {
  std::string name = (std::filesystem::temp_directory_path() / "fastgpu-err.XXXXXX").string();
  const int err = ::mkostemp(name.data(), O_CLOEXEC);
  error_file_ = name;
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  Pipe out;
  pid_ = spawn(command, in, out.ends[1], err);
  ::close(in);
  ::close(err);
  ::close(out.ends[1]);
  out_ = out.ends[0];
}

Process::~Process() {
  kill();
  ::close(out_);
  ::unlink(error_file_.c_str());
}

bool Process::await_line(const std::string& text, Seconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  for (;;) {
    if (said_.starts_with(text) || said_.find("\n" + text) != std::string::npos) {
      return true;
    }
    pollfd stream{out_, POLLIN, 0};
    if (::poll(&stream, 1, milliseconds_until(deadline)) <= 0 || !read_some(out_, said_)) {
      return false;
    }
  }
}

bool Process::await_error(const std::string& text, Seconds limit) const {
  const Clock::time_point deadline = Clock::now() + limit;
  const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  ::inotify_add_watch(watch, error_file_.c_str(), IN_MODIFY);
  bool found = false;
  for (;;) {
    found = err().find(text) != std::string::npos;
    pollfd changed{watch, POLLIN, 0};
    std::string events;
    if (found || ::poll(&changed, 1, milliseconds_until(deadline)) <= 0 ||
        !read_some(watch, events)) {
      break;
    }
  }
  ::close(watch);
  return found;
}

std::string Process::out() {
  while (read_some(out_, said_)) {
  }
  return said_;
}

void Process::signal(int number) const {
  if (pid_ > 0) {
    ::kill(pid_, number);
  }
}

std::optional<int> Process::await_end(Seconds limit) {
  if (pid_ <= 0) {
    return std::nullopt;
  }
  const std::optional<int> code = await_exit(pid_, Clock::now() + limit);
  if (code) {
    pid_ = -1;
  }
  return code;
}

void Process::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

std::string Process::err() const {
  return read_file(error_file_);
}

TemporaryFolder::TemporaryFolder()
    : path_((std::filesystem::temp_directory_path() / "fastgpu-test.XXXXXX").string()) {
  FASTGPU_CHECK(::mkdtemp(path_.data()) != nullptr, "a temporary folder can be made");
  ::chmod(path_.c_str(),
          0711);  // where tests are root's, commands of other users pass through
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(file(name), std::ios::binary) << text;
  return file(name);
}

bool await_gone(pid_t pid, Seconds limit) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) {
    return errno == ESRCH;
  }
  pollfd ended{fd, POLLIN, 0};
  const int ready = ::poll(&ended, 1, milliseconds_until(Clock::now() + limit));
  ::close(fd);
  return ready > 0;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string program(const std::string& name) {
  return std::string(FASTGPU_BIN_DIR "/") + name;
}

}  // namespace fastgpu::testing
