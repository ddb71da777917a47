"""Rules that need the build: what is compiled, and how it is formatted."""

import json
import pathlib
import shutil
import subprocess

from .tree import CODE, Finding, suffix

# Kernels as their authors wrote them, and the tables of small functions that kernels may call.
_AS_WRITTEN = ("tests/data/", "runtime/exec/cpu/compat/")


def check_format(tree):
    """Every source is formatted as .clang-format says."""
    files = [path for path, _ in tree.code(CODE) if not path.startswith(_AS_WRITTEN)]
    if not files:
        return
    if shutil.which("clang-format-14") is None:
        yield Finding("scripts/format", 1, "clang-format-14 is missing", "run scripts/setup")
        return
    result = subprocess.run(
        ["clang-format-14", "--dry-run", "--Werror", *files],
        cwd=tree.root,
        text=True,
        capture_output=True,
        check=False,
    )
    if result.returncode == 0:
        return
    wrong = sorted(
        {line.split(":")[0] for line in result.stderr.splitlines() if ": error:" in line}
    )
    for path in wrong:
        yield Finding(path, 1, "is not formatted", "run scripts/format")
    if not wrong:
        yield Finding(
            ".clang-format",
            1,
            "clang-format-14 failed: " + result.stderr[:300],
            "mend what it names",
        )


def check_registered(tree):
    """Every source is compiled and every test script is run: nothing is forgotten silently."""
    commands = tree.build / "compile_commands.json" if tree.build else None
    if commands is None or not commands.exists():
        yield Finding(
            "compile_commands.json",
            1,
            "no build folder to compare with",
            "pass --build FOLDER of a configured build",
        )
        return
    compiled = {
        str(pathlib.Path(entry["file"]).resolve()) for entry in json.loads(commands.read_text())
    }
    recipes = {path: text for path, text in tree.files.items() if path.endswith("CMakeLists.txt")}
    for path, text in tree.files.items():
        if suffix(path) == ".cpp" and not path.startswith("tests/data/"):
            if str((tree.root / path).resolve()) not in compiled:
                yield Finding(
                    path,
                    1,
                    "is part of no program or library",
                    "give its folder a CMakeLists.txt with fastgpu_library, fastgpu_program or "
                    "fastgpu_test, and add_subdirectory it from the folder above",
                )
        is_script = (
            path.endswith("_test.py")
            or path.startswith("tests/")
            and (suffix(path) in (".py", ".sh") or text.startswith("#!"))
        )
        name = path.rsplit("/", 1)[-1]
        if (
            is_script
            and not any(name in recipe for recipe in recipes.values())
            and not any(
                f"import {pathlib.PurePath(name).stem}" in other
                for at, other in tree.files.items()
                if at != path
            )
        ):
            yield Finding(
                path, 1, "is run by no CMakeLists.txt", "add_test it in its folder's CMakeLists.txt"
            )
