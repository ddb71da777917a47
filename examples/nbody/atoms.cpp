#include "examples/nbody/atoms.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numeric>

namespace nbody {
namespace {

/// Uniform in [-1, 1): the linear congruential generator of Numerical Recipes. Collisions turn the
/// velocities into Maxwell's distribution within some dozen steps.
class Numbers {
 public:
  double next() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<double>(state_) / 2147483648.0 - 1.0;
  }

 private:
  std::uint32_t state_{20261122};
};

double sum_of_squares(const std::vector<double>& values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
}

std::array<double, 3> sum(const std::vector<double>& vectors) {
  std::array<double, 3> sums{};
  for (std::size_t at = 0; at < vectors.size(); ++at) {
    sums[at % 3] += vectors[at];
  }
  return sums;
}

}  // namespace

double Atoms::kinetic() const {
  return sum_of_squares(velocities) / 2;
}

double Atoms::temperature() const {
  // The sum of all velocities is fixed, so three of the 3n directions hold no energy.
  return 2 * kinetic() / static_cast<double>(3 * count() - 3);
}

double Atoms::momentum() const {
  const auto sums = sum(velocities);
  return std::hypot(sums[0], sums[1], sums[2]);
}

void Atoms::kick_and_drift(double time_step) {
  kick(time_step);
  for (std::size_t at = 0; at < positions.size(); ++at) {
    positions[at] += time_step * velocities[at];
  }
}

void Atoms::kick(double time_step) {
  for (std::size_t at = 0; at < velocities.size(); ++at) {
    velocities[at] += time_step / 2 * forces[at];
  }
}

std::string Atoms::frame(const std::string& comment) const {
  std::string text = std::to_string(count()) + "\n" + comment + "\n";
  for (std::size_t atom = 0; atom < count(); ++atom) {
    std::array<char, 96> line{};
    const double* at = &positions[atom * 3];
    std::snprintf(line.data(), line.size(), "Ar %.12f %.12f %.12f\n", at[0], at[1], at[2]);
    text += line.data();
  }
  return text;
}

Atoms crystal(std::size_t cells, double density, double temperature) {
  const std::size_t count = 4 * cells * cells * cells;
  Atoms atoms;
  atoms.box = std::cbrt(static_cast<double>(count) / density);
  const double cell = atoms.box / static_cast<double>(cells);
  const double corners[4][3] = {{0, 0, 0}, {0, 0.5, 0.5}, {0.5, 0, 0.5}, {0.5, 0.5, 0}};
  for (std::size_t atom = 0; atom < count; ++atom) {
    const std::size_t at = atom / 4;
    const std::size_t place[3] = {at / (cells * cells), at / cells % cells, at % cells};
    for (std::size_t i = 0; i < 3; ++i) {
      atoms.positions.push_back(cell * (static_cast<double>(place[i]) + corners[atom % 4][i]));
    }
  }
  Numbers numbers;
  for (std::size_t at = 0; at < 3 * count; ++at) {
    atoms.velocities.push_back(numbers.next());
  }
  const auto sums = sum(atoms.velocities);
  for (std::size_t at = 0; at < 3 * count; ++at) {
    atoms.velocities[at] -= sums[at % 3] / static_cast<double>(count);
  }
  const double scale = std::sqrt(temperature / atoms.temperature());
  for (double& velocity : atoms.velocities) {
    velocity *= scale;
  }
  return atoms;
}

}  // namespace nbody
