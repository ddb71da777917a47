#pragma once

/// The flags of each command, as the command table (command_table.cpp) names them. They write into
/// the Invocation; nothing is looked at here.

#include <CLI/CLI.hpp>

#include "node/cli/invocation.hpp"

namespace fastgpu::cli {

void declare_nothing(CLI::App& app, Invocation& to);
/// Of `submit`: a job.
void declare_job(CLI::App& app, Invocation& to);
void declare_run(CLI::App& app, Invocation& to);
/// Of commands that act on whole jobs.
void declare_jobs(CLI::App& app, Invocation& to);
/// Of commands that know single tasks as well.
void declare_nodes(CLI::App& app, Invocation& to);
void declare_node_remove(CLI::App& app, Invocation& to);
void declare_node_token(CLI::App& app, Invocation& to);
void declare_tasks(CLI::App& app, Invocation& to);
void declare_wait(CLI::App& app, Invocation& to);
void declare_logs(CLI::App& app, Invocation& to);
void declare_attach(CLI::App& app, Invocation& to);
void declare_ps(CLI::App& app, Invocation& to);
void declare_retry(CLI::App& app, Invocation& to);
void declare_events(CLI::App& app, Invocation& to);
void declare_doctor(CLI::App& app, Invocation& to);
void declare_copy(CLI::App& app, Invocation& to);
void declare_up(CLI::App& app, Invocation& to);
void declare_help(CLI::App& app, Invocation& to);

/// Those that every command has.
void declare_global(CLI::App& app, GlobalFlags& flags);

}  // namespace fastgpu::cli
