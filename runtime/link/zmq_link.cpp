#include "runtime/link/zmq_link.hpp"

#include <pthread.h>

#include <csignal>
#include <iterator>
#include <utility>
#include <vector>

#include "runtime/base/check.hpp"
#include "runtime/link/address.hpp"

namespace fastgpu::link {
namespace {

base::Error no_listening_any_more() {
  return {base::ErrorKind::unavailable, base::ErrorCode::listen_refused,
          "the link has been stopped", ""};
}

/// Signals belong to the program's own threads.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

LinkOptions with_keyed(LinkOptions options, bool keyed) {
  options.keyed = keyed;
  return options;
}

}  // namespace

ZmqLink::ZmqLink(LinkOptions options, Clock clock, std::optional<LinkKeys> keys)
    : clock_(std::move(clock)),
      keys_(std::move(keys)),
      transport_(options, keys_),
      machine_(with_keyed(std::move(options), keys_.has_value())) {}

ZmqLink::ZmqLink(LinkOptions options, Clock clock, LinkKeys keys)
    : ZmqLink(std::move(options), std::move(clock), std::optional<LinkKeys>(std::move(keys))) {}

ZmqLink::ZmqLink(LinkOptions options, Clock clock)
    : ZmqLink(std::move(options), std::move(clock), std::optional<LinkKeys>()) {}

ZmqLink::~ZmqLink() {
  stop();
}

void ZmqLink::start(Sink sink) {
  FASTGPU_CHECK(!thread_.joinable(), "a link is started once");
  sink_ = std::move(sink);
  thread_ = std::thread([this] { run(); });
}

void ZmqLink::stop() {
  finish(Ending::politely);
}

void ZmqLink::crash() {
  finish(Ending::at_once);
}

void ZmqLink::finish(Ending ending) {
  FASTGPU_CHECK(std::this_thread::get_id() != thread_.get_id(), "the sink must not stop the link");
  {
    const std::lock_guard lock(mutex_);
    if (ending_ == Ending::not_yet) {
      ending_ = ending;
      if (ending == Ending::politely) {
        step_locked(StopAsked{});
      }
      wake_locked();
    }
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

base::Result<std::string> ZmqLink::listen(const std::string& address) {
  FASTGPU_CHECK(thread_.joinable() && std::this_thread::get_id() != thread_.get_id(),
                "listen needs a started link, and not its sink");
  const auto parsed =
      parse_listen_address(address, keys_ ? Reachable::from_anywhere : Reachable::from_here);
  if (!parsed) {
    return parsed.error();
  }
  std::future<base::Result<std::string>> answer;
  {
    const std::lock_guard lock(mutex_);
    if (ending_ != Ending::not_yet) {
      return no_listening_any_more();
    }
    ListenRequest request;
    request.address = parsed.value();
    answer = request.answer.get_future();
    listen_requests_.push_back(std::move(request));
    wake_locked();
  }
  return answer.get();
}

void ZmqLink::connect(Endpoint endpoint, const std::string& address, const std::string& key) {
  step(DialAsked{endpoint, address, key});
}

void ZmqLink::disconnect(Endpoint endpoint) {
  step(HangUpAsked{endpoint});
}

SendResult ZmqLink::send(Endpoint endpoint, base::Bytes frame) {
  return step(SendAsked{endpoint, std::move(frame)});
}

void ZmqLink::consumed(Endpoint endpoint, std::size_t bytes) {
  step(FrameConsumed{endpoint, bytes});
}

LinkCounters ZmqLink::counters() const {
  const std::lock_guard lock(mutex_);
  return machine_.counters();
}

void ZmqLink::keys_changed() {
  const std::lock_guard lock(mutex_);
  if (ending_ == Ending::not_yet) {
    keys_changed_ = true;
    wake_locked();
  }
}

SendResult ZmqLink::step(const LinkMachineEvent& event) {
  SendResult answer = SendResult::unreachable;
  const std::lock_guard lock(mutex_);
  if (ending_ != Ending::not_yet) {
    return answer;
  }
  LinkMachineEffects effects = machine_.step(event, clock_());
  for (LinkMachineEffect& effect : effects) {
    if (const auto* answered = std::get_if<SendAnswered>(&effect)) {
      answer = answered->result;
    } else {
      effects_.push_back(std::move(effect));
    }
  }
  if (!effects_.empty()) {
    wake_locked();
  }
  return answer;
}

void ZmqLink::step_locked(const LinkMachineEvent& event) {
  LinkMachineEffects effects = machine_.step(event, clock_());
  effects_.insert(effects_.end(), std::make_move_iterator(effects.begin()),
                  std::make_move_iterator(effects.end()));
}

void ZmqLink::wake_locked() {
  if (!awake_) {
    awake_ = true;
    transport_.wake();
  }
}

// --- the I/O thread ------------------------------------------------------------------------------

void ZmqLink::run() {
  block_signals();
  pthread_setname_np(pthread_self(), "link");
  for (;;) {
    const std::vector<LinkMachineEvent> events = transport_.wait(time_to_wait());
    {
      const std::lock_guard lock(mutex_);
      awake_ = false;
      for (const LinkMachineEvent& event : events) {
        step_locked(event);
      }
      if (keys_ && std::exchange(keys_changed_, false)) {
        for (const ChannelId channel : machine_.revoked(*keys_)) {
          step_locked(KeyRevoked{channel});
        }
      }
      const auto deadline = machine_.next_deadline();
      if (deadline && *deadline <= clock_()) {
        step_locked(TimePassed{});
      }
    }
    answer_listeners();
    perform_effects();
    const std::lock_guard lock(mutex_);
    const bool goodbyes_left = ending_ == Ending::politely && !effects_.empty();
    if (ending_ != Ending::not_yet && !goodbyes_left) {
      refuse_listeners();
      break;
    }
  }
  transport_.close();
}

base::Duration ZmqLink::time_to_wait() {
  const std::lock_guard lock(mutex_);
  if (!effects_.empty() || ending_ != Ending::not_yet) {
    return base::Duration{0};
  }
  const auto deadline = machine_.next_deadline();
  return deadline ? *deadline - clock_() : std::chrono::seconds(10);
}

/// What is there now; what comes meanwhile must not keep the thread from reading.
void ZmqLink::perform_effects() {
  LinkMachineEffects effects;
  {
    const std::lock_guard lock(mutex_);
    effects.swap(effects_);
  }
  for (LinkMachineEffect& effect : effects) {
    perform(effect);
  }
}

void ZmqLink::perform(LinkMachineEffect& effect) {
  if (const auto* transmit = std::get_if<Transmit>(&effect)) {
    transport_.transmit(*transmit);
  } else if (auto* deliver = std::get_if<Deliver>(&effect)) {
    sink_(std::move(deliver->event));
  } else if (const auto* dial = std::get_if<Dial>(&effect)) {
    transport_.dial(*dial);
  } else if (const auto* hang_up = std::get_if<HangUp>(&effect)) {
    transport_.hang_up(*hang_up);
  }
}

void ZmqLink::answer_listeners() {
  std::deque<ListenRequest> requests;
  {
    const std::lock_guard lock(mutex_);
    requests.swap(listen_requests_);
  }
  for (ListenRequest& request : requests) {
    request.answer.set_value(transport_.bind(request.address));
  }
}

void ZmqLink::refuse_listeners() {
  for (ListenRequest& request : listen_requests_) {
    request.answer.set_value(no_listening_any_more());
  }
  listen_requests_.clear();
}

}  // namespace fastgpu::link
