#include "bench/foreign/kernel_text.hpp"

#include <cctype>
#include <sstream>

namespace fastgpu::bench {
namespace {

/// Where what begins at `at`, a comment or a literal, ends; `at` itself if it is neither.
std::size_t skip(const std::string& text, std::size_t at) {
  const auto behind = [&text](std::size_t found, std::size_t length) {
    return found == std::string::npos ? text.size() : found + length;
  };
  if (text.compare(at, 2, "//") == 0)
    return behind(text.find('\n', at), 0);
  if (text.compare(at, 2, "/*") == 0)
    return behind(text.find("*/", at + 2), 2);
  if (text[at] != '"' && text[at] != '\'')
    return at;
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != text[at])
    end += text[end] == '\\' ? 2 : 1;
  return std::min(end + 1, text.size());
}

/// The end of the function that begins at `at`: its closing brace, or the semicolon of a
/// declaration.
std::size_t end_of_function(const std::string& text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    if (const std::size_t behind = skip(text, at); behind != at) {
      at = behind;
      continue;
    }
    const char c = text[at++];
    if (c == '{')
      ++depth;
    if ((c == '}' && --depth == 0) || (c == ';' && depth == 0))
      return at;
  }
  return at;
}

bool begins_device_function(const std::string& text, std::size_t at) {
  return text.compare(at, 10, "__global__") == 0 || text.compare(at, 10, "__device__") == 0;
}

}  // namespace

std::string device_functions(const std::string& source) {
  std::string all;
  for (std::size_t at = 0; at < source.size();) {
    if (begins_device_function(source, at)) {
      const std::size_t end = end_of_function(source, at);
      all += source.substr(at, end - at) + "\n";
      at = end;
      continue;
    }
    const std::size_t behind = skip(source, at);
    at = behind == at ? at + 1 : behind;
  }
  return all;
}

std::string plain_defines(const std::string& source) {
  std::string all;
  std::istringstream lines(source);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, name;
    words >> hash >> name;
    if (hash == "#define" && name.find('(') == std::string::npos && words.peek() == ' ')
      all += line + "\n";
  }
  return all;
}

}  // namespace fastgpu::bench
