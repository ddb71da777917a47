#include "tests/chaos/work.hpp"

#include <algorithm>
#include <cstring>
#include <future>

#include "tests/support/process/process.hpp"

namespace fastgpu::chaos {
namespace {

using history::Answer;
using history::Call;
using history::Kind;

constexpr std::size_t lot_jobs = 400;  ///< a list has at most a thousand
constexpr std::chrono::seconds lease{10};
constexpr std::chrono::hours time_limit{1};

/// Occupies its device and no processor: several nodes share this machine. A pause of the C library
/// is there on a CPU device alone.
constexpr const char* nap_source =
    "extern \"C\" int usleep(unsigned);\n"
    "__global__ void nap(unsigned ms, unsigned long long value, unsigned task, long long* out) {\n"
    "  out[1] = clock64();\n"
    "  for (unsigned i = 0; i < ms; ++i) usleep(1000);\n"
    "  out[0] = (long long)(value + task);\n"
    "  out[2] = clock64();\n"
    "}\n";

struct NapOutput {
  std::uint64_t value;
  std::int64_t begin;
  std::int64_t end;
};

std::optional<NapOutput> nap_of(const protocol::TaskOutcome& outcome) {
  const auto* bytes =
      outcome.outputs.empty() ? nullptr : std::get_if<base::Bytes>(&outcome.outputs[0]);
  NapOutput output{};
  if (bytes == nullptr || bytes->size() != sizeof output) {
    return std::nullopt;
  }
  std::memcpy(&output, bytes->data(), sizeof output);
  return output;
}

std::string content_of(const protocol::JobDetail& detail, const protocol::TaskOutcome& outcome) {
  if (!detail.spec->is_command()) {
    const std::optional<NapOutput> nap = nap_of(outcome);
    return nap ? std::to_string(nap->value) : "";
  }
  const auto* bytes =
      outcome.outputs.empty() ? nullptr : std::get_if<base::Bytes>(&outcome.outputs[0]);
  return bytes == nullptr ? "" : std::string(bytes->text());
}

protocol::ScalarArgument scalar(protocol::ScalarType type, const std::string& text) {
  return {type, text};
}

Answer answer_of(const base::Error& error) {
  const bool surely_not =
      error.kind == base::ErrorKind::unavailable || error.kind == base::ErrorKind::overloaded ||
      error.kind == base::ErrorKind::rejected || error.kind == base::ErrorKind::invalid;
  return surely_not ? Answer::fail : Answer::unknown;
}

std::string word_of(const base::Error& error) {
  return error.code == base::ErrorCode::not_found ? "not_found" : error.message;
}

}  // namespace

Request Work::make(const std::string& client, Kind kind, std::uint32_t tasks, int milliseconds,
                   base::Random& random, std::optional<base::ShardId> shard) {
  const std::lock_guard lock(mutex_);
  Request request;
  const std::size_t number = requests_.size() + 1;
  request.key = client + "-" + std::to_string(number);
  request.lot = std::to_string(number / lot_jobs);
  request.id = {
      shard.value_or(base::ShardId{static_cast<std::uint32_t>(random.below(shard_count_))}),
      random.next() | 1, random.next()};
  request.kind = kind;
  request.tasks = tasks;
  request.value = number * 1000;
  request.milliseconds = milliseconds;
  request.stubborn = random.chance(300'000);
  requests_.push_back(request);
  return request;
}

protocol::SharedSpec Work::spec_of(const Request& request) const {
  protocol::JobSpec spec;
  spec.name = request.key;
  spec.tasks = request.tasks;
  spec.labels = {{"lot", request.lot}};
  spec.crash_limit = 1'000'000;  // how much a node suffers is not the task's fault
  spec.request.kind = protocol::DeviceKind::cpu;
  if (request.kind == Kind::kernel) {
    using enum protocol::ScalarType;
    spec.kernel.source = base::Bytes::copy_of(std::string_view(nap_source));
    spec.kernel.name = "nap";
    spec.kernel.arguments = {
        scalar(u32, std::to_string(request.milliseconds)),
        scalar(u64, std::to_string(request.value)), scalar(u32, "{}"),
        protocol::BufferArgument{protocol::BufferUse::out, "out", sizeof(NapOutput), {}}};
    spec.request.memory_bytes = sizeof(NapOutput);
  } else {
    spec.command.argv = {testing::program("chaos_task"), std::to_string(recorder_port_),
                         std::to_string(request.milliseconds)};
    if (request.stubborn) {
      spec.command.argv.emplace_back("stubborn");
    }
    spec.command.outputs = {"result"};
    spec.lease_ns = std::chrono::nanoseconds(lease).count();
    spec.time_limit_ns = std::chrono::nanoseconds(time_limit).count();
  }
  return {std::make_shared<const protocol::JobSpec>(std::move(spec))};
}

std::uint64_t Work::begin(history::Invoke invoke) {
  {
    const std::lock_guard lock(mutex_);
    invoke.op = ++last_op_;
  }
  invoke.at = now();
  file_.add(invoke);
  return invoke.op;
}

void Work::returned(history::Return answer) {
  answer.at = now();
  file_.add(answer);
}

void Work::refuse(const base::Error& error) {
  if (error.kind == base::ErrorKind::invalid) {
    const std::lock_guard lock(mutex_);
    wrong_ = error.message;
  }
}

std::string Work::wrong() const {
  const std::lock_guard lock(mutex_);
  return wrong_;
}

void Work::start_submit(client::Connection& connection, const std::string& client,
                        const Request& request, std::chrono::milliseconds limit, Submitted done) {
  history::Invoke invoke;
  invoke.client = client;
  invoke.call = Call::submit;
  invoke.key = request.key;
  invoke.kind = request.kind;
  invoke.tasks = request.tasks;
  invoke.value = request.value;
  const std::uint64_t op = begin(invoke);
  connection.start(
      protocol::Submit{request.id, spec_of(request)}, client::in(limit),
      [this, op, key = request.key, done = std::move(done)](const client::Reply& reply) {
        history::Return answer{0, op, Answer::unknown, 0, ""};
        if (const auto* accepted = std::get_if<protocol::Accepted>(&reply)) {
          answer.answer = Answer::ok;
          answer.job = accepted->job.value;
        } else if (const auto* error = std::get_if<base::Error>(&reply)) {
          answer.answer = answer_of(*error);
          answer.error = word_of(*error);
          refuse(*error);
        }
        returned(answer);
        if (answer.job != 0) {
          const std::lock_guard lock(mutex_);
          const auto found = std::find_if(requests_.rbegin(), requests_.rend(),
                                          [&](const Request& it) { return it.key == key; });
          found->job = answer.job;
        }
        done(answer.answer, answer.job);
      });
}

std::uint64_t Work::submit(client::Connection& connection, const std::string& client,
                           const Request& request, std::chrono::milliseconds limit) {
  auto job = std::make_shared<std::promise<std::uint64_t>>();
  start_submit(connection, client, request, limit,
               [job](Answer, std::uint64_t value) { job->set_value(value); });
  return job->get_future().get();
}

void Work::cancel(client::Connection& connection, const std::string& client, std::uint64_t job,
                  std::chrono::milliseconds limit) {
  history::Invoke invoke;
  invoke.client = client;
  invoke.call = Call::cancel;
  invoke.job = job;
  const std::uint64_t op = begin(invoke);
  const auto list = connection.ask_for<protocol::JobList>(protocol::CancelJob{{}, base::JobId{job}},
                                                          client::in(limit));
  returned(list.ok() ? history::Return{0, op, Answer::ok, 0, ""}
                     : history::Return{0, op, answer_of(list.error()), 0, word_of(list.error())});
}

std::optional<protocol::JobDetail> Work::read(client::Connection& connection,
                                              const std::string& client, std::uint64_t job,
                                              std::chrono::milliseconds limit) {
  history::Invoke invoke;
  invoke.client = client;
  invoke.call = Call::read;
  invoke.job = job;
  const std::uint64_t op = begin(invoke);
  const auto detail = connection.ask_for<protocol::JobDetail>(
      protocol::ShowJob{base::JobId{job}, 0}, client::in(limit));
  if (!detail.ok()) {
    returned({0, op, answer_of(detail.error()), 0, word_of(detail.error())});
    return std::nullopt;
  }
  returned({0, op, Answer::ok, 0, "", view_of(detail.value())});
  return detail.value();
}

std::optional<Request> Work::any_request(base::Random& random, std::size_t newest) const {
  const std::lock_guard lock(mutex_);
  if (requests_.empty()) {
    return std::nullopt;
  }
  return requests_[requests_.size() - 1 - random.below(std::min(newest, requests_.size()))];
}

std::vector<Request> Work::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

history::JobView view_of(const protocol::JobDetail& detail) {
  history::JobView view{detail.summary.job.value, detail.summary.name, detail.spec->tasks, {}};
  for (const protocol::TaskReport& report : detail.reports) {
    const protocol::TaskOutcome& outcome = report.outcome;
    for (std::uint32_t task = report.range.first; task < report.range.end(); ++task) {
      view.ended.push_back({task, protocol::to_word(outcome.state),
                            outcome.attempt ? base::to_string(outcome.attempt) : "",
                            outcome.device.node ? base::to_string(outcome.device.node) : "",
                            outcome.state == protocol::TaskState::succeeded
                                ? content_of(detail, outcome)
                                : base::to_word(outcome.reason) + (": " + outcome.message)});
    }
  }
  return view;
}

std::vector<Times> times_of(const protocol::JobDetail& detail) {
  std::vector<Times> times;
  for (const protocol::TaskReport& report : detail.reports) {
    if (const std::optional<NapOutput> nap = nap_of(report.outcome)) {
      times.push_back({report.range.first, report.outcome.device.node, nap->begin, nap->end});
    }
  }
  return times;
}

}  // namespace fastgpu::chaos
