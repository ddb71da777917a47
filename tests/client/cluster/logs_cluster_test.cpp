#include "client/logs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "fastgpu/client.hpp"
#include "node/embedded/embedded_cluster.hpp"

namespace fastgpu::client {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::chrono::minutes limit{1};  // matters on failure only

/// Follows on a thread of its own and keeps what it is shown.
class Follower {
 public:
  Follower(const std::string& server, const std::filesystem::path& credentials,
           session::LogFollowOptions options)
      : connection_(Connection::open({{server}, "test", credentials}).value()),
        thread_([this, options] { run(options); }) {}
  ~Follower() {
    stop_ = true;
    thread_.join();
  }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  bool await_line(const std::string& line) {
    return await([&] { return std::find(lines_.begin(), lines_.end(), line) != lines_.end(); });
  }
  bool await_notice_with(const std::string& part) {
    return await([&] {
      return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) {
        return line.starts_with("[") && line.find(part) != std::string::npos;
      });
    });
  }
  std::optional<session::FollowDone> await_end() {
    await([&] { return ended_; });
    return done_;
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  void run(const session::LogFollowOptions& options) {
    LogSink sink;
    sink.record = [this](base::NodeId, const base::LogRecord& record) {
      show(std::string(record.bytes.text()));
    };
    sink.notice = [this](const std::string& text) { show(text); };
    const auto done = follow_logs(*connection_, options, sink, {{}, [this] { return !stop_; }});
    const std::lock_guard lock(mutex_);
    done_ = done;
    ended_ = true;
    changed_.notify_all();
  }
  void show(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  template <class Condition>
  bool await(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  bool ended_{false};
  std::optional<session::FollowDone> done_;
  std::atomic<bool> stop_{false};
  std::shared_ptr<Connection> connection_;
  std::thread thread_;
};

/// Three nodes, and a job whose three tasks run until they are cancelled. Its ledger is on n2.
class LogsOfACluster : public ::testing::Test {
 protected:
  LogsOfACluster() {
    node::EmbeddedOptions options;
    options.nodes = 3;
    cluster_ = std::move(node::EmbeddedCluster::start(options)).value();
    connection_ = Connection::open({{address(2)}, "test", cluster_->credentials()}).value();
    client_ = Client::open({.servers = {address(2)},
                            .credentials = cluster_->credentials(),
                            .timeout = seconds(60)})
                  .value();
    JobSpec spec;
    spec.kernel("spin").source(
        "extern \"C\" __global__ void spin(int* out) { volatile int i = 0; while (i >= 0) i = 0; "
        "out[0] = i; }");
    job_ = client_->submit(std::move(spec.out(4).tasks(3))).value().id();
  }
  std::string address(std::uint32_t node) const { return cluster_->addresses()[node - 1]; }
  base::JobId job() const { return {job_.value}; }

  /// An attempt that runs on this node now, and one of its tasks.
  protocol::AttemptInfo attempt_on(std::uint32_t node) {
    for (const auto until = in(limit); std::chrono::steady_clock::now() < until;) {
      // The wait is long enough for a placement, and the job never ends by itself.
      connection_->ask(protocol::WaitJob{job(), 100'000'000}, in(seconds(10)));
      const auto detail =
          connection_->ask_for<protocol::JobDetail>(protocol::ShowJob{job(), 0}, in(seconds(10)));
      for (std::size_t i = detail.ok() ? detail.value().attempts.size() : 0; i > 0; --i) {
        const protocol::AttemptInfo& info = detail.value().attempts[i - 1];
        if (info.device.node.value == node && !info.ranges.empty()) {
          return info;
        }
      }
    }
    ADD_FAILURE() << "no attempt on n" << node;
    return {};
  }
  void print(const protocol::AttemptInfo& from, std::string_view text) {
    cluster_->append_log(from.device.node.value - 1,
                         {{job(), from.ranges.front().first, from.attempt, base::LogStream::output,
                           ++time_ns_, base::Bytes::copy_of(text)}});
  }

  std::unique_ptr<node::EmbeddedCluster> cluster_;
  std::shared_ptr<Connection> connection_;
  std::optional<Client> client_;
  JobId job_;
  std::int64_t time_ns_{0};
};

TEST_F(LogsOfACluster, AreFollowedThroughAnyNodeUntilTheJobEnds) {
  const protocol::AttemptInfo one = attempt_on(2);
  const protocol::AttemptInfo other = attempt_on(3);
  print(one, "before");
  Follower through1(address(1), cluster_->credentials(), {.job = job()});
  Follower through3(address(3), cluster_->credentials(), {.job = job()});
  EXPECT_TRUE(through1.await_line("before"));
  print(other, "live");
  EXPECT_TRUE(through1.await_line("live"));
  EXPECT_TRUE(through3.await_line("before"));
  EXPECT_TRUE(through3.await_line("live"));
  ASSERT_TRUE(client_->job(job_).cancel());
  const auto done = through1.await_end();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->ending, session::FollowEnding::complete);
  EXPECT_EQ(done->state, protocol::TaskState::cancelled);
  EXPECT_TRUE(status_of(*done).ok());
  EXPECT_THAT(through1.lines(), SizeIs(2));

  // And afterwards: the same, from the disk.
  Follower later(address(1), cluster_->credentials(), {.job = job()});
  EXPECT_TRUE(later.await_end());
  EXPECT_THAT(later.lines(), SizeIs(2));
}

TEST_F(LogsOfACluster, GoOnWhenTheNodeThatIsAskedEnds) {
  const protocol::AttemptInfo on2 = attempt_on(2);
  Follower follower(address(1), cluster_->credentials(),
                    {.job = job(), .task = on2.ranges.front().first});
  print(on2, "before");
  EXPECT_TRUE(follower.await_line("before"));
  cluster_->stop(0);
  print(on2, "after");
  EXPECT_TRUE(follower.await_line("after"));
  const std::vector<std::string> lines = follower.lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "before"), 1);
}

TEST_F(LogsOfACluster, ComeBackWithTheNodeThatKeepsThem) {
  const protocol::AttemptInfo on3 = attempt_on(3);
  Follower follower(address(1), cluster_->credentials(), {.job = job(), .all_attempts = true});
  print(on3, "before");
  EXPECT_TRUE(follower.await_line("before"));
  cluster_->stop(2);
  EXPECT_TRUE(follower.await_notice_with("not readable now"));
  ASSERT_TRUE(cluster_->restart(2).ok());
  print(on3, "after");
  EXPECT_TRUE(follower.await_line("after"));
  const std::vector<std::string> lines = follower.lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "before"), 1);
}

TEST_F(LogsOfACluster, StopWhenTheCallerStops) {
  const auto done = follow_logs(*connection_, {.job = job()}, {}, {in(seconds(1)), {}});
  EXPECT_FALSE(done) << "its time is over, the job goes on";
  const auto missing = follow_logs(*connection_, {.job = {4'000'000'001}}, {});
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->ending, session::FollowEnding::refused);
  EXPECT_EQ(status_of(*missing).error().code, base::ErrorCode::not_found);
}

}  // namespace
}  // namespace fastgpu::client
