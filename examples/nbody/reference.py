#!/usr/bin/python3 -B
"""The molecular dynamics of nbody.cpp in NumPy alone: same crystal, same steps, no FastGPU.

Prints the energies after the last step, as the last line of the program's table has to show them.
"""

import argparse

import numpy as np

CELLS, DENSITY, TEMPERATURE, TIME_STEP, CUTOFF = 4, 0.8442, 1.456, 0.004, 2.5
ATOMS = 4 * CELLS**3
BOX = (ATOMS / DENSITY) ** (1 / 3)


def uniform_numbers(count, state=20261122):
    """Numbers in [-1, 1): the linear congruential generator of Numerical Recipes."""
    numbers = np.empty(count)
    for index in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        numbers[index] = state / 2**31 - 1
    return numbers


def crystal():
    """Positions and velocities at the start, each of shape (ATOMS, 3)."""
    corners = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cells = np.stack(np.meshgrid(*[np.arange(CELLS)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    positions = (cells + corners).reshape(-1, 3) * (BOX / CELLS)
    velocities = uniform_numbers(3 * ATOMS).reshape(-1, 3)
    velocities -= velocities.mean(axis=0)
    return positions, velocities * np.sqrt(TEMPERATURE * (3 * ATOMS - 3) / (velocities**2).sum())


def lennard_jones(distance):
    """The force and the energy of a pair without the shift."""
    return (48 * distance**-13 - 24 * distance**-7, 4 * (distance**-12 - distance**-6))


def forces(positions):
    """The force on each atom, and the potential energy; each pair is computed once."""
    first, second = np.triu_indices(ATOMS, 1)
    away = positions[first] - positions[second]
    away -= BOX * np.rint(away / BOX)
    distance = np.sqrt((away**2).sum(axis=1))
    near = distance < CUTOFF
    first, second, away, distance = first[near], second[near], away[near], distance[near]
    force, energy = lennard_jones(distance)
    force_at_cutoff, energy_at_cutoff = lennard_jones(CUTOFF)
    vectors = ((force - force_at_cutoff) / distance)[:, None] * away
    total = np.zeros_like(positions)
    np.add.at(total, first, vectors)
    np.add.at(total, second, -vectors)
    return total, (energy - energy_at_cutoff + (distance - CUTOFF) * force_at_cutoff).sum()


def simulate(steps):
    """Positions, velocities and the potential energy after `steps`."""
    positions, velocities = crystal()
    force, potential = forces(positions)
    for _ in range(steps):
        velocities = velocities + TIME_STEP / 2 * force
        positions = positions + TIME_STEP * velocities
        force, potential = forces(positions)
        velocities = velocities + TIME_STEP / 2 * force
    return positions, velocities, potential


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    _, velocities, potential = simulate(parser.parse_args().steps)
    print(f"numpy: kinetic {(velocities**2).sum() / 2:.4f}, potential {potential:.4f}")


if __name__ == "__main__":
    main()
