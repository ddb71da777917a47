#include "node/cli/flags/preset.hpp"

#include <algorithm>

namespace fastgpu::cli {
namespace {

/// Lines for FastGPU stand at the top of a script: no more of it is looked at.
constexpr std::size_t looked_at_bytes = 64u << 10;

base::Result<std::vector<std::string>> words_of_first_script(const std::vector<std::string>& argv,
                                                             const ReadFile& read,
                                                             const IsFile& is_file) {
  const auto script = std::find_if(argv.begin(), argv.end(), is_file);
  if (script == argv.end()) {
    return std::vector<std::string>{};
  }
  const auto data = read(*script);
  if (!data.ok()) {
    return data.error();
  }
  const std::size_t size = std::min(data.value().size(), looked_at_bytes);
  return words_of_script(*script, {reinterpret_cast<const char*>(data.value().data()), size});
}

}  // namespace

base::Result<JobWords> preset_words(const JobFlags& typed, const ReadFile& read,
                                    const IsFile& is_file) {
  JobWords words;
  if (!typed.file.empty()) {
    const auto data = read(typed.file);
    if (!data.ok()) {
      return data.error();
    }
    auto from_file = words_of_toml(
        typed.file, {reinterpret_cast<const char*>(data.value().data()), data.value().size()});
    if (!from_file.ok()) {
      return from_file.error();
    }
    words = std::move(from_file).value();
  }
  if (typed.is_command()) {
    words.command = typed.command.argv;
  }
  const auto lines = words_of_first_script(words.command, read, is_file);
  if (!lines.ok()) {
    return lines.error();
  }
  words.flags.insert(words.flags.end(), lines.value().begin(), lines.value().end());
  return words;
}

std::vector<std::string> with_preset(const std::vector<std::string>& typed, const std::string& verb,
                                     const JobWords& preset) {
  const auto own_end = std::find(typed.begin(), typed.end(), "--");
  const auto at = std::find(typed.begin(), own_end, verb);
  std::vector<std::string> words(typed.begin(), at == own_end ? own_end : at + 1);
  words.insert(words.end(), preset.flags.begin(), preset.flags.end());
  if (at != own_end) {
    words.insert(words.end(), at + 1, own_end);
  }
  if (!preset.command.empty()) {
    words.push_back("--");
    words.insert(words.end(), preset.command.begin(), preset.command.end());
  }
  return words;
}

}  // namespace fastgpu::cli
