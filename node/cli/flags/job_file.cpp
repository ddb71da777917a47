#include "node/cli/flags/job_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <optional>
#include <sstream>

namespace fastgpu::cli {
namespace {

/// What a key may hold.
enum class Holds { text, list, flag };
struct Key {
  std::string_view name;
  Holds holds;
};

constexpr std::array<Key, 21> job_keys{{
    {"name", Holds::text},          {"device", Holds::text},  {"tasks", Holds::text},
    {"time_limit", Holds::text},    {"retries", Holds::text}, {"after", Holds::list},
    {"if_infeasible", Holds::text}, {"in", Holds::list},      {"out", Holds::list},
    {"workdir", Holds::text},       {"cwd", Holds::text},     {"mem", Holds::text},
    {"gpu_mem", Holds::text},       {"disk", Holds::text},    {"lease", Holds::text},
    {"no_network", Holds::flag},    {"command", Holds::list}, {"env", Holds::list},
    {"labels", Holds::list},        {"kernel", Holds::list},  {"crash_limit", Holds::text},
}};
constexpr std::array<Key, 9> kernel_keys{{
    {"kernel", Holds::text},
    {"source", Holds::text},
    {"grid", Holds::text},
    {"block", Holds::text},
    {"shared", Holds::text},
    {"define", Holds::list},
    {"std", Holds::text},
    {"precise", Holds::flag},
    {"args", Holds::list},
}};

base::Error wrong(const std::string& file, const toml::node* where, const std::string& what,
                  const std::string& hint) {
  std::string place = file;
  if (where != nullptr) {
    place += ":" + std::to_string(where->source().begin.line);
  }
  return {base::ErrorKind::invalid, base::ErrorCode::usage, place + ": " + what, hint};
}

/// How many letters must be changed, added or removed to make one of the other (Levenshtein 1965).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({change, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

template <std::size_t N>
std::string nearest(const std::array<Key, N>& keys, std::string_view name) {
  const auto best = std::min_element(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    return distance(a.name, name) < distance(b.name, name);
  });
  return std::string(best->name);
}

std::string flag_of(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::replace(flag.begin() + 2, flag.end(), '_', '-');
  return flag;
}

/// A text, or a number as it would be typed; dimensions may be a list of numbers.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto text = node.value<std::string>()) {
    return *text;
  }
  if (const auto number = node.value_exact<std::int64_t>()) {
    return std::to_string(*number);
  }
  if (const auto number = node.value<double>()) {
    std::ostringstream out;
    out.precision(17);
    out << *number;
    return out.str();
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> texts_of(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    const auto text = text_of(node);
    return text ? std::optional(std::vector{*text}) : std::nullopt;
  }
  std::vector<std::string> texts;
  for (const toml::node& item : *list) {
    const auto text = text_of(item);
    if (!text) {
      return std::nullopt;
    }
    texts.push_back(*text);
  }
  return texts;
}

class TomlReader {
 public:
  explicit TomlReader(const std::string& file) : file_(file) {}

  base::Result<JobWords> read(const toml::table& table) {
    for (const auto& [key, node] : table) {
      if (const base::Status status = read_job_key(std::string(key.str()), node); !status.ok()) {
        return status.error();
      }
    }
    return std::move(words_);
  }

 private:
  base::Status read_job_key(const std::string& name, const toml::node& node) {
    if (name == "command") {
      const auto words = node.is_array() ? texts_of(node) : std::nullopt;
      if (!words) {
        return wrong(file_, &node, "command is no list of words",
                     "write command = [\"python\", \"train.py\"]");
      }
      words_.command = *words;
      return {};
    }
    if (name == "env") {
      return read_pairs(node, name, "env", "write env = { SEED = \"1\" }");
    }
    if (name == "labels") {
      return read_pairs(node, name, "label", "write [labels] and below it stage = \"train\"");
    }
    if (name == "kernel") {
      return read_kernel(node);
    }
    return read_flag(job_keys, name, name, node);
  }

