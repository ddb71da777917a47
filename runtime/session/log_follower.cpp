#include "runtime/session/log_follower.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"

namespace fastgpu::session {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using base::ErrorKind;

/// Beyond the wait that a question asks for: a try at one node and one at another.
constexpr base::Duration answer_time = limits::rpc_timeout * 2;
/// A job's list of attempts is long: it is read again no more often than this.
constexpr base::Duration detail_interval = limits::log_job_poll_interval * 2;

constexpr bool is_passing(const base::Error& error) {
  return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::overloaded ||
         error.kind == ErrorKind::unknown;
}

std::string why(const base::Error& error) {
  switch (error.code) {
    case ErrorCode::node_down:
      return "node down";
    case ErrorCode::timeout:
      return "no answer";
    case ErrorCode::no_node_reachable:
      return "no node of the cluster answers";
    default:
      return error.message;
  }
}

base::Error wrong_answer() {
  return {ErrorKind::internal, ErrorCode::internal,
          "a node answered with something else than what was asked for",
          "are all nodes of the same release?"};
}

}  // namespace

std::optional<base::Time> LogFollower::next_deadline() const {
  if (done_) {
    return std::nullopt;
  }
  base::Time next = heard_at_ + options_.silence_limit;
  // What was due in the last step was done then, or waits for an answer.
  const auto consider = [&](base::Time at) { next = at > now_ ? std::min(next, at) : next; };
  if (job_ask_ == 0 && !final_at_) {
    consider(job_retry_at_);
  }
  for (const auto& [node, source] : sources_) {
    if (!source.held.empty()) {
      consider(source.held_since + limits::log_merge_window);
    } else if (!source.drained && !source.lost && source.needed) {
      consider(source.ask == 0 ? source.retry_at : now_);
      consider(final_at_ && source.away ? *final_at_ + options_.give_up_after : now_);
    }
  }
  return next;
}

FollowEffects LogFollower::step(const FollowEvent& event, base::Time now) {
  now_ = now;
  effects_.clear();
  if (!done_) {
    std::visit([this](const auto& what) { handle(what); }, event);
    pump();
  }
  return std::exchange(effects_, {});
}

void LogFollower::handle(const FollowBegin&) {
  heard_at_ = now_;
}

void LogFollower::handle(const FollowAnswered& event) {
  if (event.ask == job_ask_) {
    job_ask_ = 0;
    heard(event.reply);
    return job_answered(event.reply);
  }
  const auto found = std::find_if(sources_.begin(), sources_.end(),
                                  [&](const auto& entry) { return entry.second.ask == event.ask; });
  if (found != sources_.end()) {  // else the question was put anew meanwhile
    found->second.ask = 0;
    heard(event.reply);
    part_answered(found->first, event.reply);
  }
}

void LogFollower::handle(const FollowTick&) {
  if (now_ >= heard_at_ + options_.silence_limit) {
    return end(FollowEnding::unreachable,
               last_error_.value_or(base::Error{ErrorKind::unavailable, ErrorCode::timeout,
                                                "no node of the cluster answers", ""}));
  }
  if (!final_at_ || now_ < *final_at_ + options_.give_up_after) {
    return;
  }
  for (auto& [node, source] : sources_) {
    if (source.away && !source.drained && !source.lost && source.needed) {
      give_up_on(node, source, source.why_away);
    }
  }
}

// --- the job -------------------------------------------------------------------------------------

void LogFollower::ask_job() {
  if (job_ask_ != 0 || final_at_ || now_ < job_retry_at_) {
    return;
  }
  const bool ended = job_ && protocol::is_terminal(job_->state);
  if (detail_wanted_ && (!job_ || ended || now_ >= detail_at_ + detail_interval)) {
    // No reports of tasks, only who ran them where.
    job_ask_ = ask(protocol::ShowJob{options_.job, UINT32_MAX}, {});
  } else {
    const base::Duration wait = limits::log_job_poll_interval;
    job_ask_ = ask(protocol::WaitJob{options_.job, wait.count()}, wait);
  }
}

void LogFollower::job_answered(const protocol::ClientReply& reply) {
  if (const auto* error = std::get_if<base::Error>(&reply)) {
    if (!is_passing(*error)) {
      return end(FollowEnding::refused, *error);
    }
    job_retry_at_ = now_ + limits::log_retry_min;
  } else if (const auto* list = std::get_if<protocol::JobList>(&reply);
             list != nullptr && !list->jobs.empty()) {
    job_seen(list->jobs.front());
  } else if (const auto* detail = std::get_if<protocol::JobDetail>(&reply)) {
    attempts_.update(detail->attempts);
    job_seen(detail->summary);
    detail_wanted_ = false;
    detail_at_ = now_;
    if (!options_.follow || protocol::is_terminal(detail->summary.state)) {
      finalize();
    }
  } else {
    end(FollowEnding::refused, wrong_answer());
  }
}

