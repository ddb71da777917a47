#include "runtime/session/spec_words.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/base/limits.hpp"

namespace fastgpu::session {

namespace limits = base::limits;

base::Error bad(base::ErrorCode code, std::string message, std::string hint) {
  return {base::ErrorKind::invalid, code, std::move(message), std::move(hint)};
}

base::Error bad_spec(std::string message, std::string hint) {
  return bad(base::ErrorCode::bad_job_spec, std::move(message), std::move(hint));
}

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

base::Status check_text(const char* what, const std::string& text) {
  if (text.size() > limits::name_bytes_max) {
    return bad(base::ErrorCode::too_large,
               std::string(what) + " has " + number(text.size()) + " bytes; at most " +
                   number(limits::name_bytes_max) + " are kept",
               "choose a shorter one");
  }
  return {};
}

bool is_identifier(const std::string& name) {
  const bool letters = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  return !name.empty() && letters && (name[0] < '0' || name[0] > '9');
}

base::Status check_data(const std::vector<protocol::Data>& data, const std::string& which,
                        std::uint32_t tasks) {
  if (data.size() != 1 && data.size() != tasks) {
    return bad(
        base::ErrorCode::bad_argument,
        which + " has data for " + number(data.size()) + " tasks; the job has " + number(tasks),
        "give one for all tasks, or one for each");
  }
  for (const protocol::Data& each : data) {
    const std::uint64_t size = size_of(each);
    const bool is_inline = std::holds_alternative<base::Bytes>(each);
    if (is_inline && size > limits::inline_data_bytes_max) {
      return bad(base::ErrorCode::too_large,
                 which + " holds " + number(size) + " bytes; at most " +
                     number(limits::inline_data_bytes_max) + " travel within a job",
                 "upload it as an object first");
    }
    if (size > limits::object_bytes_max) {
      return bad(base::ErrorCode::too_large,
                 which + " has " + number(size) + " bytes; an object has at most " +
                     number(limits::object_bytes_max),
                 "split it");
    }
  }
  return {};
}

std::uint64_t size_of(const protocol::Data& data) {
  const auto* bytes = std::get_if<base::Bytes>(&data);
  return bytes ? bytes->size() : std::get<protocol::ObjectRef>(data).size_bytes;
}

namespace {

bool is_label_name(const std::string& name) {
  static constexpr const char* letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
  return !name.empty() && name.find_first_not_of(letters) == std::string::npos;
}

base::Status check_label(const std::string& name, const std::string& value) {
  if (!is_label_name(name)) {
    return bad_spec("'" + name + "' is no name of a label",
                    "use letters, digits and _ - . /: --label stage=train");
  }
  if (name.size() > limits::label_name_bytes_max) {
    return bad(base::ErrorCode::too_large,
               "the name of the label '" + name + "' has " + number(name.size()) +
                   " bytes; at most " + number(limits::label_name_bytes_max) + " are kept",
               "choose a shorter one");
  }
  if (value.size() > limits::label_value_bytes_max) {
    return bad(base::ErrorCode::too_large,
               "the label '" + name + "' has a value of " + number(value.size()) +
                   " bytes; at most " + number(limits::label_value_bytes_max) + " are kept",
               "a label is a word to find jobs by: put long texts into an input");
  }
  const bool printable = std::none_of(value.begin(), value.end(), [](unsigned char letter) {
    return letter < 0x20 || letter == 0x7f;
  });
  if (!printable) {
    return bad_spec("the value of the label '" + name + "' holds a letter that cannot be printed",
                    "use letters, digits and signs");
  }
  return {};
}

}  // namespace

base::Status check_labels(const protocol::JobSpec& spec) {
  if (spec.labels.size() > limits::labels_max) {
    return bad(base::ErrorCode::too_large,
               "the job has " + number(spec.labels.size()) + " labels; at most " +
                   number(limits::labels_max) + " are kept",
               "leave out those by which nobody looks for jobs");
  }
  std::set<std::string> names;
  for (const auto& [name, value] : spec.labels) {
    if (const base::Status status = check_label(name, value); !status.ok()) {
      return status;
    }
    if (!names.insert(name).second) {
      return bad_spec("the label '" + name + "' is given twice", "give it once");
    }
  }
  return {};
}

base::Status check_items(const protocol::JobSpec& spec) {
  const protocol::TaskItems& items = spec.items;
  if (items == protocol::TaskItems{}) {
    return {};
  }
  std::uint64_t tasks = 0;
  std::uint64_t end = 0;
  for (const base::TaskRange& range : items.ranges) {
    if (range.count == 0 || range.first < end || range.end() > items.count) {
      return bad_spec("the tasks " + number(range.first) + " to " + number(range.end()) +
                          " of another job of " + number(items.count) +
                          " cannot be done again in this order",
                      "name each once, ascending, and only those that there are");
    }
    end = range.end();
    tasks += range.count;
  }
  if (items.ranges.size() > limits::task_item_ranges_max) {
    return bad(base::ErrorCode::too_large,
               "the tasks to do again lie in " + number(items.ranges.size()) + " pieces; at most " +
                   number(limits::task_item_ranges_max) + " are possible",
               "do all tasks again (fastgpu retry --all), or some at a time");
  }
  if (tasks != spec.tasks || items.count > limits::array_tasks_max) {
    return bad_spec("the job has " + number(spec.tasks) + " tasks and does again " + number(tasks) +
                        " of " + number(items.count),
                    "both numbers must be the same");
  }
  return {};
}

}  // namespace fastgpu::session
