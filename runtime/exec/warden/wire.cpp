#include "runtime/exec/warden/wire.hpp"

#include <type_traits>

#include "runtime/base/limits.hpp"
#include "runtime/base/little_endian.hpp"

namespace fastgpu::exec {
namespace {

enum class Kind : std::uint32_t { run = 1, stop, lease, hello, started, ended, gpu_use };

constexpr std::uint32_t list_items_max = 16u << 10;

class Writer {
 public:
  explicit Writer(Kind kind) {
    put(warden_wire_magic);
    put(warden_wire_version);
    put(static_cast<std::uint32_t>(kind));
  }
  template <class Integer>
  void put(Integer value) {
    base::put_little_endian(out_, static_cast<std::make_unsigned_t<Integer>>(value));
  }
  void put(const std::string& text) {
    put(static_cast<std::uint32_t>(text.size()));
    out_.insert(out_.end(), text.begin(), text.end());
  }
  /// Long words for people are cut rather than refused.
  void put_words(const std::string& text) { put(text.substr(0, warden_text_bytes_max)); }
  void put(const std::vector<std::string>& list) {
    put(static_cast<std::uint32_t>(list.size()));
    for (const auto& text : list)
      put(text);
  }
  std::vector<std::uint8_t> done() { return std::move(out_); }

 private:
  std::vector<std::uint8_t> out_;
};

/// Reads in the order of writing; after the first wrong thing everything is empty and good() false.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> packet) : left_(packet) {
    good_ = take<std::uint32_t>() == warden_wire_magic &&
            take<std::uint32_t>() == warden_wire_version && good_;
    kind_ = static_cast<Kind>(take<std::uint32_t>());
  }
  Kind kind() const { return kind_; }
  bool good() const { return good_ && left_.empty(); }

  template <class Integer>
  Integer take() {
    if (!good_ || left_.size() < sizeof(Integer)) {
      good_ = false;
      return {};
    }
    const auto value = base::get_little_endian<Integer>(left_.data());
    left_ = left_.subspan(sizeof(Integer));
    return value;
  }
  std::string take_text() {
    const auto size = take<std::uint32_t>();
    if (!good_ || left_.size() < size) {
      good_ = false;
      return {};
    }
    std::string text(reinterpret_cast<const char*>(left_.data()), size);
    left_ = left_.subspan(size);
    good_ = text.find('\0') == std::string::npos;
    return text;
  }
  std::vector<std::string> take_list() {
    std::vector<std::string> list;
    const auto count = take<std::uint32_t>();
    good_ = good_ && count <= list_items_max;
    for (std::uint32_t i = 0; good_ && i < count; ++i)
      list.push_back(take_text());
    return list;
  }

 private:
  std::span<const std::uint8_t> left_;
  bool good_{true};
  Kind kind_{};
};

std::vector<std::uint8_t> write(const RunMessage& run) {
  Writer out(Kind::run);
  out.put(run.token.value);
  out.put(run.time_limit_ns);
  out.put(run.host_memory_bytes);
  out.put(run.output_bytes_max);
  out.put(run.lease_until_ns);
  out.put(static_cast<std::uint32_t>(run.network));
  out.put(run.folder);
  out.put(run.cwd);
  out.put(run.argv);
  out.put(run.env);
  out.put(run.hidden_folders);
  out.put(run.device_files);
  out.put(run.device_memory_bytes);
  return out.done();
}

std::vector<std::uint8_t> write(const StopMessage& stop) {
  Writer out(Kind::stop);
  out.put(stop.token.value);
  out.put_words(stop.why);
  return out.done();
}

std::vector<std::uint8_t> write(const LeaseMessage& lease) {
  Writer out(Kind::lease);
  out.put(lease.token.value);
  out.put(lease.until_ns);
  return out.done();
}

std::vector<std::uint8_t> write(const GpuUseMessage& use) {
  Writer out(Kind::gpu_use);
  out.put(static_cast<std::uint32_t>(use.processes.size()));
  for (const GpuProcess& one : use.processes) {
    out.put(one.process);
    out.put(one.memory_bytes.value_or(0));
  }
  return out.done();
}

std::vector<std::uint8_t> write(const HelloMessage& hello) {
  Writer out(Kind::hello);
  out.put_words(hello.protection);
  out.put_words(hello.error);
  return out.done();
}

std::vector<std::uint8_t> write(const StartedMessage& started) {
  Writer out(Kind::started);
  out.put(started.token.value);
  out.put_words(started.protection);
  return out.done();
}