void LogFollower::job_seen(const protocol::JobSummary& summary) {
  const bool ended = protocol::is_terminal(summary.state);
  detail_wanted_ |=
      ended || !job_ || job_->nodes != summary.nodes || job_->counts != summary.counts;
  seen_live_ |= !ended;
  job_ = summary;
  for (const base::NodeId node : summary.nodes) {
    sources_.try_emplace(node);
  }
  look_who_is_needed();
}

/// No more will be printed: each node is asked once more, and not to wait.
void LogFollower::finalize() {
  final_at_ = now_;
  for (auto& [node, source] : sources_) {
    source.ask = 0;  // what was asked with a wait is not waited for
    source.retry_at = std::min(source.retry_at, now_);
  }
}

// --- the nodes -----------------------------------------------------------------------------------

/// Which nodes have an attempt that counts. What was missed on one that is away matters no more
/// once its tasks go on elsewhere.
void LogFollower::look_who_is_needed() {
  for (auto& [node, source] : sources_) {
    source.needed = options_.all_attempts || attempts_.counts(node, options_.task);
    if (source.told && !source.needed) {
      source.told = false;
      notice("the tasks of " + name_of(node) +
             " go on in newer attempts elsewhere; what it has is not waited for");
    }
  }
}

void LogFollower::part_answered(base::NodeId node, const protocol::ClientReply& reply) {
  Source& source = sources_.at(node);
  const auto* part = std::get_if<protocol::LogPart>(&reply);
  if (part == nullptr) {
    const auto* error = std::get_if<base::Error>(&reply);
    return part_failed(node, source, error ? *error : wrong_answer());
  }
  if (std::exchange(source.away, false) && std::exchange(source.told, false)) {
    notice(logs_on(node) + " are readable again");
  }
  source.backoff = {};
  take(source, *part);
  source.drained = final_at_ && source.at_end && !expects_an_end(source);
  if (source.at_end && source.held.empty() && !final_at_ && crowded()) {
    const std::size_t rounds = sources_.size() / limits::log_asks_open_max + 1;
    source.retry_at = now_ + limits::log_job_poll_interval * static_cast<std::int64_t>(rounds);
  }
}

void LogFollower::part_failed(base::NodeId node, Source& source, const base::Error& error) {
  // A node that has just joined is not known everywhere yet.
  if (!is_passing(error) && error.code != ErrorCode::not_found) {
    return give_up_on(node, source, why(error));
  }
  source.away = true;
  source.why_away = why(error);
  source.backoff =
      std::clamp<base::Duration>(source.backoff * 2, limits::log_retry_min, limits::log_retry_max);
  source.retry_at = now_ + source.backoff;
  // That nobody answers is told once, not for each node.
  if (error.code != ErrorCode::no_node_reachable && !std::exchange(source.told, true)) {
    notice(logs_on(node) + " are not readable now: " + source.why_away + "; retrying");
  }
}

void LogFollower::take(Source& source, const protocol::LogPart& part) {
  source.cursor = part.next_cursor;
  source.at_end = part.at_end;
  source.dropped_bytes = part.dropped_bytes;
  source.held_since = now_;
  for (const base::LogRecord& record : part.records) {
    if (record.stream == base::LogStream::started) {
      source.running.insert({record.task, record.attempt});
    } else if (record.stream == base::LogStream::ended) {
      source.running.erase({record.task, record.attempt});
    }
    if (record.stream != base::LogStream::notice) {
      attempts_.saw(record.task, record.attempt);
    }
    source.held.push_back(record);
  }
}

void LogFollower::ask_source(base::NodeId node, Source& source) {
  protocol::ReadLog read;
  read.node = node;
  read.job = options_.job;
  read.task = options_.task.value_or(0);
  read.all_tasks = !options_.task;
  read.cursor = source.cursor;
  read.bytes_max = options_.part_bytes;
  const base::Duration wait = wait_at(source);
  read.wait_ns = wait.count();
  source.ask = ask(read, wait);
}

base::Duration LogFollower::wait_at(const Source& source) const {
  if (!source.at_end || crowded()) {
    return {};
  }
  if (!final_at_) {
    return limits::client_wait_max;
  }
  return expects_an_end(source)
             ? std::min<base::Duration>(*final_at_ + limits::log_tail_grace - now_,
                                        limits::client_wait_max)
             : base::Duration::zero();
}

/// A job that was cancelled has ended in the ledger before its commands have. For a while the marks
/// of their ends are waited for, with what they print on the way.
bool LogFollower::expects_an_end(const Source& source) const {
  return final_at_ && options_.follow && seen_live_ && now_ < *final_at_ + limits::log_tail_grace &&
         std::any_of(source.running.begin(), source.running.end(), [this](const auto& one) {
           return !attempts_.is_superseded(one.first, one.second);
         });
}

