#include "runtime/security/credentials.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime/security/key_texts.hpp"
#include "runtime/security/secret_file.hpp"

namespace fastgpu::security {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

base::Error incomplete(const std::string& what, const std::string& lacks) {
  return {base::ErrorKind::invalid, base::ErrorCode::bad_argument, what + " " + lacks,
          "make it anew: fastgpu-node init writes client.toml, fastgpu up says where its own is"};
}

}  // namespace

std::string key_for(const ServerKeys& servers, const std::string& address) {
  if (const auto found = servers.find(address); found != servers.end()) {
    return found->second;
  }
  const bool one_key =
      !servers.empty() && std::all_of(servers.begin(), servers.end(), [&](const auto& server) {
        return server.second == servers.begin()->second;
      });
  return one_key ? servers.begin()->second : "";
}

base::Result<Credentials> parse_credentials(const std::string& text, const std::string& what) {
  base::Result<KeyText> read = parse_key_text(
      text, what,
      {{{"name", "the client's"}, {"secret_key", "the client's"}}, {{"servers", "addresses"}}});
  if (!read.ok()) {
    return read.error();
  }
  Credentials found;
  found.name = read.value()[""]["name"];
  base::Result<KeyPair> keys = KeyPair::of_secret(read.value()[""]["secret_key"]);
  if (!keys.ok()) {
    return incomplete(what, "has no whole secret_key");
  }
  found.keys = std::move(keys).value();
  for (const auto& [address, key] : read.value()["servers"]) {
    if (!is_key(key)) {
      return incomplete(what, "has no whole key for the server " + address);
    }
    found.servers.emplace(address, key);
  }
  if (found.servers.empty()) {
    return incomplete(what, "names no servers");
  }
  return found;
}

std::string to_text(const Credentials& credentials) {
  std::string text =
      "# FastGPU credentials: whoever reads this file can use the cluster in your name.\n"
      "name = " +
      quoted(credentials.name) +
      "\n"
      "secret_key = " +
      quoted(credentials.keys.secret_key()) +
      "\n"
      "\n[servers]  # any one is enough; with the keys by which they are known\n";
  for (const auto& [address, key] : credentials.servers) {
    text += quoted(address) + " = " + quoted(key) + "\n";
  }
  return text;
}

base::Result<Credentials> read_credentials(const std::filesystem::path& path) {
  const base::Result<std::string> text = read_secret_file(path);
  if (!text.ok()) {
    return text.error();
  }
  return parse_credentials(text.value(), path.string());
}

base::Status write_credentials(const std::filesystem::path& path, const Credentials& credentials) {
  return replace_secret_file(path, to_text(credentials));
}

std::filesystem::path usual_credentials() {
  if (const std::string named = variable("FASTGPU_CREDENTIALS"); !named.empty()) {
    return named;
  }
  if (const std::string config = variable("XDG_CONFIG_HOME"); !config.empty()) {
    return std::filesystem::path(config) / "fastgpu" / "credentials.toml";
  }
  const std::string home = variable("HOME");
  return home.empty() ? std::filesystem::path()
                      : std::filesystem::path(home) / ".config" / "fastgpu" / "credentials.toml";
}

}  // namespace fastgpu::security
