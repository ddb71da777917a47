#pragma once

/// The verbs of `fastgpu`: each asks, prints and returns the exit code. One source for each family.

#include "node/cli/context.hpp"
#include "node/cli/invocation.hpp"

namespace fastgpu::cli {

using Verb = int (*)(Context&, const Invocation&);

// verb_run.cpp
int verb_run(Context& context, const Invocation& invocation);
int verb_attach(Context& context, const Invocation& invocation);
int verb_submit(Context& context, const Invocation& invocation);
// verb_jobs.cpp
int verb_ps(Context& context, const Invocation& invocation);
int verb_show(Context& context, const Invocation& invocation);
int verb_wait(Context& context, const Invocation& invocation);
int verb_cancel(Context& context, const Invocation& invocation);
int verb_copy(Context& context, const Invocation& invocation);
// verb_logs.cpp
int verb_logs(Context& context, const Invocation& invocation);
// verb_why.cpp
int verb_why(Context& context, const Invocation& invocation);
// verb_cluster.cpp
int verb_status(Context& context, const Invocation& invocation);
int verb_gpus(Context& context, const Invocation& invocation);
int verb_node_list(Context& context, const Invocation& invocation);
// verb_up.cpp
int verb_up(Context& context, const Invocation& invocation);

}  // namespace fastgpu::cli
