#include "actors/executor_words.hpp"

#include <utility>

namespace fastgpu::actors {

namespace {

// The enums are two lists of the same words in the same order.
static_assert(static_cast<int>(exec::ScalarType::f64) ==
              static_cast<int>(protocol::ScalarType::f64));
static_assert(static_cast<int>(exec::ScalarType::u32) ==
              static_cast<int>(protocol::ScalarType::u32));

exec::ExecutorArgument argument_of(const worker::LaunchScalar& scalar) {
  exec::ExecutorArgument argument;
  argument.kind = exec::ArgumentKind::scalar;
  argument.scalar_type = static_cast<exec::ScalarType>(scalar.type);
  argument.scalar_value = scalar.bytes;
  return argument;
}

exec::ExecutorArgument argument_of(const worker::LaunchBuffer& buffer) {
  switch (buffer.use) {
    case protocol::BufferUse::in:
      return exec::ExecutorArgument::in(buffer.data);
    case protocol::BufferUse::inout:
      return exec::ExecutorArgument::inout(buffer.data);
    case protocol::BufferUse::out:
      return exec::ExecutorArgument::out(buffer.size_bytes);
    case protocol::BufferUse::scratch:
      break;
  }
  return exec::ExecutorArgument::scratch(buffer.size_bytes);
}

protocol::DeviceKind kind_of(exec::DeviceKind kind) {
  switch (kind) {
    case exec::DeviceKind::cpu:
      return protocol::DeviceKind::cpu;
    case exec::DeviceKind::null:
      return protocol::DeviceKind::null;
    case exec::DeviceKind::cuda:
      break;
  }
  return protocol::DeviceKind::gpu;
}

worker::Event event_of(const exec::ExecutorReady& ready) {
  return worker::ExecutorReady{kind_of(ready.device.kind), ready.device.model, ready.device.uuid,
                               ready.device.memory_bytes};
}

worker::Event event_of(const exec::ExecutorDone& done) {
  const auto& result = done.result;
  const auto ns = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  protocol::Timings timings;
  timings.compile_ns = ns(result.timings.compile_ns);
  timings.compile_cached = result.timings.compile_cached;
  timings.copy_in_ns = ns(result.timings.copy_in_ns);
  timings.run_ns = ns(result.timings.run_ns);
  timings.copy_out_ns = ns(result.timings.copy_out_ns);
  return worker::ExecutorDone{
      {result.token.value}, result.reason, result.message, result.outputs, timings};
}

worker::Event event_of(const exec::ExecutorDied& died) {
  worker::ExecutorDied told{died.reason, {}, std::nullopt, died.charged, died.proven};
  for (const auto& token : died.in_flight) {
    told.in_flight.push_back({token.value});
  }
  if (died.running) {
    told.running = worker::LaunchToken{died.running->value};
  }
  return told;
}

worker::Event event_of(const exec::ExecutorMaking& making) {
  return worker::KernelMaking{{making.token.value}, making.over};
}

}  // namespace

exec::ExecutorTask executor_task_of(const worker::Launch& launch) {
  const protocol::KernelSpec& kernel = launch.spec->kernel;
  exec::ExecutorTask task;
  task.token = {launch.token.value};
  task.source = kernel.source;
  task.kernel = kernel.name;
  for (const auto& [name, value] : kernel.defines) {
    task.defines.push_back(value.empty() ? name : name + "=" + value);
  }
  task.standard = kernel.standard == "c++20" ? exec::Standard::cpp20 : exec::Standard::cpp17;
  task.grid = kernel.grid;
  task.block = kernel.block;
  task.shared_bytes = kernel.shared_bytes;
  for (const auto& argument : launch.arguments) {
    task.arguments.push_back(
        std::visit([](const auto& value) { return argument_of(value); }, argument));
  }
  task.precise = kernel.precise;
  return task;
}

worker::Event worker_event_of(const exec::ExecutorEvent& event) {
  return std::visit([](const auto& what) { return event_of(what); }, event);
}

}  // namespace fastgpu::actors
