#include "node/cli/declare.hpp"

#include "runtime/base/limits.hpp"

namespace fastgpu::cli {
namespace {

/// Typed flags come behind those of a file, and win.
void take_last(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_expected_max() == 1) {
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
  }
  for (CLI::App* group : app.get_subcommands([](CLI::App*) { return true; })) {
    take_last(*group);
  }
}

void declare_command(CLI::App& app, CommandFlags& flags) {
  CLI::App& group = *app.add_option_group("A command", "the words behind -- are the command");
  group.add_option("--in", flags.inputs, "file or folder it finds: FILE[:PATH]")
      ->allow_extra_args(false);
  group.add_option("--out", flags.outputs, "file or folder it leaves, brought back here")
      ->allow_extra_args(false);
  group.add_option("--env", flags.environment, "NAME=VALUE")->allow_extra_args(false);
  group.add_option("--workdir", flags.workdir, "folder whose contents it finds where it starts");
  group.add_option("--cwd", flags.cwd, "where it starts, below its folder");
  group.add_option("--mem", flags.memory, "memory of all its processes: 8GiB");
  group.add_option("--gpu-mem", flags.gpu_memory,
                   "memory of its GPU, where it is ended above: 20GiB");
  group.add_option("--disk", flags.disk, "what it may write: 20GiB");
  group.add_option("--lease", flags.lease,
                   "how long it goes on when its node is cut off: 10m (default 2m)");
  group.add_flag("--no-network", flags.no_network, "it reaches no other host");
}

void declare_kernel(CLI::App& app, KernelFlags& flags) {
  CLI::App& group = *app.add_option_group("A kernel");
  group.add_option("--kernel", flags.kernel, "name expression: saxpy, saxpy<float>, ns::k<4>");
  group.add_option("--source", flags.source, "CUDA C++ source file; - is standard input");
  group.add_option("--grid", flags.grid, "blocks: X[,Y[,Z]]");
  group.add_option("--block", flags.block, "threads of a block: X[,Y[,Z]]");
  group.add_option("--shared", flags.shared, "dynamic shared memory of a block: 16KiB");
  group.add_option("--define", flags.defines, "K[=V]")->allow_extra_args(false);
  group.add_option("--std", flags.standard, "c++17 or c++20")
      ->check(CLI::IsMember({"c++17", "c++20"}));
  group
      .add_option("--arg", flags.arguments,
                  "in order: i32:V u32: i64: u64: f32: f64: in:FILE out:FILE=SIZE "
                  "inout:FILE[=OUTFILE] scratch:SIZE")
      ->allow_extra_args(false);
  group.add_flag("--precise", flags.precise, "CPU device: find the exact thread of a bad access");
}

void declare_progress(CLI::App& app, Invocation& to) {
  app.add_option("--progress", to.progress,
                 "auto: a line on a terminal; plain: a line for every change; none")
      ->check(CLI::IsMember({"auto", "plain", "none"}));
}

void declare_label(CLI::App& app, Invocation& to) {
  app.add_option("--label", to.labels, "only jobs with this label: NAME=VALUE")
      ->allow_extra_args(false);
}

constexpr const char* how_to_name = "17, 3-9, 1-3,7, last or @name; ";

}  // namespace

void declare_nothing(CLI::App&, Invocation&) {}

void declare_job(CLI::App& app, Invocation& to) {
  JobFlags& flags = to.job;
  app.add_option("--file", flags.file, "job.toml: flags as keys; typed flags win");
  app.add_option("--tasks", flags.tasks, "an array: {} in words, values and files is the index")
      ->check(CLI::Range(1u, base::limits::array_tasks_max));
  app.add_option("--device", flags.device, "where it may run")
      ->check(CLI::IsMember({"any", "gpu", "cpu", "null"}));
  app.add_option("--name", flags.name, "of the job, for people");
  app.add_option("--label", flags.labels, "NAME=VALUE: a word to find it by; several are possible")
      ->allow_extra_args(false);
  app.add_option("--time-limit", flags.time_limit,
                 "of one execution: 90s 1h30m (default: kernels 1h, commands none)");
  app.add_option("--retries", flags.retries, "of failures that are the job's own");
  app.add_option("--crash-limit", flags.crash_limit,
                 "nodes that a task may lose before it ends as lost (default 5)");
  app.add_option("--after", flags.after,
                 "run once that job ended so, or be cancelled: ID[:ok|any|fail] (ok)")
      ->allow_extra_args(false);
  app.add_option("--if-infeasible", flags.if_infeasible,
                 "no device could ever run it: fail or wait")
      ->check(CLI::IsMember({"fail", "wait"}));
  declare_command(app, flags.command);
  declare_kernel(app, flags.kernel);
  take_last(app);
  app.footer(
      "Examples:\n"
      "  fastgpu run --in data.csv --out result.csv -- python3 my_script.py\n"
      "  fastgpu run --tasks 300 --out part-{}.txt -- ./solve --seed {}\n"
      "  fastgpu run --kernel squares --source squares.cu --grid 4 --block 256 \\\n"
      "              --arg out:squares.f32=4096 --arg i32:0\n");
}

void declare_run(CLI::App& app, Invocation& to) {
  declare_job(app, to);
  declare_progress(app, to);
  app.add_flag("-d,--detach", to.detach, "submit only");
}

void declare_jobs(CLI::App& app, Invocation& to) {
  app.add_option("jobs", to.selectors, std::string(how_to_name) + "none: all with the --label");
  declare_label(app, to);
}

void declare_nodes(CLI::App& app, Invocation& to) {
  app.add_option("nodes", to.selectors, "names, as fastgpu node list shows them")->required();
}

