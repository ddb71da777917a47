#pragma once

/// How a task lies in its slot of the arena.
///
/// Place in the flow: the node measures and writes a task; the executor reads it in place, writes
/// texts and outputs into the same slot; the node takes them out again at the places that it
/// remembers itself (SlotPlan), never at places that the slot names.
/// Pure. Failures: `view` refuses a slot whose numbers do not fit.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/exec/executor.hpp"

namespace fastgpu::exec {

/// Where the parts of a task are, from the begin of its slot.
struct SlotPlan {
  std::uint64_t bytes{};  ///< of the whole slot
  std::uint64_t message_offset{};
  std::uint64_t printed_offset{};
  std::uint64_t strings_offset{};
  struct Buffer {
    std::uint64_t offset;
    std::uint64_t bytes;
    bool is_output;
  };
  std::vector<Buffer> buffers;  ///< one per argument; scalars and scratch have no bytes here
};

/// Nothing if the sizes overflow.
std::optional<SlotPlan> plan_slot(const ExecutorTask& task);
/// `slot` has plan.bytes.
void write_slot(const ExecutorTask& task, const SlotPlan& plan, char* slot);

/// A task as the executor sees it. Points into the slot.
struct TaskView {
  TaskToken token;
  std::string_view source;
  std::string_view kernel;
  std::vector<std::string_view> defines;
  Standard standard{Standard::cpp17};
  bool precise{false};
  std::array<std::uint32_t, 3> grid{};
  std::array<std::uint32_t, 3> block{};
  std::uint32_t shared_bytes{};
  struct Argument {
    ArgumentKind kind;
    ScalarType scalar_type;
    std::array<std::uint8_t, 8> scalar_value;
    char* data;  ///< input bytes, and where outputs go; null for scalars and scratch
    std::uint64_t bytes;
  };
  std::vector<Argument> arguments;
  std::span<char> message;
  std::span<char> printed;
};

std::optional<TaskView> view_slot(TaskToken token, char* slot, std::uint64_t slot_bytes);

}  // namespace fastgpu::exec
