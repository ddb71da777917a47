"""Which folder may include which, and where third-party headers may appear."""

from .tree import CODE, Finding, includes

_CORE = ["runtime/base", "runtime/protocol"]
_BOOKS = _CORE + ["runtime/books"]
_PLACING = _BOOKS + ["runtime/ledger", "runtime/membership", "runtime/raft"]
_RUNTIME = _PLACING + [
    "runtime/session",
    "runtime/schedule",
    "runtime/worker",
    "runtime/codec",
    "schema",
    "runtime/link",
    "runtime/store",
    "runtime/objects",
    "runtime/logs",
    "runtime/security",
    "runtime/exec",
]

# A folder always sees itself. What is not a key here may not be included by anything.
EDGES = {
    "runtime/base": [],
    "runtime/protocol": ["runtime/base"],
    "runtime/raft": ["runtime/base"],
    "runtime/ledger": _CORE,
    "runtime/books": _CORE,
    "runtime/membership": _CORE,
    "runtime/session": _BOOKS,
    "runtime/schedule": _PLACING,
    "runtime/worker": _PLACING,
    "runtime/codec": _CORE + ["schema"],
    "runtime/link": ["runtime/base"],
    "runtime/store": ["runtime/base"],
    "runtime/objects": ["runtime/base", "runtime/store"],
    "runtime/logs": ["runtime/base"],
    "runtime/security": ["runtime/base"],
    "runtime/exec": ["runtime/base"],
    "schema": [],
    "actors": _RUNTIME,
    "client": _CORE
    + ["runtime/codec", "runtime/link", "runtime/security", "runtime/session", "actors"],
    "node": _RUNTIME + ["actors", "client"],
    "examples": ["client"],
    "bench": _RUNTIME + ["actors", "client", "node"],
    "tests": _RUNTIME + ["actors", "client", "node"],
}

# The first part of a third-party header's name, and who may include it.
THIRD_PARTY = {
    "caf": ["actors", "node", "client", "tests", "bench"],
    "capnp": ["runtime/codec", "tests", "bench"],
    "kj": ["runtime/codec", "tests", "bench"],
    "zmq.h": ["runtime/link", "runtime/security", "tests", "bench"],
    "zmq.hpp": ["runtime/link", "tests", "bench"],
    "rocksdb": ["runtime/store", "tests", "bench"],
    "CLI": ["node", "examples", "bench"],
    "nlohmann": ["node", "tests", "bench"],
    "toml++": ["runtime/security", "node", "tests"],
    "spdlog": ["node"],
    "gtest": ["tests"],
    "gmock": ["tests"],
}
_SHIMS = "runtime/exec/cpu/compat/"  # shown to kernels, not to our own sources
_SYSTEM_FOLDERS = {"sys", "linux", "asm", "net", "netinet", "arpa", "bits", "sanitizer"}


def folder_of(path):
    """`runtime/books` for a file there, else the top folder; None for a file of the root."""
    parts = path.split("/")
    if parts[0] == "fastgpu":  # the public headers, as users include them: client/fastgpu/...
        return "client"
    if len(parts) < 2:
        return None
    return "/".join(parts[:2]) if parts[0] == "runtime" and len(parts) > 2 else parts[0]


def check_edges(tree):
    """Every include of an own header follows the table of allowed edges."""
    for path, text in tree.code():
        mine = folder_of(path)
        for line, name, _ in includes(text):
            theirs = folder_of(name)
            if theirs is None and not path.startswith("examples/") and (name + " ")[-5:] == ".hpp ":
                yield Finding(
                    path,
                    line,
                    f"includes {name} without its folder",
                    "write the path from the root of the repository",
                )
            if theirs not in EDGES or theirs == mine or mine not in EDGES:
                continue
            if theirs not in EDGES[mine]:
                yield Finding(
                    path,
                    line,
                    f"{mine} may not include {theirs} ({name})",
                    f"{mine} sees only: {', '.join(EDGES[mine]) or 'itself'}; move the shared "
                    "part down, or pass it in as a value or a port (runtime/README.md)",
                )
    for path, _ in tree.code():
        if folder_of(path) not in EDGES:
            yield Finding(
                path,
                1,
                f"{folder_of(path)} has no row in the table of edges",
                "add the folder to EDGES in scripts/tidy_rules/edges.py and say what it may see",
            )


def _third_party_of(name):
    first = name.split("/")[0]
    if first in THIRD_PARTY:
        return first
    if "/" in name and first not in _SYSTEM_FOLDERS:
        return first
    return None


def check_third_party(tree):
    """A third-party header appears only in the folder whose adapter it belongs to."""
    for path, text in tree.code():
        mine = folder_of(path)
        for line, name, is_system in includes(text):
            library = _third_party_of(name)
            if library is None or folder_of(name) in EDGES or path.startswith(_SHIMS):
                continue
            if mine == "runtime/exec":
                yield Finding(
                    path,
                    line,
                    f"runtime/exec includes the third-party header {name}",
                    "the device side builds on hosts without any package: use the C++ library, "
                    "libc or dlopen",
                )
            elif mine not in THIRD_PARTY.get(library, []):
                yield Finding(
                    path,
                    line,
                    f"{mine} may not include {name}",
                    "use the port whose adapter wraps that library; who may include what is "
                    "THIRD_PARTY in scripts/tidy_rules/edges.py",
                )


def edge_table():
    """The table that runtime/README.md shows."""
    rows = ["| folder | may include |", "| --- | --- |"]
    for folder, allowed in EDGES.items():
        if folder in ("tests", "bench", "examples"):
            continue
        names = [name.removeprefix("runtime/") for name in allowed]
        if allowed == _RUNTIME:
            names = ["all of runtime", "schema"]
        if folder == "node":
            names = ["everything but tests"]
        rows.append(f"| {folder.removeprefix('runtime/')} | {', '.join(names) or '-'} |")
    return "\n".join(rows)


def check_edge_table(tree):
    """runtime/README.md shows the table that is checked."""
    path = "runtime/README.md"
    if edge_table() not in tree.files.get(path, ""):
        yield Finding(
            path,
            1,
            "does not show the present table of edges",
            "paste what `scripts/tidy --edges` prints",
        )


def check_own_header_first(tree):
    """x.cpp includes x.hpp before anything else, which proves that the header stands alone."""
    for path, text in tree.code(CODE):
        header = path.removesuffix(".cpp") + ".hpp"
        if path.endswith(".cpp") and header in tree.files:
            first = next(includes(text), None)
            if first is None or first[1] != header:
                yield Finding(
                    path,
                    first[0] if first else 1,
                    f"does not include {header} first",
                    "include the own header first, so that it is compiled alone",
                )
