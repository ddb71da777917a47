"""Rules about words: leftovers, what the project may not say, and pages that must stay true."""

import re

from .tree import CODE, HEADERS, Finding, line_of, suffix

# Written in two halves so that this file does not find itself.
_LEFTOVERS = re.compile(r"\b(" + "|".join(["FIX" "ME", "TO" "DO", "X" "XX", "HA" "CK"]) + r")\b")
_WORDS = re.compile(
    r"\b("
    + "|".join(
        [
            "AI[- ]gen" "erated",
            "as a" "n AI",
            "assis" "tants?",
            "lang" "uage models?",
            "L" "LMs?",
            "Clau" "de",
            "Anth" "ropic",
            "Chat" "GPT",
            "Cop" "ilot",
            "co-auth" "ored-by",
        ]
    )
    + r")\b|\biss"
    r"ue #?\d+\b|(?<![\w.$}])/(?:wo"
    r"rk|ro"
    r"ot)/\w",
    re.I,
)
_TOP_FOLDERS = [
    "runtime",
    "schema",
    "actors",
    "node",
    "client",
    "tests",
    "examples",
    "bench",
    "docs",
    "scripts",
    "cmake",
]
_TOP_README_LINES = 25
_LINE_COLUMNS = 100
_GLUED = "runtime/exec/cpu/compat/"  # becomes one text that is put before a kernel's source


def _matches(tree, pattern):
    for path, text in tree.files.items():
        for match in pattern.finditer(text):
            yield path, line_of(text, match.start()), match[0]


def check_leftovers(tree):
    """Nothing is left for later in the text."""
    for path, line, word in _matches(tree, _LEFTOVERS):
        yield Finding(path, line, f"leftover {word}", "do it now, or state the limit as a fact")


def check_words(tree):
    """The project speaks of itself alone, and of no machine it was written on."""
    for path, line, word in _matches(tree, _WORDS):
        yield Finding(
            path,
            line,
            f"out of place: {word}",
            "say what the thing is; write paths from the root of the repository",
        )


def check_text(tree):
    """At most 100 columns (those of C++ are the formatter's), no tabs, no blanks at line ends."""
    for path, text in tree.files.items():
        is_ours = suffix(path) in {".py", ".capnp", ".cmake"} or (
            path.startswith("scripts/") and suffix(path) == ""
        )
        is_code = is_ours or suffix(path) in CODE
        for number, line in enumerate(text.split("\n"), 1):
            if is_ours and len(line) > _LINE_COLUMNS and "://" not in line:
                yield Finding(path, number, f"{len(line)} columns", f"wrap at {_LINE_COLUMNS}")
            if is_code and "\t" in line:
                yield Finding(path, number, "a tab", "indent with blanks")
            if line.endswith((" ", "\r")) and suffix(path) != ".csv":
                yield Finding(path, number, "blanks at the end of the line", "remove them")
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            yield Finding(
                path, text.count("\n") + 1, "does not end in one newline", "end with one newline"
            )


def check_pragma_once(tree):
    """Every header can be included twice."""
    for path, text in tree.code(HEADERS):
        if "#pragma once" not in text and not path.startswith(_GLUED):
            yield Finding(path, 1, "no #pragma once", "begin the header with #pragma once")


def check_readmes(tree):
    """Every top folder says what it is, briefly, and the root's map names it."""
    root = tree.files.get("README.md", "")
    present = {path.split("/")[0] for path in tree.files if "/" in path}
    for folder in _TOP_FOLDERS:
        path = f"{folder}/README.md"
        if folder not in present:
            continue
        if path not in tree.files:
            yield Finding(
                path,
                1,
                "is missing",
                f"say in at most {_TOP_README_LINES} lines what {folder} is for, "
                "its files, and what it may include",
            )
        elif tree.files[path].count("\n") > _TOP_README_LINES and folder != "runtime":
            yield Finding(
                path,
                1,
                f"more than {_TOP_README_LINES} lines",
                "keep the purpose, the files, the edges",
            )
        if f"{folder}/" not in root:
            yield Finding(
                "README.md", 1, f"the map of folders does not name {folder}/", "add a line for it"
            )


def check_error_table(tree):
    """client/error_table.cpp has a row for each code that users can meet."""
    header = "runtime/base/result.hpp"
    table = "client/error_table.cpp"
    listed = re.search(r"enum class ErrorCode[^{]*\{(.*?)\};", tree.files.get(header, ""), re.S)
    if listed is None:
        return
    text = tree.files.get(table, "")
    codes = {int(code): name for name, code in re.findall(r"^\s*(\w+) = (\d+),", listed[1], re.M)}
    for code, name in codes.items():
        if code and f'{{ErrorCode::{name}, "{name}",' not in text:
            yield Finding(
                table,
                1,
                f"no row for FG{code} {name}",
                f'add {{ErrorCode::{name}, "{name}", its class, meaning, what to do}}',
            )
