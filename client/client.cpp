#include "fastgpu/client.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "client/connection.hpp"
#include "client/error_words.hpp"
#include "client/prepare.hpp"
#include "client/results.hpp"

namespace fastgpu {
inline namespace v1 {
namespace {

using client::Connection;
using client::to_public;

/// How long `open` waits for a first node, at most.
constexpr std::chrono::seconds connect_limit{10};

JobState to_state(protocol::TaskState state) {
  return static_cast<JobState>(state);
}

Timings to_timings(const protocol::Timings& timings) {
  return {
      std::chrono::nanoseconds(timings.queue_ns),    std::chrono::nanoseconds(timings.compile_ns),
      std::chrono::nanoseconds(timings.copy_in_ns),  std::chrono::nanoseconds(timings.run_ns),
      std::chrono::nanoseconds(timings.copy_out_ns), timings.compile_cached};
}

NodeStatus to_status(const protocol::NodeView& view) {
  NodeStatus status{
      view.info.node.value, view.info.name, view.info.address, protocol::to_word(view.state), {}};
  for (const protocol::DeviceBooks& books : view.devices) {
    status.devices.push_back({books.device.ordinal, protocol::to_word(books.kind), books.model,
                              books.memory_bytes_total, books.memory_bytes_free, books.slots_total,
                              books.slots_free, books.healthy});
  }
  return status;
}

/// Names of the buffers that are results, in their order.
std::vector<std::string> output_names(const protocol::JobSpec& spec) {
  std::vector<std::string> names;
  for (const protocol::Argument& argument : spec.kernel.arguments) {
    const auto* buffer = std::get_if<protocol::BufferArgument>(&argument);
    if (buffer &&
        (buffer->use == protocol::BufferUse::out || buffer->use == protocol::BufferUse::inout)) {
      names.push_back(buffer->name);
    }
  }
  return names;
}

bool lacks_input(base::FailureReason reason) {
  return reason == base::FailureReason::input_missing ||
         reason == base::FailureReason::staging_failed;
}

}  // namespace

struct Client::Impl {
  std::shared_ptr<Connection> connection;
  std::chrono::nanoseconds timeout{};
  client::Uploads uploads;
  std::mutex mutex;  ///< guards `names`
  std::map<base::NodeId, std::string> names;

  client::Time deadline() const { return client::in(timeout); }

  base::Result<base::JobId> submit(const JobSpec& spec, client::Time by) {
    const auto prepared = client::prepare(*connection, uploads, spec.contents(), by);
    if (!prepared.ok()) {
      return prepared.error();
    }
    const auto accepted = connection->ask_for<protocol::Accepted>(
        protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(prepared.value())}}, by);
    if (!accepted.ok()) {
      return accepted.error();
    }
    return accepted.value().job;
  }

  Expected<protocol::ClusterStatus> ask_cluster(client::Time by) {
    auto status = connection->ask_for<protocol::ClusterStatus>(protocol::AskCluster{}, by);
    if (!status.ok()) {
      return to_public(status.error());
    }
    const std::lock_guard lock(mutex);
    for (const protocol::NodeView& node : status.value().nodes) {
      names[node.info.node] = node.info.name;
    }
    return std::move(status).value();
  }

  std::string name_of(base::NodeId node) {
    const std::lock_guard lock(mutex);
    const auto found = names.find(node);
    return found == names.end() ? (node ? base::to_string(node) : std::string()) : found->second;
  }
  /// Asks again only when one of them is new.
  void learn_names(const std::vector<base::NodeId>& nodes, client::Time by) {
    bool all_known = true;
    {
      const std::lock_guard lock(mutex);
      for (const base::NodeId node : nodes) {
        all_known = all_known && (!node || names.contains(node));
      }
    }
    if (!all_known) {
      static_cast<void>(ask_cluster(by));  // where it fails, numbers stand in for names
    }
  }

