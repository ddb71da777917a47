#include <chrono>
#include <utility>

#include "node/cli/text/doctor.hpp"
#include "node/cli/verbs/verbs.hpp"

namespace fastgpu::cli {
namespace {

constexpr std::chrono::seconds answer_limit{5};

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

NodeAnswer ask(const std::string& address, const std::filesystem::path& credentials, bool listed) {
  NodeAnswer answer{address, base::Error{}, 0, 0, 0, listed};
  const auto connection = client::Connection::open({{address}, "fastgpu doctor", credentials});
  if (!connection.ok()) {
    answer.status = connection.error();
    return answer;
  }
  client::Connection& open = *connection.value();
  // The first question connects: only the second one measures the way.
  answer.status =
      open.ask_for<protocol::ClusterStatus>(protocol::AskCluster{}, client::in(answer_limit));
  if (!answer.status.ok()) {
    return answer;
  }
  answer.asked_ms = wall_ms();
  answer.status =
      open.ask_for<protocol::ClusterStatus>(protocol::AskCluster{}, client::in(answer_limit));
  answer.answered_ms = wall_ms();
  const auto list = open.ask_for<protocol::JobList>(protocol::ListJobs{}, client::in(answer_limit));
  if (list.ok()) {
    answer.shards_unanswered = list.value().shards_unanswered;
  }
  return answer;
}

void add(std::vector<Finding>& to, const std::string& where, std::vector<node::Check> checks) {
  for (node::Check& check : checks) {
    to.push_back({where, std::move(check)});
  }
}

}  // namespace

int verb_doctor(Context& context, const Invocation& invocation) {
  std::vector<Finding> findings;
  const std::string& folder = invocation.global.folder;
  add(findings, "this host", node::check_host());  // forks: before there are other threads
  if (!folder.empty()) {
    add(findings, "folder " + folder, node::check_folder(folder));
  }
  const auto servers = context.servers();
  if (!servers.ok() && folder.empty()) {
    return context.fail(servers.error());
  }
  std::string source;
  for (const std::string& address : servers.ok() ? servers.value() : std::vector<std::string>{}) {
    const NodeAnswer answer =
        ask(address, context.credentials(), !invocation.global.servers.empty());
    add(findings, "node " + address, checks_of(answer));
    if (source.empty() && answer.status.ok()) {
      source = Names(answer.status.value()).of(answer.status.value().source);
    }
  }
  if (context.wants_documents()) {
    context.print(json_findings(findings, source, context.stamp()));
  } else {
    context.print(table_findings(findings));
  }
  return exit_code_of(findings);
}

}  // namespace fastgpu::cli
