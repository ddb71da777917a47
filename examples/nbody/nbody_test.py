#!/usr/bin/python3 -B
"""The nbody example against physics and NumPy: nbody_test.py PROGRAMS [Test.test_case...]"""

import pathlib
import re
import sys

import numpy as np
import reference

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import example_test  # noqa: E402

STEPS = 100
ROW = re.compile(r"^(\d+) +([\d.]+) +([\d.]+) +(-[\d.]+) +(-[\d.]+) +(\S+) +(\S+)$", re.M)


class Test(example_test.ExampleTest):
    def test_conserves_energy_and_momentum_and_goes_the_way_that_numpy_goes(self):
        xyz = self.folder / "argon.xyz"
        output = self.run_example("nbody", "--steps", STEPS, "--xyz", xyz)
        rows = [[float(value) for value in row] for row in ROW.findall(output)]
        self.assertEqual(11, len(rows), output)
        for _, _, kinetic, potential, total, drift, momentum in rows:
            self.assertAlmostEqual(total, kinetic + potential, delta=2e-4)
            self.assertLess(abs(drift), 5e-4, output)
            self.assertLess(momentum, 1e-11, output)
        drift = float(re.search(r"largest drift .*: (\S+) of it", output)[1])
        self.assertLess(drift, 5e-4, output)
        # Velocity Verlet lets the energy tremble with the square of the time step, but not drift.
        self.assertLess(abs(rows[-1][5]), 5e-5, output)
        self.assertLess(rows[-1][1], 0.7 * rows[0][1], "melting takes its energy from the motion")

        # Atoms that collide part at a rate, and an error of rounding with them: over so few steps
        # by a factor of hundreds, from 1e-15.
        positions, velocities, potential = reference.simulate(STEPS)
        frames = xyz.read_text().splitlines()
        self.assertEqual(11 * (reference.ATOMS + 2), len(frames))
        last = np.array([line.split()[1:] for line in frames[-reference.ATOMS :]], float)
        np.testing.assert_allclose(last, positions, rtol=0, atol=1e-9)
        self.assertAlmostEqual(rows[-1][2], (velocities**2).sum() / 2, delta=1e-4)
        self.assertAlmostEqual(rows[-1][3], potential, delta=1e-4)
        for node in example_test.NODES:
            self.assertRegex(output, rf"(?m)^{node} +0 +\d+$")


if __name__ == "__main__":
    example_test.main()
