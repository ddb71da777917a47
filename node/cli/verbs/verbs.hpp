#pragma once

/// The verbs of `fastgpu`: each asks, prints and returns the exit code. One source for each family.

#include "node/cli/context.hpp"
#include "node/cli/invocation.hpp"

namespace fastgpu::cli {

using Verb = int (*)(Context&, const Invocation&);

// run.cpp
int verb_run(Context& context, const Invocation& invocation);
int verb_attach(Context& context, const Invocation& invocation);
int verb_submit(Context& context, const Invocation& invocation);
// jobs.cpp
int verb_ps(Context& context, const Invocation& invocation);
int verb_show(Context& context, const Invocation& invocation);
int verb_wait(Context& context, const Invocation& invocation);
int verb_cancel(Context& context, const Invocation& invocation);
// copy.cpp
int verb_copy(Context& context, const Invocation& invocation);
// doctor.cpp
int verb_doctor(Context& context, const Invocation& invocation);
// events.cpp
int verb_events(Context& context, const Invocation& invocation);
// retry.cpp
int verb_retry(Context& context, const Invocation& invocation);
// logs.cpp
int verb_logs(Context& context, const Invocation& invocation);
// why.cpp
int verb_why(Context& context, const Invocation& invocation);
// cluster.cpp
int verb_status(Context& context, const Invocation& invocation);
int verb_gpus(Context& context, const Invocation& invocation);
int verb_node_list(Context& context, const Invocation& invocation);
// nodes.cpp
int verb_node_token(Context& context, const Invocation& invocation);
int verb_node_drain(Context& context, const Invocation& invocation);
int verb_node_undrain(Context& context, const Invocation& invocation);
int verb_node_remove(Context& context, const Invocation& invocation);
// up.cpp
int verb_up(Context& context, const Invocation& invocation);
// help.cpp
int verb_version(Context& context, const Invocation& invocation);
int verb_help(Context& context, const Invocation& invocation);

}  // namespace fastgpu::cli
