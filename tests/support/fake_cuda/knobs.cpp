#include "tests/support/fake_cuda/knobs.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace fastgpu::testing {
namespace {

std::vector<std::vector<std::string>> lines() {
  std::vector<std::vector<std::string>> result;
  const char* path = std::getenv("FASTGPU_LIBCUDA_FAKE");
  std::ifstream file(path == nullptr ? "" : path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) {
      words.push_back(word);
    }
    if (!words.empty()) {
      result.push_back(std::move(words));
    }
  }
  return result;
}

}  // namespace

std::vector<std::string> knob_words(const std::string& name) {
  for (auto& words : lines()) {
    if (words[0] == name) {
      return {words.begin() + 1, words.end()};
    }
  }
  return {};
}

bool knob(const std::string& name) {
  for (const auto& words : lines()) {
    if (words[0] == name) {
      return true;
    }
  }
  return false;
}

std::uint64_t knob(const std::string& name, std::uint64_t otherwise) {
  const auto words = knob_words(name);
  return words.empty() ? otherwise : std::stoull(words[0]);
}

std::vector<std::string> knob_list(const std::string& name) {
  std::vector<std::string> result;
  for (const auto& words : lines()) {
    if (words[0] == name && words.size() > 1) {
      result.push_back(words[1]);
    }
  }
  return result;
}

std::vector<std::vector<std::string>> knob_lines(const std::string& name) {
  std::vector<std::vector<std::string>> result;
  for (const auto& words : lines()) {
    if (words[0] == name) {
      result.emplace_back(words.begin() + 1, words.end());
    }
  }
  return result;
}

}  // namespace fastgpu::testing