  template <std::size_t N>
  base::Status read_flag(const std::array<Key, N>& keys, const std::string& name,
                         const std::string& flag, const toml::node& node) {
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const Key& each) { return each.name == name; });
    if (key == keys.end()) {
      return wrong(file_, &node, "there is no key '" + name + "'",
                   "did you mean '" + nearest(keys, name) + "'?");
    }
    if (key->holds == Holds::flag) {
      const auto on = node.value<bool>();
      if (!on) {
        return wrong(file_, &node, name + " is neither true nor false",
                     "write " + name + " = true");
      }
      if (*on) {
        words_.flags.push_back(flag_of(flag));
      }
      return {};
    }
    const auto texts = texts_of(node);
    if (!texts) {
      return wrong(file_, &node, name + " is no text, number or list of them",
                   "write it as the flag takes it: " + name + " = \"...\"");
    }
    if (key->holds == Holds::text) {
      add(flag, joined(*texts));
      return {};
    }
    for (const std::string& text : *texts) {
      add(flag, text);
    }
    return {};
  }

  /// A table of texts: each becomes the flag with NAME=VALUE.
  base::Status read_pairs(const toml::node& node, const std::string& name, const std::string& flag,
                          const std::string& remedy) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return wrong(file_, &node, name + " is no table", remedy);
    }
    for (const auto& [key, value] : *table) {
      const auto text = text_of(value);
      if (!text) {
        return wrong(file_, &value, name + "." + std::string(key.str()) + " is no text",
                     "quote it");
      }
      add(flag, std::string(key.str()) + "=" + *text);
    }
    return {};
  }

  base::Status read_kernel(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return wrong(file_, &node, "kernel is no table", "write [kernel] and its keys below");
    }
    for (const auto& [key, value] : *table) {
      const std::string name(key.str());
      const base::Status status = name == "args" && value.is_array()
                                      ? read_arguments(*value.as_array())
                                      : read_flag(kernel_keys, name, name, value);
      if (!status.ok()) {
        return status;
      }
    }
    return {};
  }

  /// { i32 = 7 }, { in = "x.f32" }, { inout = "x.f32", to = "y.f32" }, { out = "y", size = "4KiB" }
  base::Status read_arguments(const toml::array& list) {
    for (const toml::node& item : list) {
      const toml::table* table = item.as_table();
      std::string argument;
      std::string target;
      for (const auto& [key, value] : table ? *table : toml::table{}) {
        const auto text = text_of(value);
        const bool is_target = key.str() == "to" || key.str() == "size";
        if (text) {
          (is_target ? target : argument) =
              is_target ? "=" + *text : std::string(key.str()) + ":" + *text;
        }
      }
      if (argument.empty()) {
        return wrong(
            file_, &item, "an argument is no table such as { i32 = 7 }",
            "write args = [{ i32 = 7 }, { in = \"x.f32\" }, { out = \"y\", size = 4096 }]");
      }
      add("arg", argument + target);
    }
    return {};
  }

  void add(const std::string& flag, const std::string& value) {
    words_.flags.push_back(flag_of(flag));
    words_.flags.push_back(value);
  }

  static std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) {
      all += (all.empty() ? "" : ",") + text;
    }
    return all;
  }

  const std::string& file_;
  JobWords words_;
};

/// Words of one line; nothing where a quote is not closed.
std::optional<std::vector<std::string>> split(std::string_view line) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = '\0';
  for (const char c : line) {
    if (quote != '\0') {
      c == quote ? void(quote = '\0') : void(word->push_back(c));
    } else if (c == '\'' || c == '"') {
      quote = c;
      word = word.value_or("");
    } else if (c == ' ' || c == '\t' || c == '\r') {
      if (word) {
        words.push_back(*std::exchange(word, std::nullopt));
      }
    } else {
      word = word.value_or("") + c;
    }
  }
  if (word) {
    words.push_back(*word);
  }
  return quote == '\0' ? std::optional(words) : std::nullopt;
}

}  // namespace

base::Result<JobWords> words_of_toml(const std::string& file, std::string_view text) {
  try {
    return TomlReader(file).read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                       file + ":" + std::to_string(error.source().begin.line) + ": " +
                           std::string(error.description()),
                       "it must be TOML: name = \"train\""};
  }
}

base::Result<std::vector<std::string>> words_of_script(const std::string& file,
                                                       std::string_view text) {
  static constexpr std::string_view mark = "#FASTGPU";
  std::vector<std::string> words;
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    if (!line.starts_with('#')) {
      break;
    }
    const bool ours =
        line.starts_with(mark) &&
        (line.size() == mark.size() || line[mark.size()] == ' ' || line[mark.size()] == '\t');
    if (!ours) {
      continue;
    }
    const auto more = split(line.substr(mark.size()));
    if (!more) {
      return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                         file + ":" + std::to_string(number) + ": a quote is not closed",
                         "close it on the same line"};
    }
    words.insert(words.end(), more->begin(), more->end());
  }
  return words;
}

}  // namespace fastgpu::cli
