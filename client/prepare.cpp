#include "client/prepare.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::client {
namespace {

namespace limits = base::limits;
using Contents = v1::JobSpec::Contents;

/// Data of one job that travels with it, altogether; every assignment carries it again.
constexpr std::uint64_t inline_total_max = limits::task_spec_bytes_max / 2;
/// Uploads that are under way at once.
constexpr std::size_t uploads_max = 16;
constexpr std::uint64_t upload_bytes_max = 16u << 20;

std::uint64_t data_bytes(const Contents& contents) {
  std::uint64_t total = 0;
  for (const Contents::Argument& argument : contents.arguments) {
    if (const auto* buffer = std::get_if<Contents::Buffer>(&argument)) {
      for (const base::Bytes& data : buffer->data) {
        total += data.size();
      }
    }
  }
  return total;
}

std::optional<protocol::DeviceKind> kind_of(const std::string& word) {
  for (const auto kind : {protocol::DeviceKind::any, protocol::DeviceKind::gpu,
                          protocol::DeviceKind::cpu, protocol::DeviceKind::null}) {
    if (word == protocol::to_word(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

/// What people call a job that was not named: its kernel, or its script or program.
std::string default_name(const Contents& contents) {
  if (contents.argv.empty()) {
    return contents.kernel;
  }
  const auto is_script = [](const std::string& word) {  // "train.py", but not "0.5" nor "data.csv"
    constexpr std::array endings{".py", ".sh", ".pl", ".R", ".jl", ".js", ".rb", ".lua", ".m"};
    return !word.starts_with('-') && std::any_of(endings.begin(), endings.end(), [&](auto ending) {
      return word.size() > std::strlen(ending) && word.ends_with(ending);
    });
  };
  const auto script = std::find_if(contents.argv.begin() + 1, contents.argv.end(), is_script);
  const std::string& word = script == contents.argv.end() ? contents.argv.front() : *script;
  return word.substr(word.rfind('/') + 1).substr(0, limits::name_bytes_max);
}

std::optional<protocol::DependencyKind> dependency_of(const std::string& word) {
  for (const auto kind : {protocol::DependencyKind::ok, protocol::DependencyKind::any,
                          protocol::DependencyKind::fail}) {
    if (word == protocol::to_word(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

protocol::JobSpec without_arguments(const Contents& contents) {
  protocol::JobSpec spec;
  spec.name = contents.name.empty() ? default_name(contents) : contents.name;
  spec.kernel.source = contents.source;
  spec.kernel.name = contents.kernel;
  spec.kernel.grid = contents.grid;
  spec.kernel.block = contents.block;
  spec.kernel.shared_bytes = contents.shared_bytes;
  spec.kernel.defines = contents.defines;
  spec.kernel.standard = contents.standard;
  spec.kernel.precise = contents.precise;
  spec.tasks = contents.tasks;
  const auto unlimited =
      contents.argv.empty() ? limits::kernel_time_limit_default : limits::duration_max;
  spec.time_limit_ns = contents.time_limit.value_or(unlimited).count();
  spec.retries = contents.retries;
  spec.crash_limit = contents.crash_limit;
  spec.wait_if_infeasible = contents.wait_if_infeasible;
  spec.command.argv = contents.argv;
  spec.command.environment = contents.environment;
  spec.command.cwd = contents.cwd;
  spec.command.outputs = contents.outputs;
  spec.command.host_memory_bytes = contents.host_memory_bytes;
  spec.request.memory_bytes = contents.device_memory_bytes;
  spec.command.folder_bytes_max = contents.folder_bytes_max;
  spec.command.network = contents.network;
  spec.lease_ns = contents.lease.count();
  spec.labels = contents.labels;
  return spec;
}

/// The bytes of an input that may travel with the job, where `room` is left for it.
std::optional<std::uint64_t> inline_bytes(const FoundInput& input, std::uint64_t room) {
  std::uint64_t sum = 0;
  for (const Source& source : input.sources) {
    if (source.size_bytes() > limits::inline_data_bytes_max) {
      return std::nullopt;
    }
    sum += source.size_bytes();
  }
  return sum <= room ? std::optional(sum) : std::nullopt;
}

base::Result<std::vector<protocol::Data>> read_all(const std::vector<Source>& sources) {
  std::vector<protocol::Data> all;
  for (const Source& source : sources) {
    auto data = source.read();
    if (!data.ok()) {
      return data.error();
    }
    all.emplace_back(std::move(data).value());
  }
  return all;
}

base::Result<std::vector<protocol::Data>> upload_all(Connection& connection, Uploads& uploads,
                                                     const std::vector<Source>& sources,
                                                     Time deadline) {
  const auto objects = uploads.bring(connection, sources, deadline);
  if (!objects.ok()) {
    return objects.error();
  }
  return std::vector<protocol::Data>(objects.value().begin(), objects.value().end());
}

base::Status add_inputs(protocol::JobSpec& spec, Connection& connection, Uploads& uploads,
                        const Contents& contents, Time deadline) {
  const auto inputs = find_inputs(contents);
  if (!inputs.ok()) {
    return inputs.error();
  }
  std::uint64_t total = 0;  // of what travels with the job
  for (const FoundInput& input : inputs.value()) {
    const auto bytes = inline_bytes(input, inline_total_max - total);
    total += bytes.value_or(0);
    auto data =
        bytes ? read_all(input.sources) : upload_all(connection, uploads, input.sources, deadline);
    if (!data.ok()) {
      return data.error();
    }
    spec.command.inputs.push_back({input.path, input.executable, std::move(data).value()});
  }
  return {};
}

base::Result<protocol::BufferArgument> place(Connection& connection, Uploads& uploads,
                                             const Contents::Buffer& buffer, bool small,
                                             Time deadline) {
  protocol::BufferArgument argument{buffer.use, buffer.name, buffer.size_bytes, {}};
  if (small) {
    argument.data.assign(buffer.data.begin(), buffer.data.end());
    return argument;
  }
  auto data = upload_all(connection, uploads, {buffer.data.begin(), buffer.data.end()}, deadline);
  if (!data.ok()) {
    return data.error();
  }
  argument.data = std::move(data).value();
  return argument;
}

base::Status add_dependencies(protocol::JobSpec& spec, const Contents& contents) {
  for (const Contents::After& after : contents.after) {
    const auto kind = dependency_of(after.how);
    if (!kind) {
      return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                         "'" + after.how + "' is no way in which a job ends",
                         "use ok, any or fail: --after 17:any"};
    }
    spec.after.push_back({{after.job}, *kind});
  }
  return {};
}

/// Uploads on their way, in the order in which they were started.
class Window {
 public:
  explicit Window(Time deadline) : deadline_(deadline) {}

  bool has_room(std::uint64_t bytes) const {
    return under_way_.empty() ||
           (under_way_.size() < uploads_max && bytes_ + bytes <= upload_bytes_max);
  }
  bool empty() const { return under_way_.empty(); }
  void add(std::uint64_t bytes, std::future<Reply> future) {
    bytes_ += bytes;
    under_way_.emplace_back(bytes, std::move(future));
  }
  base::Result<protocol::ObjectRef> take_oldest() {
    auto [bytes, future] = std::move(under_way_.front());
    under_way_.pop_front();
    bytes_ -= bytes;
    const auto put =
        Connection::expect<protocol::PutReply>(Connection::wait(std::move(future), deadline_));
    if (!put.ok()) {
      return put.error();
    }
    return put.value().object;
  }

 private:
  Time deadline_;
  std::uint64_t bytes_{0};
  std::deque<std::pair<std::uint64_t, std::future<Reply>>> under_way_;
};

}  // namespace

base::Result<std::vector<protocol::ObjectRef>> Uploads::bring(Connection& connection,
                                                              const std::vector<Source>& all,
                                                              Time deadline) {
  const std::lock_guard lock(mutex_);
  Window window(deadline);
  const auto settle = [&]() -> base::Status {
    const base::Result<protocol::ObjectRef> object = window.take_oldest();
    if (!object.ok()) {
      return object.error();
    }
    known_[object.value().hash] = object.value();
    return {};
  };
  std::vector<base::ObjectHash> hashes;
  std::set<base::ObjectHash> started;
  for (const Source& source : all) {
    while (!window.has_room(source.size_bytes())) {
      if (const base::Status status = settle(); !status.ok()) {
        return status.error();
      }
    }
    auto data = source.read();
    if (!data.ok()) {
      return data.error();
    }
    hashes.push_back(base::sha256(data.value().span()));
    if (!known_.contains(hashes.back()) && started.insert(hashes.back()).second) {
      window.add(data.value().size(),
                 connection.start_upload(hashes.back(), data.value(), deadline));
    }
  }
  while (!window.empty()) {
    if (const base::Status status = settle(); !status.ok()) {
      return status.error();
    }
  }
  std::vector<protocol::ObjectRef> objects;
  for (const base::ObjectHash& hash : hashes) {
    const auto found = known_.find(hash);
    if (found == known_.end()) {
      return base::Error{base::ErrorKind::internal, base::ErrorCode::internal,
                         "a node named an uploaded object otherwise", "report this"};
    }
    objects.push_back(found->second);
  }
  return objects;
}

void Uploads::forget() {
  const std::lock_guard lock(mutex_);
  known_.clear();
}

base::Result<protocol::JobSpec> prepare(Connection& connection, Uploads& uploads,
                                        const Contents& contents, Time deadline) {
  const std::optional<protocol::DeviceKind> kind = kind_of(contents.device);
  if (!kind) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       "'" + contents.device + "' is no kind of device",
                       "use any, gpu, cpu or null"};
  }
  protocol::JobSpec spec = without_arguments(contents);
  spec.request.kind = *kind;
  if (const base::Status status = add_dependencies(spec, contents); !status.ok()) {
    return status.error();
  }
  if (const base::Status status = add_inputs(spec, connection, uploads, contents, deadline);
      !status.ok()) {
    return status.error();
  }
  const bool all_small = data_bytes(contents) <= inline_total_max;
  for (const Contents::Argument& argument : contents.arguments) {
    if (const auto* scalar = std::get_if<protocol::ScalarArgument>(&argument)) {
      spec.kernel.arguments.push_back(*scalar);
      continue;
    }
    const auto& buffer = std::get<Contents::Buffer>(argument);
    const bool small = all_small && buffer.size_bytes <= limits::inline_data_bytes_max;
    auto placed = place(connection, uploads, buffer, small, deadline);
    if (!placed.ok()) {
      return placed.error();
    }
    spec.request.memory_bytes += buffer.size_bytes;
    spec.kernel.arguments.push_back(std::move(placed).value());
  }
  return spec;
}

}  // namespace fastgpu::client
