#!/usr/bin/python3 -B
"""The csv example against NumPy: csv_test.py PROGRAMS [Test.test_case...]"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import example_test  # noqa: E402
import reference  # noqa: E402


class Test(example_test.ExampleTest):
    def test_every_mean_and_coefficient_is_as_numpy_has_it(self):
        expected = reference.everything()
        self.assertEqual(3 * 9 + 2 * 4 + 1 + 2 * 5 + 2, len(expected))
        for shards in (8, 1, 47):
            saved = self.folder / "values.csv"
            output = self.run_example("csv", "--shards", shards, "--save", saved)
            lines = saved.read_text().splitlines()[1:]
            found = {name: float(value) for name, value in (line.split(",") for line in lines)}
            self.assertEqual(expected.keys(), found.keys())
            for name, value in expected.items():
                self.assertLess(abs(found[name] / value - 1), 1e-9, f"{name}, {shards} shards")
            self.assertIn("333 penguins", output)
            if shards == 8:
                for node in example_test.NODES:
                    self.assertRegex(output, rf"(?m)^{node} +0 +\d+$")


if __name__ == "__main__":
    example_test.main()
