#pragma once

/// Every command of `fastgpu` in one table, from which the parser, the help and the tests are made.

#include <CLI/CLI.hpp>
#include <span>
#include <string>

#include "node/cli/invocation.hpp"
#include "node/cli/verbs.hpp"

namespace fastgpu::cli {

struct Command {
  const char* name;  ///< "ps"; a noun and a verb for "node list"
  const char* group;
  const char* help;
  void (*declare)(CLI::App&, Invocation&);  ///< its own flags
  Verb run;
  bool takes_command{false};  ///< words behind "--" are a command
};

std::span<const Command> command_table();

/// What was typed, or why it is not understood; with `--help` neither, and `text` to print.
struct Parsed {
  Invocation invocation;
  const Command* command{nullptr};  ///< null: print `text`, exit with `exit_code`
  std::string text;
  int exit_code{0};
  bool runs_a_program{false};  ///< its exit code may be the program's: ours are told apart
};
Parsed parse(const std::vector<std::string>& arguments);

/// Parses, runs and returns the exit code: all of the program.
int run_program(const std::vector<std::string>& arguments);

}  // namespace fastgpu::cli
