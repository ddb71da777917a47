#pragma once

/// The jobs over the shards of a table, and what their sums amount to: moments by group, and two
/// regressions. Each function runs one job or several in its session, and throws as that does.

#include <array>
#include <cstddef>
#include <vector>

#include "examples/csv/algebra.hpp"
#include "examples/csv/table.hpp"
#include "examples/support/session.hpp"

namespace csv {

using GroupMoments = std::array<std::array<Moments, measures.size()>, species.size()>;

struct LinearFit : Fit {
  double r_squared{};
};
struct LogisticFit : Fit {
  double log_likelihood{};
  double right{};  ///< rows whose answer the fit finds likelier than the other one
  std::size_t steps{};
};

/// The rows of one table, cut into shards, on one cluster.
class Fitter {
 public:
  Fitter(examples::Session& session, const Table& table, std::size_t shard_count)
      : session_(session), row_total_(table.rows()), shards_(cut(table, shard_count)) {}

  std::size_t shard_count() const { return shards_.rows.size(); }
  GroupMoments summarise();
  /// The last measure by those before it, by least squares.
  LinearFit fit_mass(const AllMoments& all);
  /// The chance that a penguin is male by all measures, by maximum likelihood.
  LogisticFit fit_male(const AllMoments& all);

 private:
  /// Runs a kernel over all shards, a thread for each of width x height sums; the task's outputs.
  std::vector<std::vector<double>> run(const std::string& kernel, std::size_t width,
                                       std::size_t height, std::size_t sums,
                                       const std::vector<std::vector<double>>& inputs);
  std::vector<double> run_and_add(const std::string& kernel, std::size_t width, std::size_t height,
                                  std::size_t sums, const std::vector<std::vector<double>>& inputs);

  examples::Session& session_;
  std::size_t row_total_;
  Shards shards_;
};

AllMoments all_groups(const GroupMoments& groups);

}  // namespace csv
