#include "node/cli/command_table.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "client/error_table.hpp"
#include "client/failure_table.hpp"
#include "node/cli/flags/preset.hpp"

namespace fastgpu::cli {
namespace {

constexpr const char* version_number = "0.1.0";

constexpr const char* exit_codes_text = R"(exit codes
    0  done; for wait and run: every job succeeded
    1  a fault of FastGPU           2  wrong usage                3  not found
    4  conflict of states           5  not allowed                6  no node reachable
    7  can never run                8  quota                      9  overloaded
   10  failed    11  cancelled    12  hit its time limit    13  lost after all attempts
  124  --timeout passed; the job goes on      130  interrupted; detached, the job goes on
Several jobs: 10 before 12, 13, 11. fastgpu run adds 200 to 1..9: it was FastGPU that failed.
)";

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

void declare_nothing(CLI::App&, Invocation&) {}

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

void declare_job(CLI::App& app, Invocation& to) {
  JobFlags& flags = to.job;
  app.add_option("--file", flags.file, "job.toml: flags as keys; typed flags win");
  app.add_option("--tasks", flags.tasks, "an array: {} in words, values and files is the index")
      ->check(CLI::Range(1u, base::limits::array_tasks_max));
  app.add_option("--device", flags.device, "where it may run")
      ->check(CLI::IsMember({"any", "gpu", "cpu", "null"}));
  app.add_option("--name", flags.name, "of the job, for people");
  app.add_option("--time-limit", flags.time_limit,
                 "of one execution: 90s 1h30m (default: kernels 1h, commands none)");
  app.add_option("--retries", flags.retries, "of failures that are the job's own");
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

void declare_progress(CLI::App& app, Invocation& to) {
  app.add_option("--progress", to.progress, "auto, plain or none")
      ->check(CLI::IsMember({"auto", "plain", "none"}));
}

void declare_run(CLI::App& app, Invocation& to) {
  declare_job(app, to);
  declare_progress(app, to);
  app.add_flag("-d,--detach", to.detach, "submit only");
}

void declare_jobs(CLI::App& app, Invocation& to) {
  app.add_option("jobs", to.selectors, "17, 3-9, last, @name; to show one task: 17.3")->required();
}

void declare_wait(CLI::App& app, Invocation& to) {
  declare_jobs(app, to);
  declare_progress(app, to);
}

void declare_logs(CLI::App& app, Invocation& to) {
  app.add_option("job", to.selectors, "17, last, @name; of one task: 17.3")
      ->required()
      ->expected(1);
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
}

void declare_copy(CLI::App& app, Invocation& to) {
  app.add_option("from", to.copy_from, "JOB:PATH")->required();
  app.add_option("to", to.copy_to, "file or folder here")->required();
}

void declare_up(CLI::App& app, Invocation& to) {
  app.add_option("--nodes", to.nodes, "how many nodes")->check(CLI::Range(1, 16));
  app.add_option("--devices", to.devices, "CPU devices of each")->check(CLI::Range(1, 64));
}

void declare_help(CLI::App& app, Invocation& to) {
  app.add_option("topic", to.topic, "a command, exit-codes, errors, or a code such as FG2101");
}

bool is_json(const Context& context) {
  return context.format() == Format::json || context.format() == Format::jsonl;
}

int verb_version(Context& context, const Invocation&) {
  if (is_json(context)) {
    context.print(json_version(version_number, context.stamp()));
  } else {
    context.print("fastgpu " + std::string(version_number) + "\n");
  }
  return 0;
}

std::string all_errors() {
  std::string text;
  for (const client::ErrorRow& row : client::error_table()) {
    text += client::code_text(row.code) + "  " + row.name + ": " + row.meaning + "\n";
  }
  for (const client::FailureRow& row : client::failure_table()) {
    text += client::code_text(row) + "  " + row.name + ": " + row.meaning + "\n";
  }
  return text + "fastgpu help FG2101 tells what to do.\n";
}

/// FG and four digits, known or not: no command is called so.
bool is_code(const std::string& topic) {
  return topic.size() == 6 && (topic.starts_with("FG") || topic.starts_with("fg"));
}

/// A command, or the noun of some.
bool is_command(const std::string& topic) {
  const auto& all = command_table();
  return std::any_of(all.begin(), all.end(), [&](const Command& command) {
    const std::string name = command.name;
    return name == topic || name.starts_with(topic + " ");
  });
}

base::Result<std::string> help_on(const std::string& topic) {
  if (topic == "exit-codes") {
    return std::string(exit_codes_text);
  }
  if (topic == "errors") {
    return all_errors();
  }
  if (const client::ErrorRow* row = client::find_error(topic)) {
    return client::help_of(*row);
  }
  if (const client::FailureRow* row = client::find_failure(topic)) {
    return client::help_of(*row);
  }
  if (is_code(topic)) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                       "there is no error code " + topic, "fastgpu help errors lists them all"};
  }
  if (!topic.empty() && !is_command(topic)) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                       "there is no help on '" + topic + "'",
                       "fastgpu help lists the commands; fastgpu help errors the error codes"};
  }
  return parse(topic.empty() ? std::vector<std::string>{"--help"}
                             : std::vector<std::string>{topic, "--help"})
      .text;
}

