#include "runtime/worker/arguments.hpp"

#include <utility>

#include "runtime/protocol/arguments.hpp"

namespace fastgpu::worker {

namespace {

using protocol::BufferUse;

base::Error bad(std::string message) {
  return {base::ErrorKind::invalid, base::ErrorCode::bad_argument, std::move(message), ""};
}

base::Result<LaunchArgument> buffer_of(const protocol::BufferArgument& buffer, std::uint32_t task,
                                       const StagedInputs& inputs) {
  LaunchBuffer launched{buffer.use, {}, buffer.size_bytes};
  if (buffer.use == BufferUse::out || buffer.use == BufferUse::scratch)
    return LaunchArgument(std::move(launched));
  const protocol::Data* const data = data_of(buffer.data, task);
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

const protocol::Data* data_of(const std::vector<protocol::Data>& data, std::uint32_t task) {
  if (data.size() == 1)
    return &data.front();
  return task < data.size() ? &data[task] : nullptr;
}

base::Result<std::vector<LaunchArgument>> arguments_of(const protocol::JobSpec& spec,
                                                       std::uint32_t task,
                                                       const StagedInputs& inputs) {
  std::vector<LaunchArgument> arguments;
  arguments.reserve(spec.kernel.arguments.size());
  for (const auto& argument : spec.kernel.arguments) {
    const std::string place = "argument " + std::to_string(arguments.size()) + ": ";
    if (const auto* const scalar = std::get_if<protocol::ScalarArgument>(&argument)) {
      const std::string text = protocol::fill_in(scalar->text, task, spec.tasks);
      const auto value = protocol::parse_scalar(scalar->type, text);
      if (!value)
        return bad(place + value.error().message);
      arguments.emplace_back(LaunchScalar{scalar->type, value.value()});
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
