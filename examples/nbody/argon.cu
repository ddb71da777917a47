// The forces between argon atoms. Each task computes those on one block of the atoms, a thread for
// each atom, which adds up what all the other atoms do to it: every pair is computed twice, once
// for each of its two atoms, so that no thread ever writes what another one writes.
//
// Units are those of the pair: the depth of its energy, the distance where it is zero, the atom's
// mass. The energy of a pair (Lennard-Jones) is 4 (r^-12 - r^-6). Beyond `cutoff` it counts as
// nothing; and the force is shifted to reach zero just there, because energy is conserved only if
// no atom feels a jump.

constexpr double cutoff = 2.5;

// -dV/dr and V without the shift, at the square of a distance.
__device__ void lennard_jones(double square, double* force, double* energy) {
  const double inverse_6 = 1.0 / (square * square * square);
  *force = 24.0 * inverse_6 * (2.0 * inverse_6 - 1.0) / sqrt(square);
  *energy = 4.0 * inverse_6 * (inverse_6 - 1.0);
}

// positions[atom_count][3]; result[block_atoms][4]: the force on each atom of the task's block,
// then the half of its pairs' energy that is its own. The box repeats itself in all directions, and
// of an atom's images only the nearest counts, for which `box` is at least two cutoffs long.
__global__ void forces(const double* positions, double* result, int task, int block_atoms,
                       int atom_count, double box) {
  const int mine = blockIdx.x * blockDim.x + threadIdx.x;
  const int atom = task * block_atoms + mine;
  if (mine >= block_atoms || atom >= atom_count) {
    return;
  }
  double force_at_cutoff;
  double energy_at_cutoff;
  lennard_jones(cutoff * cutoff, &force_at_cutoff, &energy_at_cutoff);

  double sum[4] = {0.0, 0.0, 0.0, 0.0};
  for (int other = 0; other < atom_count; ++other) {
    double away[3];
    double square = 0.0;
    for (int i = 0; i < 3; ++i) {
      const double distance = positions[atom * 3 + i] - positions[other * 3 + i];
      away[i] = distance - box * rint(distance / box);
      square += away[i] * away[i];
    }
    if (other == atom || square >= cutoff * cutoff) {
      continue;
    }
    double force;
    double energy;
    lennard_jones(square, &force, &energy);
    const double distance = sqrt(square);
    for (int i = 0; i < 3; ++i) {
      sum[i] += (force - force_at_cutoff) * away[i] / distance;
    }
    sum[3] += 0.5 * (energy - energy_at_cutoff + (distance - cutoff) * force_at_cutoff);
  }
  for (int i = 0; i < 4; ++i) {
    result[mine * 4 + i] = sum[i];
  }
}
