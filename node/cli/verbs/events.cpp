#include <chrono>
#include <thread>
#include <utility>

#include "client/error_words.hpp"
#include "node/cli/selector.hpp"
#include "node/cli/text/events.hpp"
#include "node/cli/verbs/verbs.hpp"

namespace fastgpu::cli {
namespace {

/// Of all jobs at once, for a person to read.
constexpr std::size_t events_at_once = 50;
/// Between two looks.
constexpr std::chrono::milliseconds look_interval{500};

/// Prints events as they come, or all as one document.
class Printer {
 public:
  Printer(Context& context, bool follow) : context_(context), follow_(follow) {}

  void add(const std::vector<Event>& events) {
    for (const Event& event : events) {
      if (!context_.wants_documents()) {
        context_.print(line_of(event));
      } else if (follow_) {
        context_.print(json_event(event).dump(-1, ' ', false, Json::error_handler_t::replace) +
                       "\n");
      } else {
        kept_.push_back(event);
      }
    }
  }
  void end() {
    if (context_.wants_documents() && !follow_) {
      context_.print(json_events(kept_, context_.source(), context_.stamp()));
    }
  }

 private:
  Context& context_;
  bool follow_;
  std::vector<Event> kept_;
};

/// Lets a look's time pass; an Error once `--timeout` is over.
base::Status rest(const Context& context) {
  const auto limit = context.limit();
  if (!limit.ok()) {
    return limit.error();
  }
  std::this_thread::sleep_for(look_interval);
  if (limit.value() && std::chrono::steady_clock::now() >= *limit.value()) {
    return client::time_is_over("what was followed has not ended in the time given");
  }
  return {};
}

int show_jobs(Context& context, client::Connection& connection, const Invocation& invocation) {
  const auto targets = find_targets(context, connection, {invocation.selectors, invocation.labels});
  if (!targets.ok()) {
    return context.fail(targets.error());
  }
  Printer printer(context, invocation.follow);
  std::vector<std::pair<Target, JobEvents>> live;
  for (const Target& target : targets.value()) {
    live.emplace_back(target, JobEvents(context.names(), target.task));
  }
  while (!live.empty()) {
    context.asking();
    std::vector<std::pair<Target, JobEvents>> still_live;
    for (auto& [target, events] : live) {
      const auto detail = fetch_target(context, connection, target);
      if (!detail.ok()) {
        return context.fail(detail.error());
      }
      printer.add(events.news(detail.value()));
      if (!protocol::is_terminal(detail.value().summary.state)) {
        still_live.emplace_back(target, std::move(events));
      }
    }
    live = std::move(still_live);
    if (!invocation.follow) {
      break;
    }
    if (const base::Status on = live.empty() ? base::Status{} : rest(context); !on.ok()) {
      return context.fail(on.error());
    }
  }
  printer.end();
  return 0;
}

int show_all(Context& context, client::Connection& connection, bool follow) {
  Printer printer(context, follow);
  ClusterEvents cluster;
  for (;;) {
    context.asking();
    const auto list =
        connection.ask_for<protocol::JobList>(protocol::ListJobs{true}, context.deadline());
    if (!list.ok()) {
      return context.fail(list.error());
    }
    context.refresh(connection);
    std::vector<Event> events = events_of(list.value(), events_at_once);
    const std::vector<Event> nodes = events_of(context.cluster());
    events.insert(events.end(), nodes.begin(), nodes.end());
    printer.add(cluster.news(events));
    if (list.value().shards_unanswered != 0) {
      context.tell("INCOMPLETE: " + std::to_string(list.value().shards_unanswered) +
                   " parts of the ledger did not answer; their jobs are missing here");
    }
    if (!follow) {
      printer.end();
      return 0;
    }
    if (const base::Status on = rest(context); !on.ok()) {
      return context.fail(on.error());
    }
  }
}

}  // namespace

int verb_events(Context& context, const Invocation& invocation) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const bool all = invocation.selectors.empty() && invocation.labels.empty();
  return all ? show_all(context, *connection.value(), invocation.follow)
             : show_jobs(context, *connection.value(), invocation);
}

}  // namespace fastgpu::cli
