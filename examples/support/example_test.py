"""What the examples' tests share: a cluster of three nodes that lives as long as one case, and
running an example on it from a temporary folder of its own."""

import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
START_DEADLINE_S = 60
RUN_DEADLINE_S = 100
STOP_DEADLINE_S = 20
NODES = ("n1", "n2", "n3")


class ExampleTest(unittest.TestCase):
    programs = None  # the folder of the built programs

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="fastgpu-example.")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.folder.chmod(0o711)  # where this is root's, commands of other users pass through
        self.environment = dict(
            os.environ, PATH=f"{self.programs}:{os.environ['PATH']}", TMPDIR=temporary.name
        )
        self.cluster = subprocess.Popen(
            ["fastgpu", "up", "--nodes", str(len(NODES)), "--devices", "1", "--output", "id"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.stop)
        ready, _, _ = select.select([self.cluster.stdout], [], [], START_DEADLINE_S)
        credentials = self.cluster.stdout.readline().strip() if ready else ""
        self.assertNotEqual("", credentials, "the cluster did not start")
        self.environment["FASTGPU_CREDENTIALS"] = credentials

    def stop(self):
        self.cluster.terminate()
        try:
            self.cluster.communicate(timeout=STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.cluster.kill()
            self.cluster.communicate()
            raise

    def run_example(self, *command):
        """What it prints; it has to succeed."""
        result = subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_DEADLINE_S,
            check=False,
        )
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        return result.stdout


def main():
    """PROGRAMS [Test.test_case...]"""
    # A test that runs in the background inherits an ignored SIGINT, which bash cannot trap.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ExampleTest.programs = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
