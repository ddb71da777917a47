#include "client/prepare.hpp"

#include <algorithm>
#include <deque>
#include <optional>
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

protocol::JobSpec without_arguments(const Contents& contents) {
  protocol::JobSpec spec;
  spec.name = contents.name.empty() ? contents.kernel : contents.name;
  spec.kernel.source = contents.source;
  spec.kernel.name = contents.kernel;
  spec.kernel.grid = contents.grid;
  spec.kernel.block = contents.block;
  spec.kernel.shared_bytes = contents.shared_bytes;
  spec.kernel.defines = contents.defines;
  spec.kernel.standard = contents.standard;
  spec.kernel.precise = contents.precise;
  spec.tasks = contents.tasks;
  spec.time_limit_ns = contents.time_limit.count();
  spec.retries = contents.retries;
  spec.wait_if_infeasible = contents.wait_if_infeasible;
  return spec;
}

base::Result<protocol::BufferArgument> place(Connection& connection, Uploads& uploads,
                                             const Contents::Buffer& buffer, bool small,
                                             Time deadline) {
  protocol::BufferArgument argument{buffer.use, buffer.name, buffer.size_bytes, {}};
  if (small) {
    argument.data.assign(buffer.data.begin(), buffer.data.end());
    return argument;
  }
  const auto objects = uploads.bring(connection, buffer.data, deadline);
  if (!objects.ok()) {
    return objects.error();
  }
  argument.data.assign(objects.value().begin(), objects.value().end());
  return argument;
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
                                                              const std::vector<base::Bytes>& all,
                                                              Time deadline) {
  const std::lock_guard lock(mutex_);
  std::vector<base::ObjectHash> hashes;
  for (const base::Bytes& data : all) {
    hashes.push_back(base::sha256(data.span()));
  }
  Window window(deadline);
  const auto settle = [&]() -> base::Status {
    const base::Result<protocol::ObjectRef> object = window.take_oldest();
    if (!object.ok()) {
      return object.error();
    }
    known_[object.value().hash] = object.value();
    return {};
  };
  std::map<base::ObjectHash, bool> started;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (known_.contains(hashes[i]) || !started.emplace(hashes[i], true).second) {
      continue;
    }
    while (!window.has_room(all[i].size())) {
      if (const base::Status status = settle(); !status.ok()) {
        return status.error();
      }
    }
    window.add(all[i].size(), connection.start_upload(hashes[i], all[i], deadline));
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