std::vector<std::uint8_t> write(const EndedMessage& message) {
  const CommandEnded& ended = message.ended;
  Writer out(Kind::ended);
  out.put(ended.token.value);
  out.put(static_cast<std::uint32_t>(ended.reason));
  out.put(ended.exit_code);
  out.put(ended.signal);
  out.put_words(ended.message);
  out.put_words(ended.error_text);
  out.put(ended.wall_ns);
  out.put(ended.cpu_ns);
  out.put(ended.peak_memory_bytes);
  out.put_words(ended.protection);
  return out.done();
}

RunMessage read_run(Reader& in) {
  RunMessage run;
  run.token = {in.take<std::uint64_t>()};
  run.time_limit_ns = in.take<std::int64_t>();
  run.host_memory_bytes = in.take<std::uint64_t>();
  run.output_bytes_max = in.take<std::uint64_t>();
  run.lease_until_ns = in.take<std::int64_t>();
  run.network = in.take<std::uint32_t>() != 0;
  run.folder = in.take_text();
  run.cwd = in.take_text();
  run.argv = in.take_list();
  run.env = in.take_list();
  run.hidden_folders = in.take_list();
  run.device_files = in.take_list();
  run.device_memory_bytes = in.take<std::uint64_t>();
  return run;
}

std::optional<GpuUseMessage> read_gpu_use(Reader& in) {
  GpuUseMessage use;
  const auto count = in.take<std::uint32_t>();
  if (count > GpuProcesses::count_max)
    return std::nullopt;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto process = in.take<std::int32_t>();
    use.processes.push_back({process, in.take<std::uint64_t>()});
  }
  return use;
}

std::optional<EndedMessage> read_ended(Reader& in) {
  EndedMessage message;
  CommandEnded& ended = message.ended;
  ended.token = {in.take<std::uint64_t>()};
  const auto reason = in.take<std::uint32_t>();
  ended.exit_code = in.take<std::int32_t>();
  ended.signal = in.take<std::int32_t>();
  ended.message = in.take_text();
  ended.error_text = in.take_text();
  ended.wall_ns = in.take<std::int64_t>();
  ended.cpu_ns = in.take<std::int64_t>();
  ended.peak_memory_bytes = in.take<std::uint64_t>();
  ended.protection = in.take_text();
  if (reason > static_cast<std::uint32_t>(base::failure_reason_last))
    return std::nullopt;
  ended.reason = static_cast<base::FailureReason>(reason);
  return message;
}

}  // namespace

std::vector<std::uint8_t> encode(const NodeMessage& message) {
  return std::visit([](const auto& one) { return write(one); }, message);
}

std::vector<std::uint8_t> encode(const WardenMessage& message) {
  return std::visit([](const auto& one) { return write(one); }, message);
}

std::optional<NodeMessage> decode_node_message(std::span<const std::uint8_t> packet) {
  Reader in(packet);
  NodeMessage message;
  if (in.kind() == Kind::run) {
    message = read_run(in);
  } else if (in.kind() == Kind::stop) {
    StopMessage stop{{in.take<std::uint64_t>()}, in.take_text()};
    message = std::move(stop);
  } else if (in.kind() == Kind::lease) {
    message = LeaseMessage{{in.take<std::uint64_t>()}, in.take<std::int64_t>()};
  } else if (in.kind() == Kind::gpu_use) {
    auto use = read_gpu_use(in);
    if (!use)
      return std::nullopt;
    message = std::move(*use);
  } else {
    return std::nullopt;
  }
  return in.good() ? std::optional(std::move(message)) : std::nullopt;
}

std::optional<WardenMessage> decode_warden_message(std::span<const std::uint8_t> packet) {
  Reader in(packet);
  WardenMessage message;
  if (in.kind() == Kind::hello) {
    HelloMessage hello{in.take_text(), in.take_text()};
    message = std::move(hello);
  } else if (in.kind() == Kind::started) {
    StartedMessage started{{in.take<std::uint64_t>()}, in.take_text()};
    message = std::move(started);
  } else if (in.kind() == Kind::ended) {
    auto ended = read_ended(in);
    if (!ended)
      return std::nullopt;
    message = std::move(*ended);
  } else {
    return std::nullopt;
  }
  return in.good() ? std::optional(std::move(message)) : std::nullopt;
}

std::size_t warden_packet_bytes_max() {
  return base::limits::command_text_bytes_max + 8192;
}

}  // namespace fastgpu::exec
