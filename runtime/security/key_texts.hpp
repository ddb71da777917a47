#pragma once

/// The texts of key files, credentials and join tokens: TOML of strings only, with sections one
/// deep. Pure; a mistake is an Error with its line, never with what the line says.

#include <map>
#include <string>

#include "runtime/base/result.hpp"

namespace fastgpu::security {

/// Values by name, of each section; those before any section are in "".
using KeyText = std::map<std::string, std::map<std::string, std::string>>;

/// `what` names the text in errors: the path of its file. Only these sections and, outside of
/// `open_sections`, only these names are taken; what is missing is "".
struct KeyTextShape {
  std::map<std::string, std::string> names;          ///< name -> what it is, of section ""
  std::map<std::string, std::string> open_sections;  ///< section -> what its names are
};

base::Result<KeyText> parse_key_text(const std::string& text, const std::string& what,
                                     const KeyTextShape& shape);

/// The value in quotes, as TOML wants it.
std::string quoted(const std::string& value);

}  // namespace fastgpu::security