void LogFollower::give_up_on(base::NodeId node, Source& source, const std::string& reason) {
  source.lost = true;
  source.ask = 0;
  notice(logs_on(node) + " could not be read: " + reason);
}

// --- what is shown -------------------------------------------------------------------------------

/// The earliest of the records at hand, unless a node that is still being read may have an earlier
/// one; that is waited for only shortly.
void LogFollower::show_what_may_be_shown() {
  for (;;) {
    Sources::iterator first = sources_.end();
    for (auto at = sources_.begin(); at != sources_.end(); ++at) {
      if (!at->second.held.empty() &&
          (first == sources_.end() ||
           at->second.held.front().time_ns < first->second.held.front().time_ns)) {
        first = at;
      }
    }
    if (first == sources_.end() || !may_come_first(first->first, first->second)) {
      return;
    }
    show(first->first, first->second.held.front());
    first->second.held.pop_front();
  }
}

bool LogFollower::may_come_first(base::NodeId node, const Source& source) const {
  return now_ >= source.held_since + limits::log_merge_window ||
         std::none_of(sources_.begin(), sources_.end(), [&](const auto& entry) {
           const Source& other = entry.second;
           return entry.first != node && other.held.empty() && !other.at_end && !other.away &&
                  !other.lost && other.needed;
         });
}

void LogFollower::show(base::NodeId node, const base::LogRecord& record) {
  if (!options_.all_attempts && record.stream != base::LogStream::notice &&
      attempts_.is_superseded(record.task, record.attempt)) {
    ++records_hidden_;
    return;
  }
  effects_.push_back(ShowRecord{node, record});
}

std::string LogFollower::logs_on(base::NodeId node) const {
  return "logs of " + attempts_.tasks_on(node) + " on " + name_of(node);
}

std::string LogFollower::name_of(base::NodeId node) const {
  const auto found = options_.names.find(node);
  return found == options_.names.end() ? base::to_string(node) : found->second;
}

// --- all together --------------------------------------------------------------------------------

void LogFollower::pump() {
  if (done_) {
    return;
  }
  ask_job();
  show_what_may_be_shown();
  auto open = static_cast<std::size_t>(std::count_if(
      sources_.begin(), sources_.end(), [](const auto& entry) { return entry.second.ask != 0; }));
  // From the node after the one asked last, so that all have their turn.
  auto at = sources_.upper_bound(last_node_);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    at = at == sources_.end() ? sources_.begin() : at;
    auto& [node, source] = *at++;
    if (source.ask == 0 && source.held.empty() && !source.drained && !source.lost &&
        source.needed && now_ >= source.retry_at && open < limits::log_asks_open_max) {
      ++open;
      ask_source(node, source);
      last_node_ = node;
    }
  }
  end_if_all_is_told();
}

bool LogFollower::crowded() const {
  return sources_.size() > limits::log_asks_open_max;
}

void LogFollower::heard(const protocol::ClientReply& reply) {
  const auto* error = std::get_if<base::Error>(&reply);
  last_error_ = error ? std::optional(*error) : last_error_;
  if (error != nullptr && error->code == ErrorCode::no_node_reachable) {
    if (!std::exchange(silent_, true)) {
      notice("no node of the cluster answers; retrying");
    }
  } else if (error == nullptr || error->code != ErrorCode::timeout) {
    heard_at_ = now_;
    if (std::exchange(silent_, false)) {
      notice("the cluster answers again");
    }
  }
}

void LogFollower::end_if_all_is_told() {
  if (!final_at_ || !std::all_of(sources_.begin(), sources_.end(), [this](const auto& entry) {
        const Source& source = entry.second;
        return source.held.empty() && (source.drained || source.lost || !source.needed);
      })) {
    return;
  }
  const bool lost = std::any_of(sources_.begin(), sources_.end(),
                                [](const auto& entry) { return entry.second.lost; });
  end(lost ? FollowEnding::incomplete : FollowEnding::complete, {});
}

void LogFollower::end(FollowEnding ending, const base::Error& error) {
  done_ = true;
  FollowDone done;
  done.ending = ending;
  done.state = job_ ? job_->state : protocol::TaskState::pending;
  done.error = error;
  done.records_hidden = records_hidden_;
  for (const auto& [node, source] : sources_) {
    if (source.dropped_bytes > 0) {
      notice("log cut on " + name_of(node) + ": " + std::to_string(source.dropped_bytes) +
             " bytes were not kept in all");
    }
    done.dropped_bytes += source.dropped_bytes;
  }
  effects_.push_back(std::move(done));
}

std::uint64_t LogFollower::ask(protocol::ClientRequest request, base::Duration wait) {
  effects_.push_back(FollowAsk{++last_ask_, std::move(request), wait + answer_time});
  return last_ask_;
}

}  // namespace fastgpu::session
