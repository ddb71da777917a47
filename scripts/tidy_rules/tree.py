"""The files that the rules look at, read once, and the ways of looking at C++ text."""

import pathlib
import re
from typing import NamedTuple

SKIPPED_FOLDERS = {".git", "build", "bundle", "__pycache__"}
CODE = {".hpp", ".cpp", ".h", ".c", ".cu"}
HEADERS = {".hpp", ".h"}


class Finding(NamedTuple):
    path: str
    line: int
    what: str
    instead: str  # what to do about it

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}\n    instead: {self.instead}"


class Tree:
    """A checkout. `files` maps the path from the root, with slashes, to the text."""

    def __init__(self, root, build=None):
        self.root = pathlib.Path(root)
        self.build = pathlib.Path(build) if build else None
        self.files = {}
        for path in sorted(self.root.rglob("*")):
            parts = path.relative_to(self.root).parts
            if SKIPPED_FOLDERS.intersection(parts) or not path.is_file():
                continue
            content = path.read_bytes()
            if b"\0" not in content:  # else data, not text
                self.files["/".join(parts)] = content.decode("utf-8")

    def code(self, suffixes=CODE):
        for path, text in self.files.items():
            if pathlib.PurePath(path).suffix in suffixes:
                yield path, text


def suffix(path):
    return pathlib.PurePath(path).suffix


def includes(text):
    """(line, name, is_system) of each include line."""
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', text, re.M):
        yield line_of(text, match.start()), match[2], match[1] == "<"


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


_BLANKED = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([A-Za-z_]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S
)


def bare(text):
    """The text with comments and literals blanked out, every line where it was."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    return _BLANKED.sub(blank, text)
