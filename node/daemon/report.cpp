#include "node/daemon/report.hpp"

#include <array>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "client/error_words.hpp"
#include "node/daemon/clock.hpp"

namespace fastgpu::node {

int report(const base::Error& error, bool as_json) {
  std::cerr << "error[" << client::code_text(error.code) << "]: " << error.message << "\n";
  if (!error.hint.empty()) {
    std::cerr << "  hint: " << error.hint << "\n";
  }
  if (as_json) {
    const nlohmann::ordered_json document{
        {"schema", "fastgpu.error/1"},
        {"as_of", time_now()},
        {"source", nullptr},
        {"stale", false},
        {"error",
         {{"code", client::code_text(error.code)},
          {"kind", client::kind_word(error)},
          {"message", error.message},
          {"hint", error.hint},
          {"outcome_unknown", error.kind == base::ErrorKind::unknown},
          {"docs", "docs/errors.md#" + client::anchor_of(error.code)}}}};
    std::cout << document.dump(2) << std::endl;
  }
  return client::exit_code(error);
}

int start_exit_code(const base::Error& error) {
  const int code = client::exit_code(error);
  return error.kind == base::ErrorKind::invalid || code == 2 || code == 5 ? exit_bad_configuration
                                                                          : code;
}

std::string time_now() {
  const base::WallTimeMs now = wall_time();
  const std::time_t seconds = now / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t end = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + end, text.size() - end, ".%03dZ", static_cast<int>(now % 1000));
  return text.data();
}

}  // namespace fastgpu::node
