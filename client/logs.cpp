#include "client/logs.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

namespace fastgpu::client {
namespace {

/// How long names of nodes may take: without them their numbers are shown.
constexpr std::chrono::seconds names_limit{3};
/// How often `go_on` is looked at.
constexpr std::chrono::milliseconds look_interval{50};

/// Answers on their way from the connection's thread to the one that follows. Outlives both.
class Inbox {
 public:
  void put(session::FollowAnswered answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
    filled_.notify_one();
  }
  /// The oldest; nothing if there is none by then.
  std::optional<session::FollowAnswered> take(Time until) {
    std::unique_lock lock(mutex_);
    if (!filled_.wait_until(lock, until, [this] { return !answers_.empty(); })) {
      return std::nullopt;
    }
    session::FollowAnswered answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<session::FollowAnswered> answers_;
};

class Following {
 public:
  Following(Connection& connection, session::LogFollowOptions options, const LogSink& sink)
      : connection_(connection), sink_(sink), follower_(std::move(options)) {}

  std::optional<session::FollowDone> run(const LogStop& stop) {
    step(session::FollowBegin{});
    while (!done_) {
      const Time now = std::chrono::steady_clock::now();
      if ((stop.deadline && now >= *stop.deadline) || (stop.go_on && !stop.go_on())) {
        return std::nullopt;
      }
      Time until{follower_.next_deadline()->time_since_epoch()};
      until = std::min(until, stop.deadline.value_or(until));
      until = stop.go_on ? std::min(until, now + look_interval) : until;
      if (auto answer = inbox_->take(until)) {
        step(*answer);
      } else if (base::Time{std::chrono::steady_clock::now().time_since_epoch()} >=
                 *follower_.next_deadline()) {
        step(session::FollowTick{});
      }
    }
    return done_;
  }

 private:
  void step(const session::FollowEvent& event) {
    const base::Time now{std::chrono::steady_clock::now().time_since_epoch()};
    for (session::FollowEffect& effect : follower_.step(event, now)) {
      std::visit([this](auto& what) { perform(what); }, effect);
    }
  }
  void perform(session::FollowAsk& effect) {
    connection_.start(std::move(effect.request), in(effect.time),
                      [inbox = inbox_, ask = effect.ask](Reply reply) {
                        inbox->put({ask, std::move(reply)});
                      });
  }
  void perform(const session::ShowRecord& effect) {
    if (sink_.record) {
      sink_.record(effect.node, effect.record);
    }
  }
  void perform(const session::ShowNotice& effect) {
    if (sink_.notice) {
      sink_.notice(effect.text);
    }
  }
  void perform(const session::FollowDone& effect) { done_ = effect; }

  Connection& connection_;
  const LogSink& sink_;
  session::LogFollower follower_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::optional<session::FollowDone> done_;
};

}  // namespace

std::optional<session::FollowDone> follow_logs(Connection& connection,
                                               session::LogFollowOptions options,
                                               const LogSink& sink, const LogStop& stop) {
  const Time limit = in(names_limit);
  const auto cluster = connection.ask_for<protocol::ClusterStatus>(
      protocol::AskCluster{}, std::min(limit, stop.deadline.value_or(limit)));
  if (cluster.ok()) {
    for (const protocol::NodeView& node : cluster.value().nodes) {
      options.names.emplace(node.info.node, node.info.name);
    }
  }
  return Following(connection, std::move(options), sink).run(stop);
}

base::Status status_of(const session::FollowDone& done) {
  switch (done.ending) {
    case session::FollowEnding::complete:
      return {};
    case session::FollowEnding::incomplete:
      return base::Error{base::ErrorKind::unavailable, base::ErrorCode::node_down,
                         "some of the log could not be read: a node that keeps it did not answer",
                         "read it again when that node is back"};
    case session::FollowEnding::refused:
    case session::FollowEnding::unreachable:
      break;
  }
  return done.error;
}

}  // namespace fastgpu::client