int verb_help(Context& context, const Invocation& invocation) {
  const base::Result<std::string> text = help_on(invocation.topic);
  if (!text.ok()) {
    return context.fail(text.error());
  }
  if (is_json(context)) {
    context.print(json_help(invocation.topic, text.value(), context.stamp()));
  } else {
    context.print(text.value());
  }
  return 0;
}

constexpr const char* run_work = "Run work";
constexpr const char* look = "Look";
constexpr const char* manage = "Manage";

constexpr std::array<Command, 16> commands{{
    {"run", run_work, "submit a command or kernel and follow it", declare_run, verb_run, true},
    {"submit", run_work, "queue a command or kernel, print its id", declare_job, verb_submit, true},
    {"attach", run_work, "follow a running job, bring its results", declare_attach, verb_attach},
    {"wait", run_work, "block until jobs are done", declare_wait, verb_wait},
    {"cancel", run_work, "stop jobs", declare_jobs, verb_cancel},
    {"cp", run_work, "copy an output of a job: cp JOB:PATH DEST", declare_copy, verb_copy},
    {"ps", look, "active jobs", declare_ps, verb_ps},
    {"show", look, "all facts of a job", declare_jobs, verb_show},
    {"logs", look, "what a job printed, or prints", declare_logs, verb_logs},
    {"why", look, "why jobs wait or failed, and what to do", declare_jobs, verb_why},
    {"status", look, "the cluster at a glance", declare_nothing, verb_status},
    {"gpus", look, "which devices there are, and what is free", declare_nothing, verb_gpus},
    {"node list", manage, "the nodes", declare_nothing, verb_node_list},
    {"up", manage, "a throw-away cluster on this machine", declare_up, verb_up},
    {"version", manage, "the version of this program", declare_nothing, verb_version},
    {"help", manage, "help on a command, on exit-codes, errors or FG2101", declare_help, verb_help},
}};

