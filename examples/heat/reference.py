#!/usr/bin/python3 -B
"""The plate of heat.cpp in NumPy alone: same grid, same start, same steps, no FastGPU.

Prints the two numbers that the last line of the program's table has to show.
"""

import argparse

import numpy as np

INNER = 120
SIDE = INNER + 2
SPACING = 1 / (SIDE - 1)
RATIO = 0.2
STEPS_PER_JOB = 20


def start():
    """A ring and a disc of temperature 1 on a cold plate."""
    place = np.arange(SIDE) * SPACING - 0.45
    square = place[:, None] ** 2 + place[None, :] ** 2
    plate = ((square < 0.1**2) | ((square > 0.25**2) & (square < 0.32**2))).astype(float)
    plate[[0, -1], :] = plate[:, [0, -1]] = 0
    return plate


def advance(plate, steps):
    now = plate.copy()
    for _ in range(steps):
        around = now[:-2, 1:-1] + now[2:, 1:-1] + now[1:-1, :-2] + now[1:-1, 2:]
        now[1:-1, 1:-1] += RATIO * (around - 4 * now[1:-1, 1:-1])
    return now


def slowest_mode(plate):
    sine = np.sin(np.pi * np.arange(SIDE) * SPACING)
    return 4 * SPACING**2 * (sine @ plate @ sine)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=60)
    plate = advance(start(), parser.parse_args().jobs * STEPS_PER_JOB)
    print(f"numpy: hottest {plate.max():.5f}, slowest mode {slowest_mode(plate):.8f}")


if __name__ == "__main__":
    main()
