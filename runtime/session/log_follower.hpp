#pragma once

/// Follows what a job prints, on whatever nodes it runs: which node to ask for what, in which order
/// the records are shown, and when that is all. Between a client's connection, which asks and
/// brings answers, and whoever shows the records. Pure: stepped by the thread that follows.
///
/// Every record is shown once, those of one node in their order, those of several nodes merged by
/// their times as far as a short wait allows. Records of an attempt that is known to be superseded
/// are hidden, and counted, unless they are asked for. It ends when the job has ended and every
/// node that has something of it has told all; or as `incomplete`, with a notice, when such a node
/// stays away for `give_up_after` beyond the job's end. Nothing is skipped without a notice.
///
/// One question is open at each node, and none while records of that node wait to be shown: a slow
/// reader holds up the questions, and memory is bounded by `part_bytes` for each node.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/log_record.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/session/log_attempts.hpp"

namespace fastgpu::session {

struct LogFollowOptions {
  base::JobId job{};
  std::optional<std::uint32_t> task{};  ///< only this one
  bool follow{true};                    ///< false: what is there now, and no more
  bool all_attempts{false};             ///< superseded ones too
  std::uint32_t part_bytes{256u << 10};
  base::Duration give_up_after{std::chrono::seconds{15}};  ///< on a node, once the job has ended
  base::Duration silence_limit{std::chrono::seconds{60}};  ///< how long no node may answer at all
  std::map<base::NodeId, std::string> names{};             ///< of nodes, for notices
};

// --- what it is told -----------------------------------------------------------------------------

struct FollowBegin {
  bool operator==(const FollowBegin&) const = default;
};
/// The answer to the question of that number, exactly one for each; an Error if nobody answered.
struct FollowAnswered {
  std::uint64_t ask{};
  protocol::ClientReply reply;
  bool operator==(const FollowAnswered&) const = default;
};
/// `next_deadline()` has come.
struct FollowTick {
  bool operator==(const FollowTick&) const = default;
};
using FollowEvent = std::variant<FollowBegin, FollowAnswered, FollowTick>;

// --- what it wants -------------------------------------------------------------------------------

/// Ask the cluster through any node, for at most `time`.
struct FollowAsk {
  std::uint64_t ask{};
  protocol::ClientRequest request;
  base::Duration time{};
  bool operator==(const FollowAsk&) const = default;
};
struct ShowRecord {
  base::NodeId node;  ///< that wrote it
  base::LogRecord record;
  bool operator==(const ShowRecord&) const = default;
};
/// A line about the log itself, such as "[logs of task 3 on n2 are not readable now: ...]".
struct ShowNotice {
  std::string text;
  bool operator==(const ShowNotice&) const = default;
};
enum class FollowEnding : std::uint8_t {
  complete,     ///< all that was kept has been shown
  incomplete,   ///< a node that has some of it could not be asked
  refused,      ///< there is no such job, or it may not be read: `error` says
  unreachable,  ///< no node has answered for `silence_limit`: `error` says
};
/// Last. What is still being asked may be forgotten.
struct FollowDone {
  FollowEnding ending{FollowEnding::complete};
  protocol::TaskState state{protocol::TaskState::pending};  ///< of the job, as it was seen last
  base::Error error;                                        ///< of the last two endings
  std::uint64_t records_hidden{};                           ///< of superseded attempts
  std::uint64_t dropped_bytes{};                            ///< that the nodes did not keep
  bool operator==(const FollowDone&) const = default;
};
using FollowEffect = std::variant<FollowAsk, ShowRecord, ShowNotice, FollowDone>;
using FollowEffects = std::vector<FollowEffect>;

class LogFollower {
 public:
  explicit LogFollower(LogFollowOptions options) : options_(std::move(options)) {}

  bool done() const { return done_; }
  std::optional<base::Time> next_deadline() const;

  FollowEffects step(const FollowEvent& event, base::Time now);

 private:
  /// A node that has some of the job's log.
  struct Source {
    bool needed{true};  ///< has an attempt that counts
    std::uint64_t cursor{0};
    std::uint64_t ask{0};              ///< the open question; 0: none
    std::deque<base::LogRecord> held;  ///< read, not shown
    base::Time held_since{};           ///< when they came
    bool at_end{false};                ///< as of the last answer
    bool drained{false};               ///< told all, after the job's end was known
    bool lost{false};                  ///< given up
    bool away{false};                  ///< the last answer was an Error
    bool told{false};                  ///< and a notice says so
    std::string why_away;
    base::Time retry_at{};
    base::Duration backoff{};
    std::uint64_t dropped_bytes{0};
    std::set<std::pair<std::uint32_t, base::AttemptId>> running;  ///< started and not ended
  };
  using Sources = std::map<base::NodeId, Source>;

  void handle(const FollowBegin& event);
  void handle(const FollowAnswered& event);
  void handle(const FollowTick& event);

  // The job
  void job_answered(const protocol::ClientReply& reply);
  void job_seen(const protocol::JobSummary& summary);
  void finalize();
  void ask_job();

  // The nodes
  void look_who_is_needed();
  void part_answered(base::NodeId node, const protocol::ClientReply& reply);
  void part_failed(base::NodeId node, Source& source, const base::Error& error);
  void take(Source& source, const protocol::LogPart& part);
  void ask_source(base::NodeId node, Source& source);
  base::Duration wait_at(const Source& source) const;
  bool expects_an_end(const Source& source) const;
  void give_up_on(base::NodeId node, Source& source, const std::string& reason);

  // What is shown
  void show_what_may_be_shown();
  bool may_come_first(base::NodeId node, const Source& source) const;
  void show(base::NodeId node, const base::LogRecord& record);
  void notice(const std::string& text) { effects_.push_back(ShowNotice{"[" + text + "]"}); }
  std::string logs_on(base::NodeId node) const;
  std::string name_of(base::NodeId node) const;

  void pump();
  bool crowded() const;  ///< more nodes than may be asked at once: nobody is asked to wait
  void heard(const protocol::ClientReply& reply);
  void end_if_all_is_told();
  void end(FollowEnding ending, const base::Error& error);
  std::uint64_t ask(protocol::ClientRequest request, base::Duration wait);

  const LogFollowOptions options_;
  Sources sources_;
  LogAttempts attempts_;
  std::optional<protocol::JobSummary> job_;
  bool detail_wanted_{true};  ///< the list of attempts is older than the summary
  base::Time detail_at_{};
  std::uint64_t job_ask_{0};
  base::Time job_retry_at_{};
  bool seen_live_{false};
  std::optional<base::Time> final_at_;  ///< since when nothing new is expected but what is there
  std::uint64_t last_ask_{0};
  base::NodeId last_node_;  ///< asked last
  base::Time heard_at_{};
  bool silent_{false};  ///< and a notice says so
  std::optional<base::Error> last_error_;
  std::uint64_t records_hidden_{0};
  bool done_{false};
  base::Time now_{};
  FollowEffects effects_;
};

}  // namespace fastgpu::session
