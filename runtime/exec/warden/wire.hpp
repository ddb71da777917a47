#pragma once

/// What node and warden say to each other: one message per packet of a SEQPACKET socket pair.
///
/// Place in the flow: the ProcessRunner writes RunMessage (with two descriptors, the write ends of
/// the command's streams), StopMessage, LeaseMessage and GpuUseMessage; the warden answers with
/// HelloMessage, StartedMessage and EndedMessage. Output never passes here. Both programs are built
/// together; `warden_wire_version` refuses a mixture, and is raised by a change here. Failures:
/// decode() says nullopt for every packet that is not exactly what encode() makes; the reader then
/// gives the other side up. Limits: texts of a command up to limits::command_text_bytes_max; of an
/// answer 1 KiB each.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "runtime/exec/warden/command_runner.hpp"

namespace fastgpu::exec {

inline constexpr std::uint32_t warden_wire_magic = 0x4e445257;  // "WRDN"
inline constexpr std::uint32_t warden_wire_version = 2;
inline constexpr int warden_control_fd = 3;  ///< in the warden; its end is the node's end
/// The claim of the commands' user: the warden has it open as long as it lives, for it may start
/// and end commands when the node is gone. Only where the node is root.
inline constexpr int warden_claim_fd = 4;
inline constexpr std::size_t warden_text_bytes_max = 1024;

struct RunMessage {
  CommandToken token;
  std::int64_t time_limit_ns{};
  std::uint64_t host_memory_bytes{};
  std::uint64_t output_bytes_max{};
  std::int64_t lease_until_ns{};
  bool network{};
  std::string folder;
  std::string cwd;
  std::vector<std::string> argv;
  std::vector<std::string> env;  ///< "NAME=value"
  std::vector<std::string> hidden_folders;
  std::vector<std::string> device_files;
  std::uint64_t device_memory_bytes{};
  bool operator==(const RunMessage&) const = default;
};
struct StopMessage {
  CommandToken token;
  std::string why;
  bool operator==(const StopMessage&) const = default;
};
struct LeaseMessage {
  CommandToken token;
  std::int64_t until_ns{};
  bool operator==(const LeaseMessage&) const = default;
};
/// Who uses how much memory of the commands' GPU now.
struct GpuUseMessage {
  std::vector<GpuProcess> processes;  ///< only those whose use is known
  bool operator==(const GpuUseMessage&) const = default;
};
/// The folder that a command starts in.
inline std::string start_of(const RunMessage& run) {
  return run.cwd.empty() ? run.folder : run.folder + "/" + run.cwd;
}
using NodeMessage = std::variant<RunMessage, StopMessage, LeaseMessage, GpuUseMessage>;

struct HelloMessage {
  std::string protection;
  std::string error;  ///< why it cannot serve; empty if it does
  bool operator==(const HelloMessage&) const = default;
};
struct StartedMessage {
  CommandToken token;
  std::string protection;
  bool operator==(const StartedMessage&) const = default;
};
/// The numbers of CommandEnded; what was dropped is known to the node's side.
struct EndedMessage {
  CommandEnded ended;
  bool operator==(const EndedMessage&) const = default;
};
using WardenMessage = std::variant<HelloMessage, StartedMessage, EndedMessage>;

std::vector<std::uint8_t> encode(const NodeMessage& message);
std::vector<std::uint8_t> encode(const WardenMessage& message);
std::optional<NodeMessage> decode_node_message(std::span<const std::uint8_t> packet);
std::optional<WardenMessage> decode_warden_message(std::span<const std::uint8_t> packet);

/// Larger than every packet.
std::size_t warden_packet_bytes_max();

}  // namespace fastgpu::exec