  JobStatus to_status(const protocol::JobSummary& summary) {
    learn_names(summary.nodes, deadline());
    const auto count = [&](protocol::TaskState state) {
      return summary.counts[static_cast<std::size_t>(state)];
    };
    JobStatus status;
    status.id = {summary.job.value};
    status.name = summary.name;
    status.state = to_state(summary.state);
    for (const std::uint32_t tasks : summary.counts) {
      status.tasks += tasks;
    }
    status.pending = count(protocol::TaskState::pending);
    status.running = count(protocol::TaskState::running);
    status.succeeded = count(protocol::TaskState::succeeded);
    for (const base::NodeId node : summary.nodes) {
      status.nodes.push_back(name_of(node));
    }
    status.waiting_code = protocol::to_word(summary.waiting.code);
    status.waiting_sentence = summary.waiting.sentence;
    return status;
  }

  Expected<JobResult> gather(const protocol::JobDetail& detail, client::Time by) {
    std::vector<protocol::Data> pieces;
    std::vector<base::NodeId> nodes;
    for (const protocol::TaskReport& report : detail.reports) {
      pieces.insert(pieces.end(), report.outcome.outputs.begin(), report.outcome.outputs.end());
      nodes.push_back(report.outcome.device.node);
      if (lacks_input(report.outcome.reason)) {
        uploads.forget();
      }
    }
    const auto bytes = client::fetch_all(*connection, pieces, by);
    if (!bytes.ok()) {
      return to_public(bytes.error());
    }
    learn_names(nodes, by);
    JobResult result{{detail.summary.job.value}, to_state(detail.summary.state), {}};
    std::size_t next_piece = 0;
    for (const protocol::TaskReport& report : detail.reports) {
      const std::vector<std::string> names_of_outputs = detail.spec->is_command()
                                                            ? report.outcome.command.output_paths
                                                            : output_names(*detail.spec);
      std::vector<Output> outputs;
      for (std::size_t i = 0; i < report.outcome.outputs.size(); ++i) {
        const base::Bytes& data = bytes.value()[next_piece++];
        outputs.push_back({i < names_of_outputs.size() ? names_of_outputs[i] : std::string(),
                           Bytes(data.span().begin(), data.span().end())});
      }
      for (std::uint32_t task = report.range.first; task < report.range.end(); ++task) {
        result.tasks.push_back(to_task(task, report.outcome, outputs));
      }
    }
    return result;
  }

  TaskResult to_task(std::uint32_t task, const protocol::TaskOutcome& outcome,
                     const std::vector<Output>& outputs) {
    TaskResult result;
    result.task = task;
    result.state = to_state(outcome.state);
    result.reason = base::to_word(outcome.reason);
    result.message = outcome.message;
    result.node = name_of(outcome.device.node);
    result.device = outcome.device.ordinal;
    result.attempt = outcome.attempt ? base::to_string(outcome.attempt) : std::string();
    result.timings = to_timings(outcome.timings);
    result.outputs = outputs;
    result.exit_code = outcome.command.exit_code;
    result.signal = outcome.command.signal;
    result.protection = outcome.command.protection;
    return result;
  }

  Expected<JobStatus> first_of(base::Result<protocol::JobList> list, base::JobId job) {
    if (!list.ok()) {
      return to_public(list.error());
    }
    if (list.value().jobs.empty()) {
      return to_public({base::ErrorKind::rejected, base::ErrorCode::not_found,
                        "there is no job " + base::to_string(job), "Client::list(true) lists all"});
    }
    return to_status(list.value().jobs.front());
  }
};

struct Job::Impl {
  std::shared_ptr<Client::Impl> client;
  base::JobId id;
};

// --- Client --------------------------------------------------------------------------------------

