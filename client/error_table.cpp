#include "client/error_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace fastgpu::client {
namespace {

using base::ErrorCode;

constexpr ErrorClass internal{"internal", 1};
constexpr ErrorClass usage{"usage", 2};
constexpr ErrorClass not_found{"not_found", 3};
constexpr ErrorClass conflict{"conflict", 4};
constexpr ErrorClass denied{"denied", 5};
constexpr ErrorClass unreachable{"unreachable", 6};
constexpr ErrorClass infeasible{"infeasible", 7};
constexpr ErrorClass overloaded{"overloaded", 9};
constexpr ErrorClass job_failed{"job_failed", 10};
constexpr ErrorClass job_cancelled{"job_cancelled", 11};
constexpr ErrorClass job_timed_out{"job_timed_out", 12};
constexpr ErrorClass job_lost{"job_lost", 13};

// clang-format off
constexpr ErrorRow rows[] = {
    {ErrorCode::usage, "usage", &usage, "the command line is wrong",
     "`fastgpu help` shows the right one"},
    {ErrorCode::bad_job_spec, "bad_job_spec", &usage,
     "the job's description contradicts itself or lacks something", "mend the named field"},
    {ErrorCode::bad_argument, "bad_argument", &usage,
     "an argument or path is malformed or does not fit its place", "mend the named argument"},
    {ErrorCode::too_large, "too_large", &usage,
     "a limit of size is exceeded; the message names it",
     "make it smaller, or pass it as a buffer"},
    {ErrorCode::file_not_found, "file_not_found", &usage,
     "a file named on the command line cannot be read or written",
     "mend the path or its permissions"},
    {ErrorCode::infeasible, "infeasible", &infeasible, "no device present could ever run this",
     "ask for less; the message names the nearest match"},
    {ErrorCode::overloaded, "overloaded", &overloaded, "a queue is full",
     "wait and try again; the client library does so by itself"},
    {ErrorCode::disk_full, "disk_full", &overloaded,
     "a disk of the node has too little room left", "free some, or let other nodes do it"},
    {ErrorCode::not_found, "not_found", &not_found, "no such job, task, node, folder or object",
     "look with `fastgpu ps` or `fastgpu node list`"},
    {ErrorCode::already_finished, "already_finished", &conflict,
     "the job has ended and cannot be changed", "nothing: `fastgpu show` tells how it ended"},
    {ErrorCode::name_taken, "name_taken", &conflict,
     "a node of this name is a member already, or the folder is a node's already",
     "choose another name or folder"},
    {ErrorCode::conflict, "conflict", &conflict,
     "another change came first, another process uses the folder or address, or nothing is left "
     "to do",
     "look at the present state, then decide again"},
    {ErrorCode::version_skew, "version_skew", &conflict,
     "the other side speaks another version of the protocol", "bring both to the same release"},
    {ErrorCode::wrong_cluster, "wrong_cluster", &conflict,
     "the other side belongs to another cluster", "check the addresses and the join token"},
    {ErrorCode::no_node_reachable, "no_node_reachable", &unreachable,
     "none of the given nodes answers", "check that one runs, and its address"},
    {ErrorCode::no_majority, "no_majority", &unreachable,
     "too few replicas of the shard are alive to accept anything", "bring nodes back"},
    {ErrorCode::timeout, "timeout", &unreachable,
     "no answer in time; it may have happened all the same",
     "ask again; the request id makes it safe"},
    {ErrorCode::shard_unavailable, "shard_unavailable", &unreachable,
     "the node that leads the shard is not reachable now",
     "wait: it is retried when the node is back"},
    {ErrorCode::object_missing, "object_missing", &not_found, "no live node holds these bytes",
     "bring their holders back, or submit anew"},
    {ErrorCode::output_missing, "output_missing", &not_found,
     "the command ended well and left no such file", "mend the path, or the command"},
    {ErrorCode::node_down, "node_down", &unreachable, "the node that was asked for is down",
     "bring it back; what it keeps is on its disk"},
    {ErrorCode::denied, "denied", &denied,
     "the credentials or the token are not known here, or do not allow this", "use the right token"},
    {ErrorCode::listen_refused, "listen_refused", &denied,
     "an address off the loopback was asked for without keys", "listen on 127.0.0.1"},
    {ErrorCode::job_failed, "job_failed", &job_failed,
     "a task failed by itself; its reason stands beside it",
     "`fastgpu why` names task, reason and remedy"},
    {ErrorCode::job_cancelled, "job_cancelled", &job_cancelled,
     "somebody cancelled it, or it waited for a job that did not end as asked",
     "submit it again if that was a mistake"},
    {ErrorCode::job_timed_out, "job_timed_out", &job_timed_out, "a task ran longer than its limit",
     "raise `--time-limit`, or make it faster"},
    {ErrorCode::job_lost, "job_lost", &job_lost,
     "nodes died under it more often than it may be retried",
     "look at the nodes, then submit again"},
    {ErrorCode::internal, "internal", &internal, "FastGPU broke one of its own rules",
     "report it with the node's log"},
    {ErrorCode::corrupt, "corrupt", &internal, "stored or received bytes fail their checksum",
     "check the disk; report it"},
};
// clang-format on

constexpr bool ascending() {
  return std::is_sorted(std::begin(rows), std::end(rows),
                        [](const auto& a, const auto& b) { return a.code < b.code; });
}
static_assert(ascending(), "the rows stand in the order of their numbers");

std::string number_with(const char* format, ErrorCode code) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, static_cast<unsigned>(code));
  return text.data();
}

/// Markdown's code marks mean nothing on a terminal.
std::string plain(std::string text) {
  std::erase(text, '`');
  return text;
}

}  // namespace

std::span<const ErrorRow> error_table() {
  return rows;
}

const ErrorRow* find_error(ErrorCode code) {
  const auto row = std::find_if(std::begin(rows), std::end(rows),
                                [&](const ErrorRow& each) { return each.code == code; });
  return row == std::end(rows) ? nullptr : row;
}

const ErrorRow* find_error(std::string_view text) {
  if (text.starts_with("FG") || text.starts_with("fg")) {
    text.remove_prefix(2);
  }
  unsigned number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = problem == std::errc{} && end == text.data() + text.size();
  return whole && text.size() == 4 ? find_error(static_cast<ErrorCode>(number)) : nullptr;
}

std::string code_text(ErrorCode code) {
  return number_with("FG%04u", code);
}

std::string anchor_of(ErrorCode code) {
  return number_with("fg%04u", code);
}

std::string help_of(const ErrorRow& row) {
  return code_text(row.code) + "  " + row.name + "\n  meaning     " + plain(row.meaning) +
         "\n  what to do  " + plain(row.remedy) + "\n  kind        " + row.what->word +
         " (exit code " + std::to_string(row.what->exit_code) + ")\n";
}

std::string error_page_table() {
  std::string text =
      "| code | name | kind, exit code | meaning | what to do |\n| --- | --- | --- | --- | --- |\n";
  for (const ErrorRow& row : rows) {
    text += "| " + code_text(row.code) + " | `" + row.name + "` | <a id=\"" + anchor_of(row.code) +
            "\"></a>" + row.what->word + ", " + std::to_string(row.what->exit_code) + " | " +
            row.meaning + " | " + row.remedy + " |\n";
  }
  return text;
}

}  // namespace fastgpu::client
