#include "node/cli/context.hpp"

#include <toml++/toml.h>
#include <cstdio>
#include <utility>

#include "client/error_words.hpp"
#include "node/cli/text/quantities.hpp"
#include "runtime/security/credentials.hpp"

namespace fastgpu::cli {
namespace {

constexpr const char* program = "fastgpu 0.1.0";
constexpr const char* default_server = "127.0.0.1:7600";
constexpr std::chrono::seconds connect_limit{5};
constexpr std::chrono::seconds answer_limit{30};
constexpr int exit_timeout = 124;
/// Added where a program's own code could be mistaken for ours.
constexpr int own_failure = 200;

/// Those that the credentials name; a file that cannot be used is told when connecting.
std::vector<std::string> servers_of(const std::filesystem::path& file) {
  std::vector<std::string> servers;
  if (const auto credentials = security::read_credentials(file); credentials.ok()) {
    for (const auto& [address, key] : credentials.value().servers) {
      servers.push_back(address);
    }
  }
  return servers.empty() ? std::vector<std::string>{default_server} : servers;
}

}  // namespace

base::Result<std::string> address_in(const std::string& folder) {
  const std::string path = folder + "/node.toml";
  try {
    const toml::table table = toml::parse_file(path);
    if (const auto listen = table["cluster"]["listen"].value<std::string>()) {
      return *listen;
    }
  } catch (const toml::parse_error& error) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::file_not_found,
                       path + " cannot be read: " + std::string(error.description()),
                       "--dir takes the folder of a node on this machine"};
  }
  return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                     path + " does not say where the node listens",
                     "it lacks [cluster] listen = \"HOST:PORT\""};
}

std::filesystem::path Context::credentials() const {
  if (!flags_.credentials.empty()) {
    return flags_.credentials;
  }
  return flags_.folder.empty() ? security::usual_credentials()
                               : std::filesystem::path(flags_.folder) / "client.toml";
}

Format Context::format() const {
  if (flags_.json || flags_.output == "json") {
    return Format::json;
  }
  if (flags_.quiet || flags_.output == "id") {
    return Format::id;
  }
  return flags_.output == "jsonl" ? Format::jsonl : Format::table;
}

base::Result<std::vector<std::string>> Context::servers() const {
  if (!flags_.servers.empty()) {
    return flags_.servers;
  }
  if (flags_.folder.empty()) {
    return servers_of(credentials());
  }
  const base::Result<std::string> address = address_in(flags_.folder);
  if (!address.ok()) {
    return address.error();
  }
  return std::vector<std::string>{address.value()};
}

base::Result<std::shared_ptr<client::Connection>> Context::connect() {
  const auto where = servers();
  if (!where.ok()) {
    return where.error();
  }
  const auto given = limit();
  if (!given.ok()) {
    return given.error();
  }
  auto connection = client::Connection::open({where.value(), program, credentials()});
  if (!connection.ok()) {
    return connection;
  }
  client::Time by = client::in(connect_limit);
  if (given.value()) {
    by = std::min(by, *given.value());
  }
  asking();
  auto status = connection.value()->ask_for<protocol::ClusterStatus>(protocol::AskCluster{}, by);
  if (!status.ok()) {
    return status.error();
  }
  cluster_ = std::move(status).value();
  names_ = Names(cluster_);
  return connection;
}

void Context::refresh(client::Connection& connection) {
  auto status = connection.ask_for<protocol::ClusterStatus>(protocol::AskCluster{}, deadline());
  if (status.ok()) {
    cluster_ = std::move(status).value();
    names_ = Names(cluster_);
  }
}

client::Time Context::deadline() const {
  const auto given = limit();
  return given.ok() && given.value() ? *given.value() : client::in(answer_limit);
}

base::Result<std::optional<client::Time>> Context::limit() const {
  if (flags_.timeout.empty()) {
    return std::optional<client::Time>();
  }
  const auto time = parse_duration(flags_.timeout);
  if (!time.ok()) {
    return time.error();
  }
  return std::optional<client::Time>(start_ + time.value());
}

Stamp Context::stamp() const {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {duration_cast<milliseconds>(now).count(),
          duration_cast<milliseconds>(std::chrono::steady_clock::now() - asked_).count()};
}

void Context::print(const std::string& text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Context::print(const Json& document) const {
  if (format() != Format::jsonl) {
    return print(document.dump(2) + "\n");
  }
  if (document.contains("items")) {
    for (const Json& item : document["items"]) {
      print(item.dump() + "\n");
    }
    return;
  }
  print(document.dump() + "\n");
}

void Context::tell(const std::string& line) const {
  std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
}

/// Nobody answered before `--timeout`: that is what passed, whoever was slow. Where too few nodes
/// are up it is not for want of time.
base::Error Context::in_the_time_given(const base::Error& error) const {
  const auto given = limit();
  if (error.kind != base::ErrorKind::unavailable || error.code == base::ErrorCode::no_majority ||
      !given.ok() || !given.value() || std::chrono::steady_clock::now() < *given.value()) {
    return error;
  }
  base::Error passed =
      client::time_is_over("--timeout " + flags_.timeout + " passed: " + error.message);
  passed.hint = "give it more time";
  return passed;
}

int Context::tell_error(const base::Error& failed) const {
  const base::Error error = in_the_time_given(failed);
  const std::string text = "error[" + client::code_text(error.code) + "]: " + error.message;
  const int code = client::exit_code(error);
  if (!runs_a_program_) {
    tell(text + (error.hint.empty() ? "" : "\n  hint: " + error.hint));
    return code;
  }
  tell("fastgpu: " + text + (error.hint.empty() ? "" : " (hint: " + error.hint + ")"));
  return code == exit_timeout ? code : code + own_failure;
}

int Context::fail(const base::Error& error) const {
  const int code = tell_error(error);
  if (wants_documents()) {
    print(json_error(in_the_time_given(error), source(), stamp()));
  }
  return code;
}

}  // namespace fastgpu::cli
