#!/usr/bin/python3 -B
"""The photo example against NumPy, pixel by pixel: photo_test.py PROGRAMS [Test.test_case...]"""

import pathlib
import sys

import numpy as np
import reference

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import example_test  # noqa: E402


class Test(example_test.ExampleTest):
    def test_each_pixel_is_as_numpy_has_it(self):
        result = self.folder / "edges.pgm"
        output = self.run_example(HERE / "photo.sh", HERE / "data" / "camera.pgm", result)
        photo = reference.read_pgm(HERE / "data" / "camera.pgm")
        edges = reference.read_pgm(result)
        np.testing.assert_array_equal(edges, reference.all_filters(photo))
        self.assertGreater(np.mean(edges > 64), 0.05, "a photograph has edges")
        self.assertEqual(3, output.count("6 succeeded of 6"), output)
        self.assertEqual([result], [*self.folder.glob("*.pgm"), *self.folder.glob("tmp.*")])

        # Sides that neither the tasks nor the blocks divide evenly.
        odd, odd_result = self.folder / "odd.pgm", self.folder / "odd-edges.pgm"
        reference.write_pgm(odd, photo[100:201, 50:137])
        self.run_example(HERE / "photo.sh", odd, odd_result)
        expected = reference.all_filters(photo[100:201, 50:137])
        np.testing.assert_array_equal(reference.read_pgm(odd_result), expected)


if __name__ == "__main__":
    example_test.main()