Client::Client(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Expected<Client> Client::open(ClientOptions options) {
  auto connection = Connection::open({options.servers, "fastgpu C++ client", options.credentials});
  if (!connection.ok()) {
    return to_public(connection.error());
  }
  auto impl = std::make_shared<Impl>();
  impl->connection = std::move(connection).value();
  impl->timeout = options.timeout;
  const auto limit = std::min<std::chrono::nanoseconds>(options.timeout, connect_limit);
  const auto status = impl->ask_cluster(client::in(limit));
  if (!status) {
    return status.error();
  }
  return Client(std::move(impl));
}

Expected<Job> Client::submit(const JobSpec& spec) const {
  const client::Time by = impl_->deadline();
  base::Result<base::JobId> id = impl_->submit(spec, by);
  if (!id.ok() && id.error().code == base::ErrorCode::object_missing &&
      id.error().kind != base::ErrorKind::unknown) {
    // Of what was uploaded for an earlier job some is gone by now, or the node that had it.
    impl_->uploads.forget();
    id = impl_->submit(spec, by);
  }
  if (!id.ok()) {
    return to_public(id.error());
  }
  return job({id.value().value});
}

Job Client::job(JobId id) const {
  return Job(std::make_shared<Job::Impl>(Job::Impl{impl_, {id.value}}));
}

Expected<std::vector<JobStatus>> Client::list(bool finished_too) const {
  const auto list = impl_->connection->ask_for<protocol::JobList>(protocol::ListJobs{finished_too},
                                                                  impl_->deadline());
  if (!list.ok()) {
    return to_public(list.error());
  }
  std::vector<JobStatus> all;
  for (const protocol::JobSummary& summary : list.value().jobs) {
    all.push_back(impl_->to_status(summary));
  }
  return all;
}

Expected<JobStatus> Client::show(JobId id) const {
  return job(id).status();
}

Expected<std::vector<NodeStatus>> Client::cluster() const {
  const auto status = impl_->ask_cluster(impl_->deadline());
  if (!status) {
    return status.error();
  }
  std::vector<NodeStatus> nodes;
  for (const protocol::NodeView& view : status->nodes) {
    nodes.push_back(to_status(view));
  }
  return nodes;
}

// --- Job -----------------------------------------------------------------------------------------

Job::Job(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

JobId Job::id() const {
  return {impl_->id.value};
}

Expected<JobStatus> Job::status() const {
  Client::Impl& client = *impl_->client;
  return client.first_of(client.connection->ask_for<protocol::JobList>(
                             protocol::WaitJob{impl_->id, 0}, client.deadline()),
                         impl_->id);
}

Expected<JobState> Job::state() const {
  const auto now = status();
  return now ? Expected<JobState>(now->state) : Expected<JobState>(now.error());
}

Expected<JobState> Job::wait(std::chrono::nanoseconds timeout) const {
  const auto summary = client::wait_for(*impl_->client->connection, impl_->id, client::in(timeout));
  return summary.ok() ? Expected<JobState>(to_state(summary.value().state))
                      : Expected<JobState>(to_public(summary.error()));
}

Expected<JobResult> Job::result(std::chrono::nanoseconds timeout) const {
  Client::Impl& client = *impl_->client;
  const client::Time by = client::in(timeout);
  const auto summary = client::wait_for(*client.connection, impl_->id, by);
  if (!summary.ok()) {
    return to_public(summary.error());
  }
  // The job has ended: bringing its results gets a time of its own where little is left.
  const client::Time fetch_by = std::max(by, client.deadline());
  const auto detail = client::fetch_detail(*client.connection, impl_->id, fetch_by);
  if (!detail.ok()) {
    return to_public(detail.error());
  }
  return client.gather(detail.value(), fetch_by);
}

Expected<JobState> Job::cancel() const {
  Client::Impl& client = *impl_->client;
  const auto now = client.first_of(client.connection->ask_for<protocol::JobList>(
                                       protocol::CancelJob{{}, impl_->id}, client.deadline()),
                                   impl_->id);
  return now ? Expected<JobState>(now->state) : Expected<JobState>(now.error());
}

}  // namespace v1
}  // namespace fastgpu
