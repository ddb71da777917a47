#!/usr/bin/python3 -B
"""The heat example against theory and NumPy: heat_test.py PROGRAMS [Test.test_case...]"""

import pathlib
import re
import sys

import numpy as np
import reference

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import example_test  # noqa: E402

ROW = re.compile(r"^(\d+) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+) +(\S+)$", re.M)


class Test(example_test.ExampleTest):
    def run_heat(self, *options):
        self.field = self.folder / "field.f64"
        return self.run_example(
            "heat", "--pictures", self.folder, "--field", self.field, *options
        )

    def last_field(self):
        return np.fromfile(self.field).reshape(reference.SIDE, reference.SIDE)

    def test_a_sine_mode_decays_as_the_theory_says(self):
        output = self.run_heat()
        rows = [[float(value) for value in row] for row in ROW.findall(output)]
        self.assertEqual(11, len(rows), output)
        for _, time, _, mode, theory, _ in rows:
            # The grid's own error: at most pi^4 t h^2 / 3, here 6e-5.
            self.assertLess(abs(mode / theory - 1), 1e-4, output)
            self.assertLess(abs(theory / rows[0][3] / np.exp(-2 * np.pi**2 * time) - 1), 1e-3)
        self.assertLess(rows[-1][3], 0.8 * rows[0][3], "it has to decay visibly")
        for node in example_test.NODES:
            self.assertRegex(output, rf"(?m)^{node} +0 +\d+$")

    def test_every_cell_and_every_pixel_is_as_numpy_has_it(self):
        expected = reference.advance(reference.start(), 8 * reference.STEPS_PER_JOB)
        for bands in (6, 5):
            self.run_heat("--jobs", "8", "--bands", bands)
            np.testing.assert_allclose(self.last_field(), expected, rtol=0, atol=1e-13)
        content = (self.folder / "heat-000160.ppm").read_bytes()
        header = b"P6\n122 122\n255\n"
        self.assertEqual(header, content[: len(header)])
        pixels = np.frombuffer(content[len(header) :], np.uint8).reshape(122, 122, 3)
        shades = 255 * np.clip(3 * expected[:, :, None] - np.arange(3), 0, 1)
        np.testing.assert_allclose(pixels, shades, rtol=0, atol=0.5 + 1e-9)


if __name__ == "__main__":
    example_test.main()
