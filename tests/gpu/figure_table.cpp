#include "tests/gpu/figure_table.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace fastgpu::gpu_report {
namespace {

std::string number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f" : value < 1000 ? "%.1f" : "%.0f", value);
  return text;
}

std::string quoted(const std::string& text) {
  std::string made = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      made += '\\';
    made += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return made + '"';
}

}  // namespace

void FigureTable::add(Figure figure) {
  std::string verdict;
  if (figure.goal) {
    const bool met =
        figure.better == Better::less ? figure.value <= *figure.goal : figure.value >= *figure.goal;
    verdict = std::string(met ? "met" : "missed") + ": goal " +
              (figure.better == Better::less ? "at most " : "at least ") + number(*figure.goal);
  }
  rows_.push_back({std::move(figure.what), number(figure.value) + " " + figure.unit, verdict});
}

void FigureTable::say(std::string what, std::string answer) {
  rows_.push_back({std::move(what), std::move(answer), ""});
}

void FigureTable::fail(std::string what, std::string why) {
  ++failures_;
  why.erase(why.find_last_not_of(" \n") + 1);
  std::replace(why.begin(), why.end(), '\n', ' ');
  rows_.push_back({std::move(what), std::move(why), "NOT MEASURED"});
}

void FigureTable::print(bool json) const {
  std::size_t widest_what = 0;
  std::size_t widest_answer = 0;
  for (const Row& row : rows_) {
    widest_what = std::max(widest_what, row.what.size());
    widest_answer = std::max(widest_answer, std::min<std::size_t>(row.answer.size(), 40));
  }
  for (const Row& row : rows_) {
    if (json)
      std::printf("{\"what\": %s, \"answer\": %s, \"verdict\": %s}\n", quoted(row.what).c_str(),
                  quoted(row.answer).c_str(), quoted(row.verdict).c_str());
    else
      std::printf("%-*s  %-*s  %s\n", static_cast<int>(widest_what), row.what.c_str(),
                  static_cast<int>(widest_answer), row.answer.c_str(), row.verdict.c_str());
  }
}

double quantile(std::vector<double> values, double part) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size()));
  return values[std::min(values.size() - 1, at)];
}

double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

}  // namespace fastgpu::gpu_report
