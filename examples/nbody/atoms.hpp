#pragma once

/// The atoms as the client holds them between jobs, and how velocity Verlet moves them. A value
/// without threads or files. reference.py starts from the same lattice and the same velocities.

#include <cstddef>
#include <string>
#include <vector>

namespace nbody {

struct Atoms {
  double box{};                   ///< its side; it repeats itself in all directions
  std::vector<double> positions;  ///< x, y, z of each atom; never folded back into the box
  std::vector<double> velocities;
  std::vector<double> forces;
  double potential{};

  std::size_t count() const { return positions.size() / 3; }
  double kinetic() const;
  /// In units of the pair's energy: 1 is 119.8 K for argon.
  double temperature() const;
  /// The length of the sum of all velocities; the mass is 1.
  double momentum() const;

  /// The half of a velocity Verlet step before the new forces are known, and the half after.
  void kick_and_drift(double time_step);
  void kick(double time_step);
  /// One frame of the XYZ format, which molecular viewers read.
  std::string frame(const std::string& comment) const;
};

/// 4 cells^3 atoms on a face-centred cubic lattice, with velocities of zero sum at `temperature`;
/// the forces are not known yet.
Atoms crystal(std::size_t cells, double density, double temperature);

}  // namespace nbody