void declare_global(CLI::App& app, GlobalFlags& flags) {
  app.add_option("--server", flags.servers, "any nodes: HOST:PORT,... (default 127.0.0.1:7600)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->envname("FASTGPU_SERVER");
  app.add_option("--dir", flags.folder, "folder of a node on this machine: use its address");
  app.add_option("-o,--output", flags.output, "table, json, jsonl or id")
      ->check(CLI::IsMember({"table", "json", "jsonl", "id"}));
  app.add_flag("--json", flags.json, "the same as -o json");
  app.add_flag("-q,--quiet", flags.quiet, "the same as -o id");
  app.add_flag("--no-color", flags.no_color, "output has no colours anyway");
  app.add_option("--timeout", flags.timeout, "give up after: 90s 1h30m");
}

CLI::App& add_command(CLI::App& app, std::map<std::string, CLI::App*>& nouns,
                      const Command& command) {
  const std::string name = command.name;
  const std::size_t blank = name.find(' ');
  if (blank == std::string::npos) {
    return *app.add_subcommand(name, command.help)->group(command.group);
  }
  CLI::App*& noun = nouns[name.substr(0, blank)];
  if (noun == nullptr) {
    noun = app.add_subcommand(name.substr(0, blank), "list")->group(command.group);
    noun->require_subcommand(1);
    noun->fallthrough();
  }
  return *noun->add_subcommand(name.substr(blank + 1), command.help);
}

/// What was not understood may stand before the flag that says how to answer.
bool wants_json(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const std::string next = i + 1 < arguments.size() ? arguments[i + 1] : "";
    const bool output = word == "-o" || word == "--output";
    if (word == "--") {
      return false;
    }
    if (word == "--json" || word == "-ojson" || word == "-ojsonl" ||
        word.starts_with("--output=json") || (output && next.starts_with("json"))) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::span<const Command> command_table() {
  return commands;
}

Parsed parse(const std::vector<std::string>& words) {
  Parsed parsed;
  // What stands behind "--" is the command's, whatever it looks like.
  const auto own_end = std::find(words.begin(), words.end(), "--");
  const std::vector<std::string> arguments(words.begin(), own_end);
  if (own_end != words.end()) {
    parsed.invocation.job.command.argv.assign(own_end + 1, words.end());
  }
  CLI::App app{"FastGPU: one computer out of many GPU hosts. Ask any node.", "fastgpu"};
  app.require_subcommand(1);
  app.fallthrough();
  declare_global(app, parsed.invocation.global);
  std::map<std::string, CLI::App*> nouns;
  std::vector<std::pair<CLI::App*, const Command*>> declared;
  for (const Command& command : commands) {
    CLI::App& sub = add_command(app, nouns, command);
    sub.fallthrough();
    command.declare(sub, parsed.invocation);
    declared.emplace_back(&sub, &command);
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    const auto shown = app.get_subcommands();
    parsed.text = shown.empty() ? app.help() : shown.front()->help();
    return parsed;
  } catch (const CLI::ParseError& error) {
    parsed.text = error.what();
    parsed.exit_code = 2;
    const auto meant = app.get_subcommands();
    parsed.runs_a_program = !meant.empty() && meant.front()->get_name() == "run";
    parsed.invocation.global.json |= wants_json(arguments);
    return parsed;
  }
  for (const auto& [sub, command] : declared) {
    parsed.command = sub->parsed() ? command : parsed.command;
  }
  const bool takes_command = parsed.command != nullptr && parsed.command->takes_command;
  if (own_end != words.end() && !takes_command) {
    parsed.text = "only run and submit take a command behind --";
    parsed.exit_code = 2;
    parsed.command = nullptr;
  }
  parsed.runs_a_program = parsed.command != nullptr &&
                          (parsed.command->run == verb_run || parsed.command->run == verb_attach);
  return parsed;
}

namespace {

/// Once more with the words of job.toml and of the script, where there are any.
Parsed parse_with_preset(const std::vector<std::string>& words, const Parsed& typed) {
  const auto preset = preset_words(typed.invocation.job, read_file, is_file);
  if (!preset.ok()) {
    Parsed refused = typed;
    refused.command = nullptr;
    refused.text = preset.error().message + "; " + preset.error().hint;
    refused.exit_code = 2;
    return refused;
  }
  const bool nothing_new =
      preset.value().flags.empty() && preset.value().command == typed.invocation.job.command.argv;
  return nothing_new ? typed : parse(with_preset(words, typed.command->name, preset.value()));
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  Parsed parsed = parse(arguments);
  if (parsed.command != nullptr && parsed.command->takes_command) {
    parsed = parse_with_preset(arguments, parsed);
  }
  Context context(parsed.invocation.global, parsed.runs_a_program);
  if (parsed.command != nullptr) {
    return parsed.command->run(context, parsed.invocation);
  }
  if (parsed.exit_code == 0) {
    context.print(parsed.text);
    return 0;
  }
  return context.fail({base::ErrorKind::invalid, base::ErrorCode::usage, parsed.text,
                       "fastgpu help shows the commands, fastgpu COMMAND --help their flags"});
}

}  // namespace fastgpu::cli
