#!/usr/bin/python3 -B
"""The words example against counting in one place: words_test.py PROGRAMS [Test.test_case...]"""

import collections
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import example_test  # noqa: E402


class Test(example_test.ExampleTest):
    def test_all_files_are_counted_once(self):
        files = sorted(example_test.ROOT.glob("*/README.md"))
        self.assertGreater(len(files), 5)
        output = self.run_example(HERE / "words.sh", *files)

        total = collections.Counter()
        for file in files:
            total.update(re.findall(r"[a-z]+", file.read_text(encoding="utf-8").lower()))
        expected = sorted(total.items(), key=lambda item: (-item[1], item[0]))[:20]
        shown = re.findall(r"^ *(\d+) ([a-z]+)$", output, re.M)
        self.assertEqual(expected, [(word, int(count)) for count, word in shown])
        # What each task printed, with the task in front.
        said = re.findall(r"^\[\d+ n\d\] \d+ words$", output, re.M)
        self.assertEqual(len(files), len(said), output)


if __name__ == "__main__":
    example_test.main()
