#pragma once

/// One life of a ReplicatedLog with one voter, SoloLog or RaftLog, with a store whose durability
/// the test decides write by write. Both are tested through this, since both promise the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/replica/raft_log.hpp"
#include "runtime/store/memory_store.hpp"
#include "runtime/store/solo_log.hpp"

namespace fastgpu::actors::testing {

using namespace std::chrono_literals;

inline base::Bytes bytes_of(std::string_view text) {
  return base::Bytes::copy_of(text);
}

struct LifeOptions {
  base::ShardId shard{3};
  base::Epoch epoch{1};
  std::size_t proposals_in_flight_max{base::limits::proposals_in_flight_max};
  std::size_t proposal_bytes_in_flight_max{base::limits::proposal_bytes_in_flight_max};
};

/// The log of the kind that a test wants, opened on what is on the disk.
class LogLife : public store::StoreWriter {
 public:
  explicit LogLife(store::MemoryDisk& disk) : disk_(disk) {}

  virtual base::ReplicatedLog& log() = 0;
  virtual bool has_events() const = 0;
  virtual bool waits_for_room() const = 0;
  virtual void pump() = 0;
  /// What the log waits for, other than its disk, happens.
  virtual void wait() {}

  base::Admission write(store::StoreToken token, std::vector<store::Write> writes) override {
    if (full) {
      return base::Admission::full;
    }
    EXPECT_GT(token, last_token) << "tokens grow";
    last_token = token;
    waiting.emplace_back(token, std::move(writes));
    return base::Admission::accepted;
  }
  void start() {
    log().start([this](const base::LogEvent& event) {
      EXPECT_FALSE(inside) << "the log calls back from inside of a call";
      events.push_back(event);
      if (on_event) {
        on_event(event);
      }
    });
  }
  bool leads() const {
    return std::any_of(events.begin(), events.end(), [](const base::LogEvent& event) {
      return std::holds_alternative<base::LogLeading>(event);
    });
  }
  void lead() {
    start();
    for (int i = 0; i < 10 && !leads(); ++i) {
      sync_all();
      wait();
    }
    ASSERT_TRUE(leads());
    sync_all();
  }
  base::Term term() const {
    base::Term term;
    for (const base::LogEvent& event : events) {
      if (const auto* leading = std::get_if<base::LogLeading>(&event)) {
        term = std::max(term, leading->term);
      }
    }
    return term;
  }
  base::Admission propose(std::uint64_t token, std::string_view command) {
    inside = true;
    const base::Admission admission = log().propose({token}, bytes_of(command));
    inside = false;
    return admission;
  }
  base::Admission read(std::uint64_t token) {
    inside = true;
    const base::Admission admission = log().read_index({token});
    inside = false;
    return admission;
  }
  /// The oldest waiting write becomes durable, and the log is told.
  void sync() {
    ASSERT_FALSE(waiting.empty());
    const store::StoreToken token = waiting.front().first;
    reach_disk();
    on_durable(token);
  }
  void sync_all() {
    do {
      while (!waiting.empty()) {
        sync();
      }
      pump();
    } while (!waiting.empty());
  }
  /// The crash that lets `count` of the unreported writes reach the disk.
  void crash_after(std::size_t count) {
    for (; count > 0 && !waiting.empty(); --count) {
      reach_disk();
    }
    waiting.clear();
  }
  std::vector<std::string> commands() const {
    std::vector<std::string> found;
    for (const base::LogEvent& event : events) {
      const auto* committed = std::get_if<base::LogCommitted>(&event);
      if (committed != nullptr && !committed->command.empty()) {
        found.emplace_back(committed->command.text());
      }
    }
    return found;
  }
  base::LogIndex committed() const {
    base::LogIndex index;
    for (const base::LogEvent& event : events) {
      if (const auto* entry = std::get_if<base::LogCommitted>(&event)) {
        index = entry->index;
      }
    }
    return index;
  }
  std::optional<std::string> restored() const {
    const auto* event = events.empty() ? nullptr : std::get_if<base::LogRestored>(&events.front());
    return event == nullptr ? std::nullopt : std::optional<std::string>(event->snapshot.text());
  }

