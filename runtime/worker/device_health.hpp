#pragma once

/// Whether a device deserves work: what the ends of its process say against it, and how it comes
/// back.
///
/// Intuition: kernels crash device processes, and so do devices that are broken. A crash that is
/// proven to be a kernel's own says nothing here. Any other leaves a doubt, which a self-test has
/// to remove before the next task is launched. A task that is convicted, because it alone was there
/// each time and the self-test passed behind it, takes its crashes upon itself; convictions of one
/// program are one fault, however many of its tasks crash. What remains is counted: `crashes_max`
/// crashes with different culprits within `crash_window`, `starts_max` failed starts in a row, or a
/// self-test that fails, and the device is quarantined. It comes back when it passes the self-test
/// after a back-off, which doubles from one quarantine to the next until the device has behaved for
/// `forgiven_after`. Rejected: quarantine without end, and by a count of all crashes. The first
/// never heals, the second lets one user's bad array take a good device from all others.
///
/// Owned by the worker machine, which launches the self-tests; pure.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/worker/worker_state.hpp"

namespace fastgpu::worker {

class DeviceHealth {
 public:
  static constexpr std::size_t crashes_max = 3;
  static constexpr std::uint32_t starts_max = 5;
  static constexpr base::Duration crash_window = std::chrono::seconds(60);
  static constexpr base::Duration back_off_min = std::chrono::seconds(1);
  static constexpr base::Duration back_off_max = std::chrono::seconds(60);
  static constexpr base::Duration forgiven_after = std::chrono::minutes(5);
  /// Of a self-test, the compiler's run included.
  static constexpr base::Duration test_limit = std::chrono::seconds(20);

  /// Work may be launched.
  bool trusted() const { return state_ == State::trusted; }
  bool quarantined() const { return state_ == State::quarantined; }
  /// A sentence for people while it is quarantined, else empty.
  const std::string& why() const { return why_; }
  /// A self-test has begun and not ended.
  bool under_test() const { return test_until_.has_value(); }
  bool wants_test(base::Time now) const;
  bool test_overdue(base::Time now) const { return test_until_ && now >= *test_until_; }
  /// When a self-test becomes due or overdue.
  std::optional<base::Time> next_deadline() const;

  /// The device's process died by itself, and nobody is proven to have done it. `suspects` were in
  /// flight; none of them: it did so while idle.
  void crashed(base::Time now, std::vector<TaskRef> suspects, const std::string& reason);
  /// The same, but it is known which program's task was running, and that task has been charged.
  void crashed_by(base::Time now, std::uint64_t program, const std::string& reason);
  /// All crashes with this suspect are explained.
  void convicted(const TaskRef& task, std::uint64_t program);
  void failed_to_start(base::Time now, const std::string& reason);
  void started() { starts_ = 0; }
  /// What cannot be counted: it is quarantined at once.
  void quarantine(base::Time now, const std::string& reason);
  /// The same by a witness who may say it again and again: its back-off begins anew each time, and
  /// does not grow by that.
  void accused(base::Time now, const std::string& reason);

  void test_began(base::Time now) { test_until_ = now + test_limit; }
  void test_passed(base::Time now);
  void test_failed(base::Time now, const std::string& reason);
  /// It did not take place after all; wanted again.
  void test_called_off() { test_until_.reset(); }

 private:
  enum class State : std::uint8_t { trusted, doubted, quarantined };
  struct Crash {
    base::Time at;
    std::vector<TaskRef> suspects;
    std::optional<std::uint64_t> program;  ///< of who was charged with it
  };

  void note(Crash crash, const std::string& reason);
  void say(const std::string& reason);
  std::size_t culprits() const;

  State state_{State::trusted};
  std::string why_;
  std::deque<Crash> crashes_;  ///< of the window, oldest first, at most `crashes_kept`
  std::uint32_t starts_{0};    ///< that failed, in a row
  base::Time until_{};         ///< no self-test before, in quarantine
  base::Duration back_off_{};
  std::optional<base::Time> released_at_;
  std::optional<base::Time> test_until_;
};

}  // namespace fastgpu::worker
