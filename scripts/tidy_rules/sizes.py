"""Limits of size: files, functions, folders."""

import re

from .tree import CODE, Finding, bare, line_of, suffix

HEADER_LINES, SOURCE_LINES, ADAPTER_LINES, TEST_LINES = 300, 500, 600, 700
ACTOR_LINES, SCHEMA_LINES, README_LINES, EXAMPLE_LINES = 250, 400, 60, 300
FUNCTION_LINES = 70
FOLDER_THINGS = 20
# One file for each verb, found by the verb's name and never by looking.
FOLDERS_BY_NAME = ("docs/schema",)
_ADAPTERS = (
    "runtime/link/",
    "runtime/store/",
    "runtime/codec/",
    "runtime/objects/",
    "runtime/exec/",
    "runtime/security/",
    "node/",
)


def line_limit(path):
    """The hard limit for this file, or None where there is none."""
    kind = suffix(path)
    if path.split("/")[-1] == "README.md":
        return README_LINES
    if kind == ".capnp":
        return SCHEMA_LINES
    if path.startswith("tests/") and kind in CODE | {".py"}:
        return TEST_LINES
    if path.startswith("examples/") and kind in CODE:
        return EXAMPLE_LINES
    if kind in (".hpp", ".h"):
        return HEADER_LINES
    if kind in CODE:
        return ADAPTER_LINES if path.startswith(_ADAPTERS) else SOURCE_LINES
    return SOURCE_LINES if kind == ".py" or path.startswith("scripts/") else None


def _lines(text):
    return text.count("\n") + (not text.endswith("\n"))


def check_file_size(tree):
    """No file grows beyond what one reads in one sitting."""
    for path, text in tree.files.items():
        if path == "README.md":
            continue
        limit, lines = line_limit(path), _lines(text)
        if limit and lines > limit:
            yield Finding(
                path,
                limit,
                f"{lines} lines, the limit is {limit}",
                "take one idea out into a file of its own",
            )
    for path, text in tree.files.items():
        partner = path.removesuffix(".cpp") + ".hpp"
        if path.startswith("actors/") and path.endswith(".cpp") and partner in tree.files:
            lines = _lines(text) + _lines(tree.files[partner])
            if lines > ACTOR_LINES:
                yield Finding(
                    path,
                    1,
                    f"the actor has {lines} lines with its header, the limit is {ACTOR_LINES}",
                    "an actor only decodes, steps its machine and performs effects: move rules "
                    "into the machine",
                )


def functions(text):
    """(first line, last line, name) of each function body at namespace or class scope."""
    code = re.sub(
        r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
        lambda m: re.sub(r"[^\n]", " ", m[0]),
        bare(text),
        flags=re.M,
    )
    transparent = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()=]*$")
    depth, start, index = 0, 0, 0
    while index < len(code):
        character = code[index]
        if character == "{":
            head = code[start:index]
            if depth == 0 and transparent.search(head):
                start = index + 1
            else:
                depth += 1
        elif character == "}" and depth > 0:
            depth -= 1
            following = code[index + 1 :].lstrip()[:1]
            if depth == 0 and following not in (",", "{", ";", ")"):
                head = code[start:index]
                opening = head.find("{")
                match = re.search(r"([\w:~]+|operator\W+)\s*\(", head[:opening])
                if match and "=" not in head[: match.start()]:
                    first = line_of(code, start + len(head) - len(head.lstrip()))
                    yield first, line_of(code, index), match[1]
                start = index + 1
            elif depth == 0 and following == ";":
                start = index + 1
        elif character in ";}" and depth == 0:
            start = index + 1
        index += 1


def check_function_size(tree):
    """No function is longer than a screen."""
    for path, text in tree.code():
        for first, last, name in functions(text):
            if last - first + 1 > FUNCTION_LINES:
                yield Finding(
                    path,
                    first,
                    f"{name} has {last - first + 1} lines, the limit is {FUNCTION_LINES}",
                    "keep the control flow here and give each step a function with a name",
                )


def check_folder_size(tree):
    """No folder holds more things to find than fit in a glance; a source and its header are one."""
    things = {}
    for path in tree.files:
        folder, _, name = path.rpartition("/")
        if folder and name not in ("CMakeLists.txt", "README.md"):
            stem = name.rsplit(".", 1)[0] if suffix(name) in CODE else name
            things.setdefault(folder, set()).add(stem)
    for folder, names in sorted(things.items()):
        if len(names) > FOLDER_THINGS and folder not in FOLDERS_BY_NAME:
            what = f"{len(names)} sources, headers counted with them; the limit is {FOLDER_THINGS}"
            yield Finding(folder, 1, what, "give one idea its own folder")