  bool full{false};
  bool inside{false};
  store::StoreToken last_token;
  std::deque<std::pair<store::StoreToken, std::vector<store::Write>>> waiting;
  std::vector<base::LogEvent> events;
  std::function<void(const base::LogEvent&)> on_event;

 protected:
  virtual void on_durable(store::StoreToken up_to) = 0;
  std::vector<store::KeyValue> scan(std::string_view prefix) const {
    return store::MemoryStore(disk_, {}, base::Random(0)).scan(prefix).value();
  }

 private:
  void reach_disk() {
    for (const store::Write& write : waiting.front().second) {
      disk_.apply(write);
    }
    waiting.pop_front();
  }

  store::MemoryDisk& disk_;
};

class SoloLife final : public LogLife {
 public:
  SoloLife(store::MemoryDisk& disk, const LifeOptions& life) : LogLife(disk) {
    store::SoloLogOptions options;
    options.shard = life.shard;
    options.epoch = life.epoch;
    options.proposals_in_flight_max = life.proposals_in_flight_max;
    options.proposal_bytes_in_flight_max = life.proposal_bytes_in_flight_max;
    auto opened =
        store::SoloLog::open(options, *this, scan(store::SoloLog::key_prefix(life.shard)));
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    log_ = std::move(opened).value();
  }
  base::ReplicatedLog& log() override { return *log_; }
  bool has_events() const override { return log_->has_events(); }
  bool waits_for_room() const override { return log_->waits_for_room(); }
  void pump() override { log_->pump(); }

 private:
  void on_durable(store::StoreToken up_to) override { log_->on_durable(up_to); }

  std::unique_ptr<store::SoloLog> log_;
};

constexpr raft::StoreId only_store{77};

inline RaftLogOptions only_voter(const LifeOptions& life) {
  RaftLogOptions options;
  options.shard = life.shard;
  options.self = {1};
  options.store = only_store;
  options.epoch = life.epoch;
  options.founders.members = {{{1}, only_store, true}};
  options.limits.proposals_in_flight_max = life.proposals_in_flight_max;
  options.limits.proposal_bytes_in_flight_max = life.proposal_bytes_in_flight_max;
  options.limits.entries_kept_behind_snapshot = 0;
  return options;
}

class RaftLife final : public LogLife, private RaftHost {
 public:
  RaftLife(store::MemoryDisk& disk, const RaftLogOptions& options) : LogLife(disk) {
    auto opened = RaftLog::open(options, *this, *this, scan(RaftDisk::key_prefix(options.shard)));
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    log_ = std::move(opened).value();
  }
  RaftLife(store::MemoryDisk& disk, const LifeOptions& life) : RaftLife(disk, only_voter(life)) {}

  base::ReplicatedLog& log() override { return *log_; }
  RaftLog& raft() { return *log_; }
  bool has_events() const override { return log_->has_events(); }
  bool waits_for_room() const override { return log_->waits_for_room(); }
  void pump() override { log_->pump(); }
  void wait() override {
    if (const auto at = log_->next_deadline()) {
      now_ = std::max(now_, *at);
      log_->tick();
    }
  }
  std::vector<raft::Message> sent;
  std::vector<raft::Alarm> alarms;

 private:
  void on_durable(store::StoreToken up_to) override { log_->on_durable(up_to); }
  void send(const raft::Send& said) override { sent.push_back(said.message); }
  void alarm(const raft::Alarm& alarm) override { alarms.push_back(alarm); }
  base::Time now() const override { return now_; }

  base::Time now_{1s};
  std::unique_ptr<RaftLog> log_;
};

}  // namespace fastgpu::actors::testing
