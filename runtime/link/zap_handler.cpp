#include "runtime/link/zap_handler.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

namespace fastgpu::link {
namespace {

// The frames of a request, in their order.
enum : std::size_t { version, request_id, domain, address, identity, mechanism, credentials };
constexpr std::size_t request_frames = 7;
constexpr std::size_t frames_max = 16;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t key_text_bytes = 41;

void say(void* socket, std::string_view text, bool more) {
  zmq_send(socket, text.data(), text.size(), ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
}

void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

ZapHandler::ZapHandler(void* context, LinkKeys keys, std::function<void()> on_refused)
    : keys_(std::move(keys)),
      on_refused_(std::move(on_refused)),
      socket_(zmq_socket(context, ZMQ_REP)),
      stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  FASTGPU_CHECK(socket_ != nullptr && stop_fd_ >= 0, "a link with keys needs a handler of callers");
  set(socket_.get(), ZMQ_LINGER, 0);
  FASTGPU_CHECK(zmq_bind(socket_.get(), "inproc://zeromq.zap.01") == 0,
                "a context has one handler of callers");
  thread_ = std::thread([this] { run(); });
}

ZapHandler::~ZapHandler() {
  die();
  ::close(stop_fd_);
}

void ZapHandler::die() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_fd_, &one, sizeof(one));
  if (thread_.joinable()) {
    thread_.join();
  }
}

void ZapHandler::expect(const std::string& stranger) {
  const std::lock_guard lock(mutex_);
  expected_ = stranger;
}

std::vector<ZapHandler::Refused> ZapHandler::take_refused() {
  const std::lock_guard lock(mutex_);
  return std::exchange(refused_, {});
}

// --- the handler's thread ------------------------------------------------------------------------

void ZapHandler::run() {
  block_signals();
  pthread_setname_np(pthread_self(), "link-zap");
  std::array<zmq_pollitem_t, 2> items{
      {{socket_.get(), 0, ZMQ_POLLIN, 0}, {nullptr, stop_fd_, ZMQ_POLLIN, 0}}};
  for (;;) {
    if (zmq_poll(items.data(), static_cast<int>(items.size()), -1) < 0 && zmq_errno() != EINTR) {
      break;
    }
    if (items[1].revents != 0) {
      break;
    }
    while (answer_one()) {
    }
  }
  socket_.reset();  // from now on nobody comes in
}

/// False when nothing waits. A request that is not as it should be is refused like a stranger.
bool ZapHandler::answer_one() {
  std::array<Message, frames_max> frames;
  std::size_t count = 0;
  for (bool more = true; more && count < frames_max; ++count) {
    if (!frames[count].receive(socket_.get())) {
      return false;
    }
    more = frames[count].more();
  }
  base::CallerPtr caller;
  if (count == request_frames && frames[version].text() == "1.0" &&
      frames[mechanism].text() == "CURVE" && frames[credentials].size() == key_bytes) {
    caller = judge(frames[credentials].span(), std::string(frames[address].text()));
  }
  say(socket_.get(), "1.0", true);
  say(socket_.get(), frames[request_id].text(), true);
  say(socket_.get(), caller ? "200" : "400", true);
  say(socket_.get(), caller ? "" : "this key is not known here", true);
  say(socket_.get(), caller ? std::string_view(caller->key) : std::string_view(), true);
  say(socket_.get(), "", false);
  return true;
}

/// Whom to let in; null: nobody.
base::CallerPtr ZapHandler::judge(std::span<const std::uint8_t> key, const std::string& from) {
  std::array<char, key_text_bytes> text{};
  if (zmq_z85_encode(text.data(), key.data(), key.size()) == nullptr) {
    return nullptr;
  }
  base::CallerPtr caller = keys_.caller_of(text.data());
  if (caller && caller->key != text.data()) {
    caller = nullptr;  // the answer to another question
  }
  if (!caller) {
    refuse(text.data(), from);
  }
  return caller;
}

void ZapHandler::refuse(std::string key, std::string from) {
  {
    const std::lock_guard lock(mutex_);
    if (key == expected_ || refused_.size() >= refused_kept_max) {
      return;
    }
    refused_.push_back({std::move(key), std::move(from)});
  }
  on_refused_();
}

}  // namespace fastgpu::link
