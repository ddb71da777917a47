#pragma once

/// The figures of one device, as they come, and the table in which they are shown.
///
/// A figure has a goal where the project set itself one; missing a goal is shown, not an error: the
/// machine may be busy. What could not be measured at all is an error.

#include <optional>
#include <string>
#include <vector>

namespace fastgpu::gpu_report {

enum class Better : unsigned char { less, more };

struct Figure {
  std::string what;
  double value{};
  std::string unit;
  std::optional<double> goal{};
  Better better{Better::less};
};

class FigureTable {
 public:
  void add(Figure figure);
  /// Something that is so, and no number.
  void say(std::string what, std::string answer);
  /// Something that was asked and could not be answered.
  void fail(std::string what, std::string why);

  bool complete() const { return failures_ == 0; }
  /// Aligned columns for people, or one line of JSON for each row.
  void print(bool json) const;

 private:
  struct Row {
    std::string what;
    std::string answer;
    std::string verdict;
  };
  std::vector<Row> rows_;
  int failures_{0};
};

/// The middle one of the values; 0 of none.
double median(std::vector<double> values);
/// The value below which `part` of them lie.
double quantile(std::vector<double> values, double part);

}  // namespace fastgpu::gpu_report
