#include "runtime/exec/warden/child/starting.hpp"

#include <cerrno>
#include <cstring>

#include "runtime/base/limits.hpp"
#include "runtime/exec/warden/text.hpp"

namespace fastgpu::exec {
namespace {

using base::FailureReason;

constexpr std::size_t word_shown_max = 200;

std::string cannot_start(const RunMessage& task, const std::string& why) {
  return "cannot start '" + (task.argv.empty() ? "" : first_line(task.argv[0], word_shown_max)) +
         "': " + why;
}

}  // namespace

std::optional<Refusal> make_ready(Starting& starting) {
  const RunMessage& task = starting.task;
  if (task.argv.empty() || task.folder.empty() || task.folder.front() != '/')
    return Refusal{FailureReason::bad_argument, "a command needs a program and an absolute folder"};
  if (starting.commands_running >= base::limits::commands_in_flight_max)
    return Refusal{FailureReason::staging_failed,
                   cannot_start(task, std::to_string(starting.commands_running) +
                                          " commands run already, the limit is " +
                                          std::to_string(base::limits::commands_in_flight_max))};
  if (starting.now.time_since_epoch().count() >= task.lease_until_ns)
    return Refusal{FailureReason::node_lost, "the node's lease for it ended before it started"};
  if (!task.network && !starting.confinement.can_cut_network())
    return Refusal{FailureReason::staging_failed,
                   cannot_start(task,
                                "it must have no network, and this host has no sandbox that "
                                "cuts it off")};
  if (auto given = give_folder(task.folder, starting.confinement.owner()); !given.ok())
    return Refusal{FailureReason::staging_failed, given.error().message};
  const FoundProgram found = find_program(task.argv[0], task.env, start_of(task));
  if (found.error != 0)
    return Refusal{FailureReason::bad_argument, cannot_start(task, std::strerror(found.error))};
  starting.words = starting.confinement.words(task);
  starting.program = starting.confinement.has_keeper() ? starting.words.front() : found.path;
  return std::nullopt;
}

Refusal refusal_of(const Launched& launched, const RunMessage& task) {
  const std::string why = std::strerror(launched.error);
  switch (launched.failed) {
    case LaunchStep::program:
      return {FailureReason::bad_argument, cannot_start(task, why)};
    case LaunchStep::folder:
      return {FailureReason::staging_failed,
              "the command's user cannot enter the folder '" + start_of(task) + "': " + why};
    case LaunchStep::user:
      return {FailureReason::staging_failed,
              cannot_start(task, "it cannot be given to an unprivileged user: " + why)};
    default:
      return {FailureReason::staging_failed, cannot_start(task, "no process: " + why)};
  }
}

}  // namespace fastgpu::exec
