#pragma once

/// The user of a test's commands or kernels where tests run as root: claimed as a node claims it,
/// so tests that run side by side share no user, and none takes another's processes.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "runtime/exec/sandbox/user_claim.hpp"

namespace fastgpu::testing {

/// Another one each time; none if this process is not root.
inline exec::ClaimedUser own_user() {
  static std::atomic<std::uint32_t> last{static_cast<std::uint32_t>(getpid()) * 16};
  const auto claimed = exec::claim_user(exec::default_users(), ++last);
  EXPECT_TRUE(claimed.ok()) << claimed.error().message;
  return claimed.ok() ? claimed.value() : exec::ClaimedUser();
}

}  // namespace fastgpu::testing
