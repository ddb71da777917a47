#include "runtime/exec/warden/leftovers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <set>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/warden/process_table.hpp"

namespace fastgpu::exec {
namespace {

constexpr std::size_t marker_digits = 32;
constexpr const char* marker_file = "warden.marker";

std::string new_marker() {
  std::uint8_t bytes[marker_digits / 2];
  std::size_t have = 0;
  while (have < sizeof bytes) {
    const ssize_t got = getrandom(bytes + have, sizeof bytes - have, 0);
    have += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

bool is_marker(const std::string& text) {
  return text.size() == marker_digits &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string read_marker(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[marker_digits];
  const bool whole = file && read(file.get(), text, sizeof text) == sizeof text;
  return whole ? std::string(text, sizeof text) : std::string();
}

base::Error failed(const std::string& what, const std::string& path) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal,
          "cannot " + what + " '" + path + "': " + std::strerror(errno), ""};
}

/// Writes aside, syncs, links: of two that do it at the same time, one wins and both read its.
base::Status write_marker(const std::string& path) {
  const std::string aside = path + "." + std::to_string(getpid());
  unlink(aside.c_str());
  {
    const FileDescriptor file(
        open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    const std::string text = new_marker();
    if (!file || write(file.get(), text.data(), text.size()) != ssize_t{marker_digits} ||
        fsync(file.get()) != 0)
      return failed("write", aside);
  }
  const bool linked = link(aside.c_str(), path.c_str()) == 0 || errno == EEXIST;
  const base::Status status = linked ? base::Status() : base::Status(failed("make", path));
  unlink(aside.c_str());
  return status;
}

bool is_warden(pid_t process, const std::string& marker) {
  const std::string zero(1, '\0');
  const std::string words = zero + read_process_file(process, "cmdline");
  return words.find(zero + "--warden" + zero) != std::string::npos &&
         words.find(zero + "--marker" + zero + marker + zero) != std::string::npos;
}

/// True for a warden with the marker, and a process that carries it in its limits or environment.
bool carries(pid_t process, const std::string& marker) {
  const auto mark = mark_of(process);
  if (mark && mark->warden == warden_number(marker))
    return true;
  const std::string variable = std::string(marker_variable) + "=" + marker;
  const std::string env = read_process_file(process, "environ");
  for (std::size_t at = env.find(variable); at != std::string::npos;
       at = env.find(variable, at + 1))
    if (at == 0 || env[at - 1] == '\0')
      return true;
  return is_warden(process, marker);
}

std::vector<pid_t> carriers_among(const std::vector<pid_t>& all, const std::string& marker) {
  std::vector<pid_t> carriers;
  std::copy_if(all.begin(), all.end(), std::back_inserter(carriers), [&](pid_t process) {
    return process != getpid() && carries(process, marker) && !is_zombie(process);
  });
  return carriers;
}

/// How many have got it that had not got it before.
std::size_t signal_carriers(const std::vector<pid_t>& carriers, const std::string& marker,
                            int signal, std::set<pid_t>& had) {
  const std::size_t before = had.size();
  for (const pid_t process : carriers)
    if (signal_process(process, signal, [&] { return carries(process, marker); }))
      had.insert(process);
  return had.size() - before;
}

void pause_ms(int milliseconds) {
  poll(nullptr, 0, milliseconds);
}

/// Of all wardens whose data folders lie in the folder. One without a marker has run nothing.
base::Result<std::vector<std::string>> markers_in(const std::string& folder) {
  std::vector<std::string> markers;
  std::error_code failed_with;
  std::filesystem::directory_iterator each(folder, failed_with);
  if (failed_with == std::errc::no_such_file_or_directory)
    return markers;
  for (; !failed_with && each != std::filesystem::directory_iterator();
       each.increment(failed_with)) {
    const std::string data_folder = each->path().string();
    if (access((data_folder + "/" + marker_file).c_str(), F_OK) != 0 &&
        (errno == ENOENT || errno == ENOTDIR))
      continue;
    auto marker = marker_of(data_folder);
    if (!marker.ok())
      return marker.error();
    markers.push_back(std::move(marker).value());
  }
  if (failed_with)
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::internal,
                       "cannot read '" + folder + "': " + failed_with.message(),
                       "it tells which commands were started here: make it readable"};
  return markers;
}

}  // namespace

std::uint32_t warden_number(const std::string& marker) {
  return static_cast<std::uint32_t>(std::strtoul(marker.substr(0, 8).c_str(), nullptr, 16));
}

base::Result<std::string> marker_of(const std::string& data_folder) {
  if (data_folder.empty())
    return new_marker();
  if (mkdir(data_folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return failed("make", data_folder);
  const std::string path = data_folder + "/" + marker_file;
  std::string marker = read_marker(path);
  if (marker.empty()) {
    if (auto written = write_marker(path); !written.ok())
      return written.error();
    marker = read_marker(path);
  }
  if (!is_marker(marker))
    return base::Error{
        base::ErrorKind::unavailable, base::ErrorCode::corrupt,
        "'" + path + "' does not hold " + std::to_string(marker_digits) + " hexadecimal digits",
        "remove it once no command of this node runs"};
  return marker;
}

std::string Sweep::obstacle() const {
  if (remain.empty())
    return doubt;
  return std::to_string(remain.size()) + (remain.size() == 1 ? " process" : " processes") +
         " of earlier commands cannot be ended, the first is " + std::to_string(remain.front());
}

Sweep sweep_leftovers(const std::string& marker, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  Sweep sweep;
  std::set<pid_t> killed;
  std::set<pid_t> stopped;
  int clean_looks = 0;
  int wait_ms = 1;
  while (clean_looks < 2) {
    const std::vector<pid_t> all = all_processes();
    if (all.empty()) {
      sweep.doubt = "/proc cannot be read";
      return sweep;
    }
    sweep.remain = carriers_among(all, marker);
    if (sweep.remain.size() > few_processes &&
        signal_carriers(sweep.remain, marker, SIGSTOP, stopped) > 0 &&
        std::chrono::steady_clock::now() < deadline)
      continue;  // until no new one appears
    signal_carriers(sweep.remain, marker, SIGKILL, killed);
    sweep.ended = static_cast<std::uint32_t>(killed.size());
    clean_looks = sweep.remain.empty() ? clean_looks + 1 : 0;
    if (sweep.remain.empty())
      continue;
    if (std::chrono::steady_clock::now() >= deadline)
      return sweep;
    pause_ms(wait_ms);
    wait_ms = wait_ms < 100 ? wait_ms * 2 : 100;
  }
  return sweep;
}

base::Status end_earlier_lives(const EarlierLives& lives) {
  const auto markers = markers_in(lives.folder);
  if (!markers.ok())
    return markers.error();
  const auto deadline = std::chrono::steady_clock::now() + lives.limit;
  std::string told;
  for (const std::string& marker : markers.value()) {
    for (;;) {
      const Sweep swept = lives.sweep(marker, lives.look);
      if (swept.proven())
        break;
      const std::string obstacle = swept.obstacle();
      if (std::chrono::steady_clock::now() >= deadline)
        return base::Error{base::ErrorKind::unavailable, base::ErrorCode::timeout,
                           "commands of an earlier life of this node may still run: " + obstacle,
                           "end them, or start the host anew; then start the node again"};
      if (lives.tell && obstacle != told)
        lives.tell(obstacle);
      told = obstacle;
      if (swept.remain.empty())
        pause_ms(static_cast<int>(lives.look.count()));
    }
  }
  return {};
}

}  // namespace fastgpu::exec
