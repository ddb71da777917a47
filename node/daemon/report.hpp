#pragma once

/// How `fastgpu-node` tells that it failed: the words on stderr, the exit code from the table that
/// all programs share.

#include <string>

#include "runtime/base/result.hpp"

namespace fastgpu::node {

/// A service manager must not start the node again and again: its configuration is wrong.
inline constexpr int exit_bad_configuration = 78;

/// Tells the error on stderr, on stdout as a document too where `as_json`; the exit code.
int report(const base::Error& error, bool as_json = false);

/// The code for a node that cannot start: 78 where its configuration has to be mended first.
int start_exit_code(const base::Error& error);

/// RFC 3339 in UTC, now.
std::string time_now();

}  // namespace fastgpu::node
