#include "runtime/exec/channel/task_slot.hpp"

#include <cstring>

#include "runtime/base/limits.hpp"
#include "runtime/exec/channel/wire.hpp"

namespace fastgpu::exec {
namespace {

constexpr std::uint64_t alignment = 64;

struct TextPlace {
  std::uint64_t offset;
  std::uint64_t bytes;
};
struct ArgumentRecord {
  std::uint8_t kind;
  std::uint8_t scalar_type;
  std::uint8_t zero[6];
  std::uint8_t scalar_value[8];
  std::uint64_t offset;  ///< 0: no bytes in the slot
  std::uint64_t bytes;
};
struct SlotHeader {
  std::uint32_t version;
  std::uint32_t argument_count;
  std::uint32_t define_count;
  std::uint8_t standard;
  std::uint8_t precise;
  std::uint8_t zero[2];
  std::uint32_t grid[3];
  std::uint32_t block[3];
  std::uint32_t shared_bytes;
  std::uint32_t zero2;
  TextPlace source;
  TextPlace kernel;
  TextPlace defines;  ///< `define_count` texts, each ended by a zero byte
  TextPlace message;
  TextPlace printed;
};

std::uint64_t rounded(std::uint64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

bool has_slot_bytes(const ExecutorArgument& argument) {
  return argument.kind != ArgumentKind::scalar && argument.kind != ArgumentKind::scratch;
}

bool inside(const TextPlace& place, std::uint64_t slot_bytes) {
  return place.offset <= slot_bytes && place.bytes <= slot_bytes - place.offset;
}

}  // namespace

std::optional<SlotPlan> plan_slot(const ExecutorTask& task) {
  SlotPlan plan;
  std::uint64_t at =
      rounded(sizeof(SlotHeader)) + rounded(task.arguments.size() * sizeof(ArgumentRecord));
  plan.strings_offset = at;
  std::uint64_t text = task.source.size() + task.kernel.size();
  for (const auto& define : task.defines)
    text += define.size() + 1;
  at += rounded(text);
  plan.message_offset = at;
  at += message_bytes_max;
  plan.printed_offset = at;
  at += printed_bytes_max;
  for (const auto& argument : task.arguments) {
    const std::uint64_t bytes = has_slot_bytes(argument) ? argument.buffer_bytes() : 0;
    if (bytes > base::limits::object_bytes_max)
      return std::nullopt;
    plan.buffers.push_back(
        {at, bytes, argument.kind == ArgumentKind::out || argument.kind == ArgumentKind::inout});
    at += rounded(bytes);
  }
  plan.bytes = at;
  return plan;
}

void write_slot(const ExecutorTask& task, const SlotPlan& plan, char* slot) {
  SlotHeader header{};
  header.version = wire_version;
  header.argument_count = static_cast<std::uint32_t>(task.arguments.size());
  header.define_count = static_cast<std::uint32_t>(task.defines.size());
  header.standard = static_cast<std::uint8_t>(task.standard);
  header.precise = task.precise;
  std::memcpy(header.grid, task.grid.data(), sizeof header.grid);
  std::memcpy(header.block, task.block.data(), sizeof header.block);
  header.shared_bytes = task.shared_bytes;
  header.message = {plan.message_offset, message_bytes_max};
  header.printed = {plan.printed_offset, printed_bytes_max};

  std::uint64_t at = plan.strings_offset;
  const auto put = [slot, &at](const void* data, std::size_t bytes) {
    if (bytes > 0)
      std::memcpy(slot + at, data, bytes);
    at += bytes;
    return TextPlace{at - bytes, bytes};
  };
  header.source = put(task.source.data(), task.source.size());
  header.kernel = put(task.kernel.data(), task.kernel.size());
  header.defines = {at, 0};
  for (const auto& define : task.defines)
    header.defines.bytes += put(define.c_str(), define.size() + 1).bytes;
  std::memcpy(slot, &header, sizeof header);

  for (std::size_t i = 0; i < task.arguments.size(); ++i) {
    const ExecutorArgument& argument = task.arguments[i];
    ArgumentRecord record{};
    record.kind = static_cast<std::uint8_t>(argument.kind);
    record.scalar_type = static_cast<std::uint8_t>(argument.scalar_type);
    std::memcpy(record.scalar_value, argument.scalar_value.data(), sizeof record.scalar_value);
    record.bytes = argument.buffer_bytes();
    record.offset = has_slot_bytes(argument) ? plan.buffers[i].offset : 0;
    std::memcpy(slot + rounded(sizeof header) + i * sizeof record, &record, sizeof record);
    if (argument.data.size() > 0)
      std::memcpy(slot + record.offset, argument.data.data(), argument.data.size());
  }
}

namespace {

std::optional<TaskView::Argument> view_argument(char* slot, std::uint64_t slot_bytes,
                                                std::uint32_t index) {
  ArgumentRecord record;
  std::memcpy(&record, slot + rounded(sizeof(SlotHeader)) + index * sizeof record, sizeof record);
  if (record.kind > static_cast<std::uint8_t>(ArgumentKind::scratch) ||
      record.scalar_type > static_cast<std::uint8_t>(ScalarType::f64))
    return std::nullopt;
  if (record.offset != 0 && !inside({record.offset, record.bytes}, slot_bytes))
    return std::nullopt;
  TaskView::Argument argument{static_cast<ArgumentKind>(record.kind),
                              static_cast<ScalarType>(record.scalar_type),
                              {},
                              record.offset != 0 ? slot + record.offset : nullptr,
                              record.bytes};
  std::memcpy(argument.scalar_value.data(), record.scalar_value, 8);
  return argument;
}

}  // namespace

std::optional<TaskView> view_slot(TaskToken token, char* slot, std::uint64_t slot_bytes) {
  SlotHeader header;
  if (slot_bytes < rounded(sizeof header))
    return std::nullopt;
  std::memcpy(&header, slot, sizeof header);
  const bool sound =
      header.version == wire_version &&
      header.argument_count <= base::limits::kernel_arguments_max &&
      inside(header.source, slot_bytes) && inside(header.kernel, slot_bytes) &&
      inside(header.defines, slot_bytes) && inside(header.message, slot_bytes) &&
      inside(header.printed, slot_bytes) &&
      rounded(sizeof header) + header.argument_count * sizeof(ArgumentRecord) <= slot_bytes;
  if (!sound)
    return std::nullopt;
  TaskView view;
  view.token = token;
  view.source = {slot + header.source.offset, header.source.bytes};
  view.kernel = {slot + header.kernel.offset, header.kernel.bytes};
  std::string_view defines{slot + header.defines.offset, header.defines.bytes};
  for (std::uint32_t i = 0; i < header.define_count; ++i) {
    const auto end = defines.find('\0');
    if (end == std::string_view::npos)
      return std::nullopt;
    view.defines.push_back(defines.substr(0, end));
    defines.remove_prefix(end + 1);
  }
  view.standard = header.standard == 0 ? Standard::cpp17 : Standard::cpp20;
  view.precise = header.precise != 0;
  std::memcpy(view.grid.data(), header.grid, sizeof header.grid);
  std::memcpy(view.block.data(), header.block, sizeof header.block);
  view.shared_bytes = header.shared_bytes;
  view.message = {slot + header.message.offset, header.message.bytes};
  view.printed = {slot + header.printed.offset, header.printed.bytes};
  for (std::uint32_t i = 0; i < header.argument_count; ++i) {
    const auto argument = view_argument(slot, slot_bytes, i);
    if (!argument)
      return std::nullopt;
    view.arguments.push_back(*argument);
  }
  return view;
}

}  // namespace fastgpu::exec
