#pragma once

/// A cluster as a follower of logs sees it, in virtual time: a job, nodes with logs, and answers
/// that take a millisecond. What the follower shows is kept as lines: "n2 text", or a notice in
/// brackets.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/session/log_follower.hpp"
#include "tests/unit/session/session_samples.hpp"

namespace fastgpu::session::test {

inline base::AttemptId attempt(std::uint64_t sequence) {
  return {{1}, {1}, {1}, sequence};
}

class FollowWorld {
 public:
  struct Node {
    std::vector<base::LogRecord> log;
    std::optional<base::Error> error;  ///< answers with it instead
    bool silent{false};                ///< does not answer at all
    std::uint64_t dropped_bytes{0};
    int asks{0};
  };

  explicit FollowWorld(LogFollowOptions options = {}) {
    options.job = job;
    follower.emplace(std::move(options));
    detail.summary = summary(job.value, protocol::TaskState::running);
  }

  // --- the cluster -------------------------------------------------------------------------------
  void place(std::uint64_t sequence, base::TaskRange range, std::uint32_t node) {
    detail.attempts.push_back({attempt(sequence), {range}, {{node}, 0}});
    auto& all = detail.summary.nodes;
    if (std::find(all.begin(), all.end(), base::NodeId{node}) == all.end()) {
      all.push_back({node});
      std::sort(all.begin(), all.end());
    }
    ++detail.summary.counts[1];
  }
  void print(std::uint32_t node, std::uint32_t task, std::uint64_t sequence, std::string_view text,
             base::LogStream stream = base::LogStream::output) {
    nodes[node].log.push_back(
        {job, task, attempt(sequence), stream, ++clock_ns, base::Bytes::copy_of(text)});
  }
  void end_job(protocol::TaskState state = protocol::TaskState::succeeded) {
    detail.summary.state = state;
  }
  void take_down(std::uint32_t node) {
    nodes[node].error = base::Error{base::ErrorKind::unavailable, base::ErrorCode::node_down,
                                    "n" + std::to_string(node) + " is down", ""};
  }

  // --- time --------------------------------------------------------------------------------------
  void begin() { step(FollowBegin{}); }
  void run(base::Duration time) {
    for (const base::Time end = now + time; now < end && !done;) {
      now += 1ms;
      answer_what_is_due();
      if (const auto deadline = follower->next_deadline(); deadline && *deadline <= now) {
        step(FollowTick{});
      }
    }
  }

  static constexpr base::JobId job{9};
  std::optional<LogFollower> follower;
  protocol::JobDetail detail;
  std::map<std::uint32_t, Node> nodes;
  bool reachable{true};
  std::size_t records_of_a_part{1000};
  std::int64_t clock_ns{1000};
  base::Time now = at(10s);
  std::vector<std::string> shown;
  std::optional<FollowDone> done;

 private:
  struct Open {
    FollowAsk ask;
    base::Time since;
  };

  void step(const FollowEvent& event) {
    for (const FollowEffect& effect : follower->step(event, now)) {
      if (const auto* ask = std::get_if<FollowAsk>(&effect)) {
        open_.push_back({*ask, now});
        if (const auto* read = std::get_if<protocol::ReadLog>(&ask->request)) {
          ++nodes[read->node.value].asks;
        }
      } else if (const auto* record = std::get_if<ShowRecord>(&effect)) {
        shown.push_back(base::to_string(record->node) + " " +
                        std::string(record->record.bytes.text()));
      } else if (const auto* notice = std::get_if<ShowNotice>(&effect)) {
        shown.push_back(notice->text);
      } else {
        done = std::get<FollowDone>(effect);
      }
    }
  }

  void answer_what_is_due() {
    const std::vector<Open> open = std::exchange(open_, {});
    std::vector<std::pair<std::uint64_t, protocol::ClientReply>> answers;
    for (const Open& one : open) {
      if (auto reply = answer_to(one)) {
        answers.emplace_back(one.ask.ask, std::move(*reply));
      } else {
        open_.push_back(one);
      }
    }
    for (auto& [ask, reply] : answers) {
      step(FollowAnswered{ask, std::move(reply)});
    }
  }

  std::optional<protocol::ClientReply> answer_to(const Open& open) {
    const bool out_of_time = now >= open.since + open.ask.time;
    if (!reachable) {
      return out_of_time ? std::optional<protocol::ClientReply>(base::Error{
                               base::ErrorKind::unavailable, base::ErrorCode::no_node_reachable,
                               "no node answers", ""})
                         : std::nullopt;
    }
    if (std::holds_alternative<protocol::ShowJob>(open.ask.request)) {
      return detail;
    }
    if (const auto* wait = std::get_if<protocol::WaitJob>(&open.ask.request)) {
      const bool over = now >= open.since + base::Duration(wait->wait_ns);
      return over || protocol::is_terminal(detail.summary.state)
                 ? std::optional<protocol::ClientReply>(list_of({detail.summary}))
                 : std::nullopt;
    }
    const auto& read = std::get<protocol::ReadLog>(open.ask.request);
    const Node& node = nodes[read.node.value];
    if (node.silent) {
      return out_of_time
                 ? std::optional<protocol::ClientReply>(base::Error{
                       base::ErrorKind::unavailable, base::ErrorCode::timeout, "no answer", ""})
                 : std::nullopt;
    }
    if (node.error) {
      return *node.error;
    }
    return part_of(read, node, now >= open.since + base::Duration(read.wait_ns));
  }

  std::optional<protocol::ClientReply> part_of(const protocol::ReadLog& read, const Node& node,
                                               bool over) const {
    protocol::LogPart part;
    part.node = read.node;
    part.next_cursor = read.cursor;
    part.dropped_bytes = node.dropped_bytes;
    while (part.next_cursor < node.log.size() && part.records.size() < records_of_a_part) {
      const base::LogRecord& record = node.log[part.next_cursor++];
      if (read.all_tasks || record.task == read.task) {
        part.records.push_back(record);
      }
    }
    part.at_end = part.next_cursor == node.log.size();
    return part.records.empty() && !over ? std::nullopt
                                         : std::optional<protocol::ClientReply>(part);
  }

  std::vector<Open> open_;
};

}  // namespace fastgpu::session::test
