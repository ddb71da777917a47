#!/usr/bin/python3 -B
"""The digits example keeps what the README says of it: digits_test.py PROGRAMS [TestCase...]

Runs demo.sh, that is three real nodes on this machine. PROGRAMS is the folder of built programs.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import uuid

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = None
DEADLINE_S = 240


class Demo:
    """One run of demo.sh in a temporary folder of its own, its processes marked by a variable."""

    def __init__(self, test, *options):
        self.temporary = tempfile.TemporaryDirectory(prefix="fastgpu-digits-test.")
        test.addCleanup(self.temporary.cleanup)
        self.mark = f"FASTGPU_DIGITS_TEST={uuid.uuid4()}"
        name, value = self.mark.split("=")
        environment = dict(os.environ, TMPDIR=self.temporary.name, **{name: value})
        self.process = subprocess.Popen(
            [HERE / "demo.sh", PROGRAMS, *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A test that runs in the background inherits an ignored SIGINT, which bash cannot trap.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def finish(self):
        """(exit code, standard output, standard error)"""
        output, errors = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, output, errors

    def leftovers(self):
        """What outlives the script: files of the temporary folder, and marked processes."""
        left = [path.name for path in pathlib.Path(self.temporary.name).iterdir()]
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self.mark.encode() in (entry / "environ").read_bytes():
                    left.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return left


def number(pattern, text):
    return float(re.search(pattern, text)[1])


class Digits(unittest.TestCase):
    def run_demo(self, *options):
        demo = Demo(self, *options)
        code, output, errors = demo.finish()
        self.assertEqual(0, code, output + errors)
        self.assertEqual([], demo.leftovers())
        return output

    def test_trains_as_well_as_numpy_on_all_three_nodes(self):
        output = self.run_demo()
        numpy = subprocess.run([HERE / "reference.py"], capture_output=True, text=True, check=True)
        accuracy = number(r"test accuracy ([\d.]+) %", output)
        self.assertGreaterEqual(accuracy, 95.0)
        expected = number(r"test accuracy ([\d.]+) %", numpy.stdout)
        self.assertLessEqual(abs(accuracy - expected), 0.5, output + numpy.stdout)
        tasks = {"n1": 0, "n2": 0, "n3": 0}
        for node, count in re.findall(r"^(n\d) +\d+ +(\d+)$", output, re.M):
            tasks[node] += int(count)
        self.assertEqual(61 * 12, sum(tasks.values()), output)
        for node, count in tasks.items():
            self.assertGreaterEqual(count, 61 * 12 / 10, f"{node} did too little: {output}")

    def test_a_changed_constant_in_the_kernel_changes_the_answer(self):
        with tempfile.TemporaryDirectory() as folder:
            source = (HERE / "digits.cu").read_text()
            changed = source.replace("pixel_scale = 1.0f / 16.0f", "pixel_scale = 1.0f / 8.0f")
            self.assertNotEqual(source, changed)
            path = pathlib.Path(folder) / "changed.cu"
            path.write_text(changed)
            usual = self.run_demo("--steps", "1")
            other = self.run_demo("--steps", "1", "--kernel-file", str(path))
        loss = r"step   1  loss ([\d.]+)"
        self.assertGreater(abs(number(loss, usual) - number(loss, other)), 0.01, usual + other)

    def interrupt(self, signal_number):
        demo = Demo(self, "--steps", "10000")
        for line in demo.process.stdout:
            if line.startswith("step"):
                break
        demo.process.send_signal(signal_number)
        code, output, errors = demo.finish()
        self.assertEqual(128 + signal_number, code, output + errors)
        self.assertEqual([], demo.leftovers())

    def test_leaves_nothing_behind_when_interrupted(self):
        self.interrupt(signal.SIGINT)

    def test_leaves_nothing_behind_when_terminated(self):
        self.interrupt(signal.SIGTERM)


if __name__ == "__main__":
    PROGRAMS = sys.argv.pop(1)
    unittest.main()
