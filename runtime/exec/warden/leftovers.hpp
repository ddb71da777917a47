#pragma once

/// Finds and ends what the commands of earlier wardens of the same data folder left behind.
///
/// Place in the flow: before a node says its first word, on the thread that starts it, since a new
/// life is taken for proof that nothing of the earlier ones runs any more; before a warden starts,
/// and after one died, on the runner's thread.
/// Every process of a command carries the mark of its data folder (process_table.hpp), and in its
/// environment the variable FASTGPU_WARDEN; either is enough. A warden is known by its arguments: a
/// stopped one that outlived its node would start what it still has to read. In a pid namespace of
/// its own the kernel ends the rest with the first; elsewhere each is found here.
/// Failures: what cannot be ended in time (it hangs in a driver), or could not be looked at, is
/// doubt, and is named.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace fastgpu::exec {

inline constexpr const char* marker_variable = "FASTGPU_WARDEN";

/// 32 hexadecimal digits, kept in `data_folder`, which is made if it is missing; the same for all
/// lives of the node. With an empty folder: a new one.
base::Result<std::string> marker_of(const std::string& data_folder);
/// The part of the marker that fits a process's mark.
std::uint32_t warden_number(const std::string& marker);

struct Sweep {
  std::uint32_t ended{};      ///< processes that were found and killed
  std::vector<pid_t> remain;  ///< still there at the end
  std::string doubt;          ///< why it is not known whether something is left; else empty
  bool proven() const { return remain.empty() && doubt.empty(); }
  /// For people, what stands in the way of the proof; empty if nothing does.
  std::string obstacle() const;
};

/// Kills and looks again until two looks in a row find nothing, or the time is over. Zombies do not
/// count: they do nothing any more. Never call it while a warden of this marker lives.
Sweep sweep_leftovers(const std::string& marker, std::chrono::milliseconds patience);

using Sweeper = std::function<Sweep(const std::string& marker, std::chrono::milliseconds patience)>;

struct EarlierLives {
  std::string folder;  ///< holds the data folders of all wardens, also of devices that are no more
  std::function<void(const std::string&)> tell;  ///< what it waits for, each time that this changes
  std::chrono::milliseconds look{500};
  std::chrono::milliseconds limit{60'000};
  Sweeper sweep{sweep_leftovers};
};

/// Returns when nothing of the wardens in the folder, nor of their commands, is left, or with the
/// error that says what is, or that it cannot be known. No new one may have started.
base::Status end_earlier_lives(const EarlierLives& lives);

}  // namespace fastgpu::exec
