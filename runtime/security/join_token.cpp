#include "runtime/security/join_token.hpp"

#include <utility>

#include "runtime/security/key_texts.hpp"
#include "runtime/security/secret_file.hpp"

namespace fastgpu::security {

JoinToken make_join_token(ServerKeys servers) {
  return {KeyPair::generate(), std::move(servers)};
}

base::Result<JoinToken> parse_join_token(const std::string& text, const std::string& what) {
  base::Result<KeyText> read =
      parse_key_text(text, what, {{{"join_key", "the secret"}}, {{"servers", "addresses"}}});
  if (!read.ok()) {
    return read.error();
  }
  base::Result<KeyPair> joiner = KeyPair::of_secret(read.value()[""]["join_key"]);
  JoinToken token;
  token.servers = read.value()["servers"];
  bool whole = joiner.ok() && !token.servers.empty();
  for (const auto& [address, key] : token.servers) {
    whole = whole && is_key(key);
  }
  if (!whole) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       what + " is no whole join token",
                       "make a new one on a member: fastgpu token create"};
  }
  token.joiner = std::move(joiner).value();
  return token;
}

std::string to_text(const JoinToken& token) {
  std::string text =
      "# A join token: lets one node into the cluster, once. Keep it secret until it is used.\n"
      "join_key = " +
      quoted(token.joiner.secret_key()) +
      "\n"
      "\n[servers]\n";
  for (const auto& [address, key] : token.servers) {
    text += quoted(address) + " = " + quoted(key) + "\n";
  }
  return text;
}

base::Result<JoinToken> read_join_token(const std::filesystem::path& path) {
  const base::Result<std::string> text = read_secret_file(path);
  if (!text.ok()) {
    base::Error error = text.error();
    if (error.code == base::ErrorCode::file_not_found) {
      error.hint =
          "it holds what fastgpu node token printed, or is join.token in the first node's folder";
    }
    return error;
  }
  return parse_join_token(text.value(), path.string());
}

base::Status write_join_token(const std::filesystem::path& path, const JoinToken& token) {
  return replace_secret_file(path, to_text(token));
}

}  // namespace fastgpu::security
