#include "runtime/security/key_texts.hpp"

#include <toml++/toml.h>

#include <optional>

namespace fastgpu::security {
namespace {

base::Error malformed(const std::string& what, const toml::source_region& where,
                      const std::string& why) {
  const std::string line = where.begin ? ", line " + std::to_string(where.begin.line) : "";
  return {base::ErrorKind::invalid, base::ErrorCode::bad_argument, what + line + ": " + why,
          "it is written by fastgpu-node init, or fastgpu token create; was it cut or edited?"};
}

std::optional<base::Error> take_section(const toml::table& table, const std::string& section,
                                        const std::string& what, const KeyTextShape& shape,
                                        KeyText& into) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (section.empty() && node.is_table()) {
      if (!shape.open_sections.contains(name)) {
        return malformed(what, node.source(), "[" + name + "] is not known here");
      }
      if (auto error = take_section(*node.as_table(), name, what, shape, into)) {
        return error;
      }
      continue;
    }
    if (section.empty() && !shape.names.contains(name)) {
      return malformed(what, node.source(), name + " is not known here");
    }
    const auto value = node.value_exact<std::string>();
    if (!value) {
      return malformed(what, node.source(), name + " is not a text in quotes");
    }
    into[section][name] = *value;
  }
  return std::nullopt;
}

}  // namespace

base::Result<KeyText> parse_key_text(const std::string& text, const std::string& what,
                                     const KeyTextShape& shape) {
  KeyText found;
  try {
    if (auto error = take_section(toml::parse(text), "", what, shape, found)) {
      return *error;
    }
  } catch (const toml::parse_error& error) {
    return malformed(what, error.source(), "this is no TOML");
  }
  return found;
}

std::string quoted(const std::string& value) {
  std::string text = "\"";
  for (const char character : value) {
    if (character == '"' || character == '\\') {
      text += '\\';
    }
    text += static_cast<unsigned char>(character) < 0x20 ? ' ' : character;
  }
  return text + "\"";
}

}  // namespace fastgpu::security
