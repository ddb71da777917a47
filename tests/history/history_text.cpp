#include "tests/history/history_text.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace fastgpu::history {
namespace {

using nlohmann::json;

constexpr std::array call_words{"submit", "cancel", "read"};
constexpr std::array answer_words{"ok", "fail", "unknown"};
constexpr std::array kind_words{"kernel", "command"};
constexpr std::array moment_words{"start", "alive", "end"};

template <class Enum, class Words>
const char* word(Enum value, const Words& words) {
  return words.at(static_cast<std::size_t>(value));
}
template <class Enum, class Words>
Enum value_of(const json& field, const Words& words) {
  const auto text = field.get<std::string>();
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (text == words[i]) {
      return static_cast<Enum>(i);
    }
  }
  throw std::invalid_argument("'" + text + "' is no word for it");
}

json to_json(const TaskRecord& it) {
  return json{it.task, it.state, it.attempt, it.node, it.content};
}
json to_json(const JobView& it) {
  json ended = json::array();
  for (const TaskRecord& record : it.ended) {
    ended.push_back(to_json(record));
  }
  return {{"job", it.job}, {"key", it.key}, {"tasks", it.tasks}, {"ended", std::move(ended)}};
}
JobView view_of(const json& it) {
  JobView view{it.at("job"), it.at("key"), it.at("tasks"), {}};
  for (const json& record : it.at("ended")) {
    view.ended.push_back({record.at(0), record.at(1), record.at(2), record.at(3), record.at(4)});
  }
  return view;
}

json to_json(const Invoke& it) {
  json line{{"at", it.at},
            {"what", "invoke"},
            {"op", it.op},
            {"client", it.client},
            {"call", word(it.call, call_words)}};
  if (it.call == Call::submit) {
    line.update({{"key", it.key},
                 {"kind", word(it.kind, kind_words)},
                 {"tasks", it.tasks},
                 {"value", it.value}});
  } else {
    line["job"] = it.job;
  }
  return line;
}
json to_json(const Return& it) {
  json line{
      {"at", it.at}, {"what", "return"}, {"op", it.op}, {"answer", word(it.answer, answer_words)}};
  if (it.job != 0) {
    line["job"] = it.job;
  }
  if (!it.error.empty()) {
    line["error"] = it.error;
  }
  if (it.view.job != 0) {
    line["view"] = to_json(it.view);
  }
  return line;
}
json to_json(const Execution& it) {
  json line{{"at", it.at},           {"what", word(it.moment, moment_words)},
            {"job", it.job},         {"task", it.task},
            {"attempt", it.attempt}, {"node", it.node}};
  if (it.moment == Moment::end) {
    line["content"] = it.content;
  }
  return line;
}
json to_json(const NodeSays& it) {
  return {{"at", it.at}, {"what", "says"}, {"node", it.node}, {"view", to_json(it.view)}};
}
json to_json(const Mark& it) {
  return {{"at", it.at}, {"what", "mark"}, {"mark", it.what}, {"text", it.text}};
}

Invoke invoke_of(const json& it) {
  Invoke invoke;
  invoke.at = it.at("at");
  invoke.op = it.at("op");
  invoke.client = it.at("client");
  invoke.call = value_of<Call>(it.at("call"), call_words);
  if (invoke.call == Call::submit) {
    invoke.key = it.at("key");
    invoke.kind = value_of<Kind>(it.at("kind"), kind_words);
    invoke.tasks = it.at("tasks");
    invoke.value = it.at("value");
  } else {
    invoke.job = it.at("job");
  }
  return invoke;
}
Return return_of(const json& it) {
  return {it.at("at"),
          it.at("op"),
          value_of<Answer>(it.at("answer"), answer_words),
          it.value("job", std::uint64_t{}),
          it.value("error", std::string()),
          it.contains("view") ? view_of(it["view"]) : JobView{}};
}
Execution execution_of(const json& it) {
  return {it.at("at"),
          value_of<Moment>(it.at("what"), moment_words),
          it.at("job"),
          it.at("task"),
          it.at("attempt"),
          it.at("node"),
          it.value("content", std::string())};
}

Entry entry_of(const json& it) {
  const std::string what = it.at("what");
  if (what == "invoke") {
    return invoke_of(it);
  }
  if (what == "return") {
    return return_of(it);
  }
  if (what == "says") {
    return NodeSays{it.at("at"), it.at("node"), view_of(it.at("view"))};
  }
  if (what == "mark") {
    return Mark{it.at("at"), it.at("mark"), it.at("text")};
  }
  return execution_of(it);
}

base::Error bad_line(const std::string& why) {
  return {base::ErrorKind::invalid, base::ErrorCode::corrupt, "no line of a history: " + why, ""};
}

}  // namespace

std::string to_line(const Entry& entry) {
  return std::visit([](const auto& it) { return to_json(it); }, entry)
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

base::Result<Entry> parse_line(std::string_view line) {
  const json it = json::parse(line, nullptr, false);
  if (!it.is_object()) {
    return bad_line("it is no JSON object");
  }
  try {
    return entry_of(it);
  } catch (const std::exception& error) {  // of the JSON library, or of value_of
    return bad_line(error.what());
  }
}

base::Result<History> parse(std::string_view text, const std::string& name) {
  History history;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) {
      continue;
    }
    base::Result<Entry> entry = parse_line(line);
    if (!entry.ok()) {
      base::Error error = entry.error();
      error.message = name + ", line " + std::to_string(number) + ": " + error.message;
      return error;
    }
    history.push_back(std::move(entry).value());
  }
  return history;
}

}  // namespace fastgpu::history
