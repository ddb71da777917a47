#!/usr/bin/python3 -B
"""scripts/sim finds a rule that is broken on purpose, and its replay line shows it again."""

import pathlib
import re
import shlex
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = sys.argv.pop(1)


def run(*words):
    done = subprocess.run([str(ROOT / "scripts" / "sim"), *words, "--program", PROGRAM],
                          capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout


class SimTest(unittest.TestCase):
    def test_goes_on_from_the_seed_and_says_what_took_place(self):
        code, text = run("--seconds", "2", "--seed", "1", "--jobs", "1")
        self.assertEqual(code, 0, text)
        self.assertIn("no rule was broken", text)
        self.assertRegex(text, r"[0-9.]+ virtual hours")
        for word in ("histories", "crashes", "elections", "jobs accepted", "jobs lost"):
            self.assertRegex(text, rf"(?m)^ +[0-9]+ {word}$")

    def test_finds_a_planted_fault_and_replays_it(self):
        code, text = run("--seconds", "300", "--seed", "1", "--jobs", "1", "--plant")
        self.assertEqual(code, 1, text)
        line = re.search(r"replay it: scripts/sim (--replay [0-9]+ .*--plant)", text)
        self.assertIsNotNone(line, text)
        broken = [each for each in text.splitlines() if each.startswith("  n")]
        code, again = run(*shlex.split(line.group(1)))
        self.assertEqual(code, 1, again)
        self.assertIn(broken[0], again)


if __name__ == "__main__":
    unittest.main()
