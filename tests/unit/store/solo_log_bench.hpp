#pragma once

/// One life of a SoloLog after another on the same contents, with a store whose durability the test
/// decides write by write.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/store/memory_store.hpp"
#include "runtime/store/solo_log.hpp"

namespace fastgpu::store {

inline base::Bytes bytes_of(std::string_view text) {
  return base::Bytes::copy_of(text);
}

/// Takes writes and keeps them apart until the test makes them durable.
class ScriptedWriter final : public StoreWriter {
 public:
  base::Admission write(StoreToken token, std::vector<Write> writes) override {
    if (full) {
      return base::Admission::full;
    }
    EXPECT_EQ(token.value, ++last_token);
    waiting.push_back(std::move(writes));
    return base::Admission::accepted;
  }
  bool full{false};
  std::uint64_t last_token{0};
  std::vector<std::vector<Write>> waiting;
};

/// A SoloLog with its writer and what it said.
class LogLife {
 public:
  LogLife(MemoryDisk& disk, SoloLogOptions options) : disk_(disk) {
    auto opened = SoloLog::open(options, writer, contents_of(disk, options.shard));
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    log = std::move(opened).value();
  }
  explicit LogLife(MemoryDisk& disk) : LogLife(disk, SoloLogOptions{.shard = {3}}) {}

  static std::vector<KeyValue> contents_of(MemoryDisk& disk, base::ShardId shard) {
    return MemoryStore(disk, {}, base::Random(0)).scan(SoloLog::key_prefix(shard)).value();
  }

  void start() {
    log->start([this](const base::LogEvent& event) {
      events.push_back(event);
      if (on_event) {
        on_event(event);
      }
    });
  }
  void lead() {
    start();
    sync_all();
    ASSERT_TRUE(std::holds_alternative<base::LogLeading>(events.back()));
  }
  base::Admission propose(std::uint64_t token, std::string_view command) {
    return log->propose({token}, bytes_of(command));
  }
  /// Makes the first `count` waiting writes durable, then tells the log of the last of them.
  void sync(std::size_t count) {
    ASSERT_LE(count, writer.waiting.size());
    for (std::size_t i = 0; i < count; ++i) {
      apply(writer.waiting[i]);
    }
    writer.waiting.erase(writer.waiting.begin(),
                         writer.waiting.begin() + static_cast<std::ptrdiff_t>(count));
    log->on_durable({writer.last_token - writer.waiting.size()});
  }
  void sync_all() {
    while (!writer.waiting.empty()) {
      sync(writer.waiting.size());
    }
  }
  /// The crash that lets `count` of the unreported writes reach the disk.
  void crash_after(std::size_t count) {
    for (std::size_t i = 0; i < std::min(count, writer.waiting.size()); ++i) {
      apply(writer.waiting[i]);
    }
    writer.waiting.clear();
  }
  std::vector<std::string> commands() const {
    std::vector<std::string> found;
    for (const auto& event : events) {
      if (const auto* committed = std::get_if<base::LogCommitted>(&event);
          committed != nullptr && !committed->command.empty()) {
        found.emplace_back(committed->command.text());
      }
    }
    return found;
  }
  std::optional<std::string> restored() const {
    const auto* event = events.empty() ? nullptr : std::get_if<base::LogRestored>(&events.front());
    return event == nullptr ? std::nullopt : std::optional<std::string>(event->snapshot.text());
  }

  ScriptedWriter writer;
  std::unique_ptr<SoloLog> log;
  std::vector<base::LogEvent> events;
  std::function<void(const base::LogEvent&)> on_event;

 private:
  void apply(const std::vector<Write>& writes) {
    for (const auto& write : writes) {
      disk_.apply(write);
    }
  }
  MemoryDisk& disk_;
};

}  // namespace fastgpu::store
