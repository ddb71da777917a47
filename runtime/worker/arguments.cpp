#include "runtime/worker/arguments.hpp"

#include <charconv>
#include <cstring>

namespace fastgpu::worker {

namespace {

using protocol::BufferUse;
using protocol::ScalarType;

base::Error bad(std::string message) {
  return {base::ErrorKind::invalid, base::ErrorCode::bad_argument, std::move(message), ""};
}

template <class Value>
base::Result<LaunchScalar> parse_as(ScalarType type, const std::string& text) {
  Value value{};
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem == std::errc::result_out_of_range)
    return bad("'" + text + "' is out of the range of " + protocol::to_word(type));
  if (problem != std::errc{} || stop != end)
    return bad("'" + text + "' is not a number of type " + protocol::to_word(type));
  LaunchScalar scalar{type, {}};
  std::memcpy(scalar.bytes.data(), &value, sizeof value);
  return scalar;
}

void replace_all(std::string& text, const std::string& mark, const std::string& value) {
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
}

base::Result<LaunchArgument> buffer_of(const protocol::BufferArgument& buffer, std::uint32_t task,
                                       const StagedInputs& inputs) {
  LaunchBuffer launched{buffer.use, {}, buffer.size_bytes};
  if (buffer.use == BufferUse::out || buffer.use == BufferUse::scratch)
    return LaunchArgument(std::move(launched));
  const protocol::Data* const data = data_of(buffer, task);
  if (data == nullptr)
    return bad("buffer '" + buffer.name + "' has no data for task " + std::to_string(task));
  if (const auto* const bytes = std::get_if<base::Bytes>(data))
    launched.data = *bytes;
  else
    launched.data = inputs.bytes_of(std::get<protocol::ObjectRef>(*data));
  launched.size_bytes = launched.data.size();
  return LaunchArgument(std::move(launched));
}

}  // namespace

std::string fill_in(const std::string& text, std::uint32_t task, std::uint32_t tasks) {
  std::string filled = text;
  replace_all(filled, "{}", std::to_string(task));
  replace_all(filled, "{n}", std::to_string(tasks));
  return filled;
}

base::Result<LaunchScalar> parse_scalar(ScalarType type, const std::string& text) {
  switch (type) {
    case ScalarType::i32:
      return parse_as<std::int32_t>(type, text);
    case ScalarType::u32:
      return parse_as<std::uint32_t>(type, text);
    case ScalarType::i64:
      return parse_as<std::int64_t>(type, text);
    case ScalarType::u64:
      return parse_as<std::uint64_t>(type, text);
    case ScalarType::f32:
      return parse_as<float>(type, text);
    case ScalarType::f64:
      return parse_as<double>(type, text);
  }
  return bad("unknown scalar type");
}

const protocol::Data* data_of(const protocol::BufferArgument& buffer, std::uint32_t task) {
  if (buffer.data.size() == 1)
    return &buffer.data.front();
  return task < buffer.data.size() ? &buffer.data[task] : nullptr;
}

base::Result<std::vector<LaunchArgument>> arguments_of(const protocol::JobSpec& spec,
                                                       std::uint32_t task,
                                                       const StagedInputs& inputs) {
  std::vector<LaunchArgument> arguments;
  arguments.reserve(spec.kernel.arguments.size());
  for (const auto& argument : spec.kernel.arguments) {
    const std::string place = "argument " + std::to_string(arguments.size()) + ": ";
    if (const auto* const scalar = std::get_if<protocol::ScalarArgument>(&argument)) {
      const auto value = parse_scalar(scalar->type, fill_in(scalar->text, task, spec.tasks));
      if (!value)
        return bad(place + value.error().message);
      arguments.emplace_back(value.value());
      continue;
    }
    auto buffer = buffer_of(std::get<protocol::BufferArgument>(argument), task, inputs);
    if (!buffer)
      return bad(place + buffer.error().message);
    arguments.push_back(std::move(buffer).value());
  }
  return arguments;
}

}  // namespace fastgpu::worker
