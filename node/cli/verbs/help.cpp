#include <algorithm>

#include "client/error_table.hpp"
#include "client/failure_table.hpp"
#include "node/cli/command_table.hpp"

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
fastgpu doctor: 6 where a node that was named does not answer, 4 where another check failed.
)";

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

}  // namespace

int verb_version(Context& context, const Invocation&) {
  if (context.wants_documents()) {
    context.print(json_version(version_number, context.stamp()));
  } else {
    context.print("fastgpu " + std::string(version_number) + "\n");
  }
  return 0;
}

int verb_help(Context& context, const Invocation& invocation) {
  const base::Result<std::string> text = help_on(invocation.topic);
  if (!text.ok()) {
    return context.fail(text.error());
  }
  if (context.wants_documents()) {
    context.print(json_help(invocation.topic, text.value(), context.stamp()));
  } else {
    context.print(text.value());
  }
  return 0;
}

}  // namespace fastgpu::cli
