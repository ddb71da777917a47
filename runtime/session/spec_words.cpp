#include "runtime/session/spec_words.hpp"

#include <algorithm>
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

}  // namespace fastgpu::session
