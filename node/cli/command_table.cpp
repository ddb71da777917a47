#include "node/cli/command_table.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "node/cli/declare.hpp"
#include "node/cli/flags/preset.hpp"

namespace fastgpu::cli {
namespace {

constexpr const char* run_work = "Run work";
constexpr const char* look = "Look";
constexpr const char* manage = "Manage";

constexpr std::array<Command, 23> commands{{
    {"run", run_work, "submit a command or kernel and follow it", declare_run, verb_run, true},
    {"submit", run_work, "queue a command or kernel, print its id", declare_job, verb_submit, true},
    {"attach", run_work, "follow a running job, bring its results", declare_attach, verb_attach},
    {"wait", run_work, "block until jobs are done", declare_wait, verb_wait, false, true},
    {"retry", run_work, "do again what did not succeed", declare_retry, verb_retry, false, true},
    {"cancel", run_work, "stop jobs", declare_jobs, verb_cancel, false, true},
    {"cp", run_work, "copy outputs of a job: cp JOB:PATH DEST", declare_copy, verb_copy},
    {"ps", look, "active jobs", declare_ps, verb_ps},
    {"show", look, "all facts of a job", declare_tasks, verb_show, false, true},
    {"logs", look, "what a job printed, or prints", declare_logs, verb_logs, false, true},
    {"why", look, "why jobs wait or failed, and what to do", declare_tasks, verb_why, false, true},
    {"events", look, "what happened to jobs, in order", declare_events, verb_events},
    {"status", look, "the cluster at a glance", declare_nothing, verb_status},
    {"gpus", look, "which devices there are, and what is free", declare_nothing, verb_gpus},
    {"node list", manage, "the nodes", declare_nothing, verb_node_list},
    {"node token", manage, "let one more node join", declare_node_token, verb_node_token},
    {"node drain", manage, "give nodes no new tasks", declare_nodes, verb_node_drain},
    {"node undrain", manage, "give them tasks again", declare_nodes, verb_node_undrain},
    {"node remove", manage, "take nodes out, for good", declare_node_remove, verb_node_remove},
    {"doctor", manage, "check this host, a node's folder and the nodes", declare_doctor,
     verb_doctor},
    {"up", manage, "a throw-away cluster on this machine", declare_up, verb_up},
    {"version", manage, "the version of this program", declare_nothing, verb_version},
    {"help", manage, "help on a command, on exit-codes, errors or FG2101", declare_help, verb_help},
}};

CLI::App& add_command(CLI::App& app, std::map<std::string, CLI::App*>& nouns,
                      const Command& command) {
  const std::string name = command.name;
  const std::size_t blank = name.find(' ');
  if (blank == std::string::npos) {
    return *app.add_subcommand(name, command.help)->group(command.group);
  }
  CLI::App*& noun = nouns[name.substr(0, blank)];
  if (noun == nullptr) {
    noun = app.add_subcommand(name.substr(0, blank), "list, token, drain, undrain, remove")
               ->group(command.group);
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
    const bool took_words =
        parsed.runs_a_program || (!meant.empty() && meant.front()->get_name() == "submit");
    if (took_words && own_end == words.end() &&
        dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
      parsed.text += "; a command stands behind --: fastgpu " + meant.front()->get_name() +
                     " [flags] -- python3 my_script.py";
    }
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
  if (parsed.command != nullptr && parsed.command->needs_jobs &&
      parsed.invocation.selectors.empty() && parsed.invocation.labels.empty()) {
    parsed.text = std::string("fastgpu ") + parsed.command->name + " is told no job and no --label";
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
  const auto preset = preset_words(typed.invocation.job, read_file, read_script_head);
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
