#include "fastgpu/job_spec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "client/spec_contents.hpp"

namespace fastgpu {
inline namespace v1 {
namespace {

using protocol::BufferUse;

/// The shortest text that reads back as the same value.
template <class T>
std::string text_of(T value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

base::Bytes copy_of(std::span<const std::byte> data) {
  return base::Bytes::copy_of(
      std::span(reinterpret_cast<const std::uint8_t*>(data.data()), data.size()));
}

JobSpec::Contents::Buffer filled(BufferUse use, std::string name, std::vector<base::Bytes> data) {
  std::uint64_t largest = 0;
  for (const base::Bytes& each : data) {
    largest = std::max<std::uint64_t>(largest, each.size());
  }
  return {use, std::move(name), largest, std::move(data)};
}

std::vector<base::Bytes> shared(std::vector<Bytes> data) {
  std::vector<base::Bytes> all;
  all.reserve(data.size());
  for (Bytes& each : data) {
    all.emplace_back(std::move(each));
  }
  return all;
}

}  // namespace

JobSpec::JobSpec() : contents_(std::make_unique<Contents>()) {}
JobSpec::~JobSpec() = default;
JobSpec::JobSpec(const JobSpec& other) : contents_(std::make_unique<Contents>(*other.contents_)) {}
JobSpec::JobSpec(JobSpec&& other) noexcept = default;
JobSpec& JobSpec::operator=(const JobSpec& other) {
  *contents_ = *other.contents_;
  return *this;
}
JobSpec& JobSpec::operator=(JobSpec&& other) noexcept = default;

JobSpec& JobSpec::name(std::string name) {
  contents_->name = std::move(name);
  return *this;
}
JobSpec& JobSpec::kernel(std::string name) {
  contents_->kernel = std::move(name);
  return *this;
}
JobSpec& JobSpec::source(std::string text) {
  contents_->source = base::Bytes::copy_of(std::string_view(text));
  return *this;
}
JobSpec& JobSpec::grid(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
  contents_->grid = {x, y, z};
  return *this;
}
JobSpec& JobSpec::block(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
  contents_->block = {x, y, z};
  return *this;
}
JobSpec& JobSpec::shared(std::uint32_t bytes) {
  contents_->shared_bytes = bytes;
  return *this;
}
JobSpec& JobSpec::define(std::string name, std::string value) {
  contents_->defines.emplace_back(std::move(name), std::move(value));
  return *this;
}
JobSpec& JobSpec::standard(std::string standard) {
  contents_->standard = std::move(standard);
  return *this;
}
JobSpec& JobSpec::precise(bool on) {
  contents_->precise = on;
  return *this;
}

JobSpec& JobSpec::arg_text(Scalar type, std::string text) {
  contents_->arguments.push_back(
      protocol::ScalarArgument{static_cast<protocol::ScalarType>(type), std::move(text)});
  return *this;
}
JobSpec& JobSpec::arg_signed(Scalar type, std::int64_t value) {
  return arg_text(type, text_of(value));
}
JobSpec& JobSpec::arg_unsigned(Scalar type, std::uint64_t value) {
  return arg_text(type, text_of(value));
}
JobSpec& JobSpec::arg_real(Scalar type, double value) {
  return arg_text(type, type == Scalar::f32 ? text_of(static_cast<float>(value)) : text_of(value));
}

JobSpec& JobSpec::in_bytes(std::span<const std::byte> data, std::string name) {
  contents_->arguments.push_back(filled(BufferUse::in, std::move(name), {copy_of(data)}));
  return *this;
}
JobSpec& JobSpec::in_each(std::vector<Bytes> data, std::string name) {
  contents_->arguments.push_back(
      filled(BufferUse::in, std::move(name), v1::shared(std::move(data))));
  return *this;
}
JobSpec& JobSpec::out(std::uint64_t size_bytes, std::string name) {
  contents_->arguments.push_back(Contents::Buffer{BufferUse::out, std::move(name), size_bytes, {}});
  return *this;
}
JobSpec& JobSpec::inout_bytes(std::span<const std::byte> data, std::string name) {
  contents_->arguments.push_back(filled(BufferUse::inout, std::move(name), {copy_of(data)}));
  return *this;
}
JobSpec& JobSpec::inout_each(std::vector<Bytes> data, std::string name) {
  contents_->arguments.push_back(
      filled(BufferUse::inout, std::move(name), v1::shared(std::move(data))));
  return *this;
}
JobSpec& JobSpec::scratch(std::uint64_t size_bytes) {
  contents_->arguments.push_back(Contents::Buffer{BufferUse::scratch, {}, size_bytes, {}});
  return *this;
}

JobSpec& JobSpec::command(std::vector<std::string> argv) {
  contents_->argv = std::move(argv);
  return *this;
}
JobSpec& JobSpec::env(std::string name, std::string value) {
  contents_->environment.emplace_back(std::move(name), std::move(value));
  return *this;
}
JobSpec& JobSpec::cwd(std::string path) {
  contents_->cwd = std::move(path);
  return *this;
}
JobSpec& JobSpec::input(std::string file, std::string path) {
  contents_->inputs.push_back({std::move(path), std::move(file), {}});
  return *this;
}
JobSpec& JobSpec::input_bytes(std::string path, std::span<const std::byte> data) {
  contents_->inputs.push_back({std::move(path), {}, {copy_of(data)}});
  return *this;
}
JobSpec& JobSpec::input_data_each(std::string path, std::vector<Bytes> data) {
  contents_->inputs.push_back({std::move(path), {}, v1::shared(std::move(data))});
  return *this;
}
JobSpec& JobSpec::output(std::string path) {
  contents_->outputs.push_back(std::move(path));
  return *this;
}
JobSpec& JobSpec::host_memory(std::uint64_t bytes) {
  contents_->host_memory_bytes = bytes;
  return *this;
}
JobSpec& JobSpec::device_memory(std::uint64_t bytes) {
  contents_->device_memory_bytes = bytes;
  return *this;
}
JobSpec& JobSpec::disk(std::uint64_t bytes) {
  contents_->folder_bytes_max = bytes;
  return *this;
}
JobSpec& JobSpec::network(bool on) {
  contents_->network = on;
  return *this;
}
JobSpec& JobSpec::lease(std::chrono::nanoseconds time) {
  contents_->lease = time;
  return *this;
}

JobSpec& JobSpec::after(std::uint64_t job, std::string how) {
  contents_->after.push_back({job, std::move(how)});
  return *this;
}
JobSpec& JobSpec::label(std::string name, std::string value) {
  contents_->labels.emplace_back(std::move(name), std::move(value));
  return *this;
}
JobSpec& JobSpec::tasks(std::uint32_t count) {
  contents_->tasks = count;
  return *this;
}
JobSpec& JobSpec::device(std::string kind) {
  contents_->device = std::move(kind);
  return *this;
}
JobSpec& JobSpec::time_limit(std::chrono::nanoseconds limit) {
  contents_->time_limit = limit;
  return *this;
}
JobSpec& JobSpec::retries(std::uint32_t count) {
  contents_->retries = count;
  return *this;
}
JobSpec& JobSpec::crash_limit(std::uint32_t count) {
  contents_->crash_limit = count;
  return *this;
}
JobSpec& JobSpec::wait_if_infeasible(bool on) {
  contents_->wait_if_infeasible = on;
  return *this;
}

}  // namespace v1
}  // namespace fastgpu
