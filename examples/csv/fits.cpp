#include "examples/csv/fits.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace csv {
namespace {

std::vector<double> scale_of(const AllMoments& all) {
  std::vector<double> scale;
  for (const Moments& moments : all) {
    scale.insert(scale.end(), {moments.mean, moments.deviation()});
  }
  return scale;
}

}  // namespace

AllMoments all_groups(const GroupMoments& groups) {
  AllMoments all;
  for (const auto& group : groups) {
    for (std::size_t measure = 0; measure < measures.size(); ++measure) {
      all[measure].add(group[measure]);
    }
  }
  return all;
}

std::vector<std::vector<double>> Fitter::run(const std::string& kernel, std::size_t width,
                                             std::size_t height, std::size_t sums,
                                             const std::vector<std::vector<double>>& inputs) {
  auto spec = session_.job(kernel);
  spec.grid(1).block(static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height));
  spec.tasks(static_cast<std::uint32_t>(shards_.rows.size())).in_each(shards_.rows);
  for (const auto& input : inputs) {
    spec.in(input);
  }
  spec.out(sums * sizeof(double)).arg_text(fastgpu::Scalar::i32, "{}");
  spec.arg(static_cast<std::int32_t>(shards_.rows_each));
  spec.arg(static_cast<std::int32_t>(row_total_));
  std::vector<std::vector<double>> results;
  for (const auto& outputs : session_.run(spec)) {
    results.push_back(outputs.at(0).as<double>());
  }
  return results;
}

std::vector<double> Fitter::run_and_add(const std::string& kernel, std::size_t width,
                                        std::size_t height, std::size_t sums,
                                        const std::vector<std::vector<double>>& inputs) {
  std::vector<double> total(sums);
  for (const auto& part : run(kernel, width, height, sums, inputs)) {
    std::transform(part.begin(), part.end(), total.begin(), total.begin(), std::plus<>());
  }
  return total;
}

GroupMoments Fitter::summarise() {
  GroupMoments groups;
  const std::size_t sums = species.size() * measures.size() * 3;
  for (const auto& part : run("summarise", measures.size(), species.size(), sums, {})) {
    const double* at = part.data();
    for (auto& group : groups) {
      for (auto& moments : group) {
        moments.add({at[0], at[1], at[2]});
        at += 3;
      }
    }
  }
  return groups;
}

LinearFit Fitter::fit_mass(const AllMoments& all) {
  const std::size_t size = measures.size();  // the constant, and all measures but the last
  const auto sums = run_and_add("linear_sums", size + 1, size, size * (size + 1), {scale_of(all)});
  Equations equations = solve(sums, size);
  // The standardised target has the sum of squares n - 1, and this part of it is explained.
  const auto rows = static_cast<double>(row_total_);
  const double explained = std::inner_product(equations.solution.begin(), equations.solution.end(),
                                              equations.right_side.begin(), 0.0);
  const double variance = (rows - 1 - explained) / (rows - static_cast<double>(size));
  for (auto& row : equations.inverse_matrix) {
    for (double& value : row) {
      value *= variance;
    }
  }
  const Moments& mass = all.back();
  return {unscaled(equations.solution, equations.inverse_matrix, all, mass.mean, mass.deviation()),
          explained / (rows - 1)};
}

LogisticFit Fitter::fit_male(const AllMoments& all) {
  constexpr std::size_t step_limit = 30;
  const std::size_t size = measures.size() + 1;
  std::vector<double> weights(size);
  for (std::size_t step = 1; step <= step_limit; ++step) {
    const auto sums = run_and_add("logistic_sums", size + 1, size, size * (size + 1) + 2,
                                  {scale_of(all), weights});
    const Equations equations = solve(sums, size);
    double largest = 0;
    for (std::size_t i = 0; i < size; ++i) {
      weights[i] += equations.solution[i];
      largest = std::max(largest, std::abs(equations.solution[i]));
    }
    // Newton's method squares the error: the step after this one would be at the last digit.
    if (largest < 1e-8) {
      return {unscaled(weights, equations.inverse_matrix, all, 0, 1), sums[size * (size + 1)],
              sums[size * (size + 1) + 1], step};
    }
  }
  throw std::runtime_error("no finite weights are the likeliest: the measures tell all apart");
}

}  // namespace csv