void declare_node_remove(CLI::App& app, Invocation& to) {
  declare_nodes(app, to);
  app.add_flag("--force", to.force, "though it is up and takes tasks");
}

void declare_node_token(CLI::App& app, Invocation& to) {
  app.add_option("--valid", to.valid, "how long it lets a node in: 1h");
}

void declare_tasks(CLI::App& app, Invocation& to) {
  app.add_option("jobs", to.selectors,
                 std::string(how_to_name) + "one task: 17.3; none: all with the --label");
  declare_label(app, to);
}

void declare_wait(CLI::App& app, Invocation& to) {
  declare_jobs(app, to);
  declare_progress(app, to);
}

void declare_logs(CLI::App& app, Invocation& to) {
  app.add_option("job", to.selectors, "17, last, @name; of one task: 17.3")->expected(1);
  declare_label(app, to);
  app.add_flag("-f,--follow", to.follow, "go on until the job has ended");
  app.add_flag("--all-attempts", to.all_attempts, "those too that were superseded");
  app.add_flag("--timestamps", to.times, "when each line was written");
}

void declare_attach(CLI::App& app, Invocation& to) {
  app.add_option("job", to.selectors, "17, last, @name")->required()->expected(1);
  declare_progress(app, to);
}

void declare_ps(CLI::App& app, Invocation& to) {
  app.add_flag("-a,--all", to.finished_too, "finished ones too");
  declare_label(app, to);
}

void declare_retry(CLI::App& app, Invocation& to) {
  declare_tasks(app, to);
  RetryFlags& flags = to.retry;
  app.add_flag("--failed", flags.failed, "tasks that failed or hit their time limit");
  app.add_flag("--lost", flags.lost, "tasks that were lost with their nodes");
  app.add_flag("--all", flags.all, "all tasks that have ended (default: all that did not succeed)");
  CLI::App& group = *app.add_option_group("Changes", "the rest stays as it was");
  group.add_option("--name", flags.name, "of the new job");
  group.add_option("--set-label", flags.labels, "NAME=VALUE")->allow_extra_args(false);
  group.add_option("--device", flags.device, "where it may run")
      ->check(CLI::IsMember({"any", "gpu", "cpu", "null"}));
  group.add_option("--time-limit", flags.time_limit, "of one execution: 90s 1h30m");
  group.add_option("--retries", flags.retries, "of failures that are the job's own");
  group.add_option("--crash-limit", flags.crash_limit,
                   "nodes that a task may lose before it ends as lost");
  group.add_option("--if-infeasible", flags.if_infeasible, "fail or wait")
      ->check(CLI::IsMember({"fail", "wait"}));
  group.add_option("--env", flags.environment, "NAME=VALUE")->allow_extra_args(false);
  group.add_option("--mem", flags.memory, "memory of all its processes: 8GiB");
  group.add_option("--disk", flags.disk, "what it may write: 20GiB");
  group.add_option("--lease", flags.lease, "how long it goes on when its node is cut off");
  app.footer(
      "A new job does the tasks again, by the numbers that they had: {} in words and files and\n"
      "FASTGPU_TASK_ID stay as they were; its own tasks are counted from 0.");
}

void declare_events(CLI::App& app, Invocation& to) {
  app.add_option("jobs", to.selectors,
                 std::string(how_to_name) + "one task: 17.3; none: the newest of all jobs");
  declare_label(app, to);
  app.add_flag("-f,--follow", to.follow, "go on, until the jobs named have ended");
}

void declare_doctor(CLI::App& app, Invocation&) {
  app.footer(
      "With --dir the folder of a node on this host is checked too; each --server is asked by\n"
      "itself. Exit code: 0 nothing failed, 6 a node that was named does not answer, 4 anything\n"
      "else failed. Warnings fail nothing.");
}

void declare_copy(CLI::App& app, Invocation& to) {
  app.add_option("from", to.copy_from, "JOB:PATH, or JOB.TASK:PATH; a file or a folder")
      ->required();
  app.add_option("to", to.copy_to, "file or folder here")->required();
}

void declare_up(CLI::App& app, Invocation& to) {
  app.add_option("--nodes", to.nodes, "how many nodes")->check(CLI::Range(1, 16));
  app.add_option("--devices", to.devices, "CPU devices of each")->check(CLI::Range(1, 64));
  app.add_option("--replicas", to.replicas, "copies of each part of the ledger: 3 or 5")
      ->check(CLI::IsMember({3, 5}));
}

void declare_help(CLI::App& app, Invocation& to) {
  app.add_option("topic", to.topic, "a command, exit-codes, errors, or a code such as FG2101");
}

void declare_global(CLI::App& app, GlobalFlags& flags) {
  app.add_option("--server", flags.servers,
                 "any nodes: HOST:PORT,... (default: of the credentials)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->envname("FASTGPU_SERVER");
  app.add_option("--dir", flags.folder,
                 "folder of a node on this machine: use its address and client.toml");
  app.add_option("--credentials", flags.credentials,
                 "file with the key to connect with (default ~/.config/fastgpu/credentials.toml)")
      ->envname("FASTGPU_CREDENTIALS");
  app.add_option("-o,--output", flags.output, "table, json, jsonl or id")
      ->check(CLI::IsMember({"table", "json", "jsonl", "id"}));
  app.add_flag("--json", flags.json, "the same as -o json");
  app.add_flag("-q,--quiet", flags.quiet, "the same as -o id");
  app.add_flag("--no-color", flags.no_color, "output has no colours anyway");
  app.add_option("--timeout", flags.timeout, "give up after: 90s 1h30m");
}

}  // namespace fastgpu::cli
