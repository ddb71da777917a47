#include "node/cli/text/doctor.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "node/cli/text/quantities.hpp"
#include "runtime/base/limits.hpp"

namespace fastgpu::cli {
namespace {

using node::Check;
using node::CheckState;
using std::chrono::milliseconds;

/// Times that people compare are wrong by it.
constexpr std::int64_t skew_told_ms = 1000;
constexpr int exit_conflict = 4;
constexpr int exit_unreachable = 6;

Check reach_check(const NodeAnswer& answer) {
  if (!answer.status.ok()) {
    return {"reach", answer.listed ? CheckState::failed : CheckState::warning,
            answer.listed ? answer.status.error().message : "no node runs at " + answer.address,
            answer.listed ? answer.status.error().hint
                          : "start one, or name a node of a cluster with --server"};
  }
  const protocol::ClusterStatus& status = answer.status.value();
  const milliseconds took{answer.answered_ms - answer.asked_ms};
  return {"reach", CheckState::ok,
          "node " + Names(status).of(status.source) + " answers in " +
              (took.count() == 0 ? "less than 1 ms" : show_duration(took)) + ", protocol " +
              std::to_string(base::limits::protocol_version),
          ""};
}

/// The node's clock was read at some time between question and answer.
Check clock_check(const NodeAnswer& answer) {
  const std::int64_t theirs = answer.status.value().wall_time_ms;
  const std::int64_t skew = theirs > answer.answered_ms
                                ? theirs - answer.answered_ms
                                : std::min<std::int64_t>(theirs - answer.asked_ms, 0);
  if (std::abs(skew) <= skew_told_ms) {
    return {"clock", CheckState::ok, "its clock and this one agree to a second", ""};
  }
  return {"clock", CheckState::warning,
          "its clock is " + show_duration(milliseconds(std::abs(skew))) +
              (skew > 0 ? " ahead of this one" : " behind this one"),
          "set both by NTP: times that are shown come from nodes; nothing else depends on them"};
}

Check nodes_check(const protocol::ClusterStatus& status) {
  std::string away;
  for (const protocol::NodeView& node : status.nodes) {
    if (node.state != protocol::NodeState::up) {
      away += (away.empty() ? "" : ", ") + node.info.name + " " + protocol::to_word(node.state);
    }
  }
  if (!away.empty()) {
    return {"nodes", CheckState::warning,
            "of " + std::to_string(status.nodes.size()) + " nodes not all are up: " + away,
            "look at them with fastgpu node list; start those that should run"};
  }
  return {"nodes", CheckState::ok,
          status.nodes.size() == 1 ? "the only node is up"
                                   : "all " + std::to_string(status.nodes.size()) + " nodes are up",
          ""};
}

Check ledger_check(std::uint32_t unanswered) {
  if (unanswered != 0) {
    return {"ledger", CheckState::failed,
            std::to_string(unanswered) +
                " parts of the ledger have no leader that answers: their jobs can neither be seen "
                "nor added to",
            "start the nodes that are down"};
  }
  return {"ledger", CheckState::ok, "every part of the ledger has a leader that answers", ""};
}

}  // namespace

std::vector<Check> checks_of(const NodeAnswer& answer) {
  std::vector<Check> all{reach_check(answer)};
  if (answer.status.ok()) {
    if (answer.status.value().wall_time_ms != 0) {
      all.push_back(clock_check(answer));
    }
    all.push_back(nodes_check(answer.status.value()));
    all.push_back(ledger_check(answer.shards_unanswered));
  }
  return all;
}

int exit_code_of(const std::vector<Finding>& findings) {
  int code = 0;
  for (const Finding& finding : findings) {
    if (finding.check.state == CheckState::failed) {
      code = finding.check.name == "reach" || code == exit_unreachable ? exit_unreachable
                                                                       : exit_conflict;
    }
  }
  return code;
}

std::string table_findings(const std::vector<Finding>& findings) {
  std::string text;
  std::string where;
  for (const auto& [place, check] : findings) {
    if (place != where) {
      text += place + "\n";
      where = place;
    }
    std::string state = node::to_word(check.state);
    state.resize(std::max<std::size_t>(state.size(), 7), ' ');
    text += "  " + state + "  " + check.name + ": " + check.sentence + "\n";
    if (!check.remedy.empty()) {
      text += "           what to do: " + check.remedy + "\n";
    }
  }
  return text;
}

Json json_findings(const std::vector<Finding>& findings, const std::string& source, Stamp stamp) {
  Json all{{"schema", "fastgpu.doctor/1"},
           {"as_of", show_time(stamp.now_ms)},
           {"source", source.empty() ? Json(nullptr) : Json(source)},
           {"stale", false},
           {"items", Json::array()}};
  for (const auto& [place, check] : findings) {
    all["items"].push_back({{"where", place},
                            {"check", check.name},
                            {"state", node::to_word(check.state)},
                            {"message", check.sentence},
                            {"hint", check.remedy}});
  }
  return all;
}

}  // namespace fastgpu::cli
