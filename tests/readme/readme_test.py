#!/usr/bin/python3 -B
"""Runs what README.md says: readme_test.py PROGRAMS

In README.md, a block marked ```console holds commands after `$ ` and what they print; a block
marked ```NAME FILE holds a file. This test writes the files, runs the commands one after the other
in one temporary folder, and compares what they print with what the README shows: numbers, times,
places and column widths may differ, words may not, and a line of `...` stands for any lines.
`fastgpu up` goes on in the background to the end, and FASTGPU_CREDENTIALS becomes its file.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEADLINE_S = 240

# These two build and test by themselves: the one is replaced by what it does once built, the other
# is how this test was started.
REPLACED = {
    "git clone": None,
    "cd ": None,
    "export FASTGPU_CREDENTIALS": None,
    "scripts/test": None,
    "scripts/demo": f"{ROOT}/examples/digits/demo.sh {{programs}}",
}


def blocks(text):
    """(info, body) of each fenced block."""
    return re.findall(r"^```(\w+[^\n]*)\n(.*?)^```$", text, re.M | re.S)


def steps(body):
    """(command, lines it prints) of a console block."""
    found = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> ") and not found[-1][1]:
            found[-1] = (found[-1][0] + "\n" + line[2:], [])
        else:
            found[-1][1].append(line)
    return found


def shape(line):
    """The line with numbers, times, places and widths taken out."""
    line = re.sub(r"^ran on .*?(: queue|$)", r"ran on PLACES\1", " ".join(line.split()))
    line = re.sub(r"\b[\d.]+ (ns|us|ms|s|min)\b", "TIME", line)
    line = re.sub(r"\bn\d+(,n\d+)*\b", "NODES", line)
    line = re.sub(r"/\S*fastgpu\.\w+/", "FOLDER/", line)
    return re.sub(r"[#.]*#[#.]*", "#", re.sub(r"\d+", "#", line))


def differs(shown, printed):
    """None if `printed` has the shape of `shown`, else the first shown line without a match."""
    at = 0
    anywhere = False
    for line in shown:
        if line == "...":
            anywhere = True
            continue
        places = range(at, len(printed)) if anywhere else range(at, min(at + 1, len(printed)))
        match = next((i for i in places if shape(printed[i]) == shape(line)), None)
        if match is None:
            return line
        at, anywhere = match + 1, False
    return None if anywhere or at == len(printed) else "(it ends here)"


class Readme(unittest.TestCase):
    programs = None

    def setUp(self):
        self.environment = dict(os.environ, PATH=f"{self.programs}:{os.environ['PATH']}")

    def run_in_background(self, command, folder, line_count):
        """The first lines that it prints; it is stopped when the test ends."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        lines = [process.stdout.readline().rstrip("\n") for _ in range(line_count)]
        file = re.search(r"FASTGPU_CREDENTIALS=(\S+)", "\n".join(lines))
        self.assertIsNotNone(file, f"$ {command}\n" + "\n".join(lines))
        self.environment["FASTGPU_CREDENTIALS"] = file[1]
        return lines

    def run_command(self, command, folder):
        for start, other in REPLACED.items():
            if command.startswith(start):
                if other is None:
                    return None
                command = other.format(programs=self.programs)
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        self.assertEqual(0, result.returncode, f"$ {command}\n{result.stdout}")
        return result.stdout.splitlines()

    def test_commands_do_what_is_shown(self):
        run = 0
        with tempfile.TemporaryDirectory(prefix="fastgpu-readme.") as folder:
            # The README is read in the root of the repository: what it names must be there.
            for name in ("examples", "scripts"):
                pathlib.Path(folder, name).symlink_to(ROOT / name)
            pathlib.Path(folder, "build").mkdir()
            pathlib.Path(folder, "build", "bin").symlink_to(self.programs)
            for info, body in blocks((ROOT / "README.md").read_text()):
                kind, _, name = info.partition(" ")
                if name:
                    pathlib.Path(folder, name).write_text(body)
                for command, shown in steps(body) if kind == "console" else []:
                    if " up " in command:
                        printed = self.run_in_background(command, folder, len(shown))
                    else:
                        printed = self.run_command(command, folder)
                    if printed is None:
                        continue
                    run += 1
                    line = differs(shown, printed)
                    self.assertIsNone(
                        line, f"$ {command}\nshown but not printed: {line}\n" + "\n".join(printed)
                    )
        self.assertGreaterEqual(run, 5, "README.md shows fewer commands than it used to")


class Comparison(unittest.TestCase):
    def test_numbers_and_widths_may_differ_and_words_may_not(self):
        self.assertIsNone(differs(["n1  0   12.5 s"], ["n2 0 1 ms"]))
        self.assertIsNone(differs(["ran on n1 cpu:0 2, n2 cpu:1 3"], ["ran on n3 cpu:0 5"]))
        self.assertEqual("done", differs(["done"], ["failed"]))
        self.assertIsNone(differs(["a", "...", "z"], ["a", "b", "c", "z"]))
        self.assertEqual("z", differs(["a", "...", "z"], ["a", "b"]))
        self.assertEqual("(it ends here)", differs(["a"], ["a", "b"]))
        self.assertIsNone(differs(["a", "..."], ["a", "b"]))

    def test_commands_are_told_from_what_they_print(self):
        body = "$ one\nprinted\n$ two <<END\n> END\n"
        self.assertEqual([("one", ["printed"]), ("two <<END\nEND", [])], steps(body))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Readme.programs = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
