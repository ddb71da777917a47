#include "runtime/security/key_file.hpp"

#include <string>

#include "runtime/security/key_texts.hpp"
#include "runtime/security/secret_file.hpp"

namespace fastgpu::security {

base::Result<KeyPair> create_key_file(const std::filesystem::path& path) {
  KeyPair made = KeyPair::generate();
  const std::string text =
      "# This node's own key: whoever has it is this node to all others. Never copy it.\n"
      "public_key = " +
      quoted(made.public_key()) +
      "\n"
      "secret_key = " +
      quoted(made.secret_key()) + "\n";
  if (const base::Status written = create_secret_file(path, text); !written.ok()) {
    return written.error();
  }
  return made;
}

base::Result<KeyPair> read_key_file(const std::filesystem::path& path) {
  const base::Result<std::string> text = read_secret_file(path);
  if (!text.ok()) {
    return text.error();
  }
  base::Result<KeyText> read =
      parse_key_text(text.value(), path.string(),
                     {{{"public_key", "shown to others"}, {"secret_key", "kept here"}}, {}});
  if (!read.ok()) {
    return read.error();
  }
  auto& values = read.value()[""];
  base::Result<KeyPair> pair = KeyPair::of_secret(values["secret_key"]);
  if (!pair.ok() || pair.value().public_key() != values["public_key"]) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       path.string() + " holds no pair of keys that belong together",
                       "bring back the file as it was; a node without its key joins as a new one"};
  }
  return pair;
}

}  // namespace fastgpu::security
