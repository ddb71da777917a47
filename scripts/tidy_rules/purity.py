"""What deterministic code may not touch, and what tests may not wait for."""

import re

from .edges import folder_of
from .tree import Finding, bare, includes, line_of

PURE_FOLDERS = [
    "runtime/" + name
    for name in (
        "base",
        "protocol",
        "ledger",
        "books",
        "schedule",
        "membership",
        "worker",
        "session",
        "raft",
    )
]

_BANNED_HEADERS = re.compile(
    r"^(thread|mutex|shared_mutex|condition_variable|atomic|future|semaphore|barrier|latch|"
    r"stop_token|iostream|fstream|filesystem|random|ctime|time\.h|csignal|signal\.h|unistd\.h|"
    r"fcntl\.h|pthread\.h|poll\.h|dlfcn\.h|sys/.*|linux/.*|caf/.*|zmq.*|capnp/.*|kj/.*|rocksdb/.*)$"
)

# What, and what to do instead.
_BANNED_TOKENS = [
    (
        r"\b(steady_clock|system_clock|high_resolution_clock|clock_gettime|gettimeofday)\b|::now\(|"
        r"\btime\((nullptr|NULL|0)\)",
        "a clock",
        "take `now` as a value: step(event, now)",
    ),
    (
        r"\bstd::(thread|jthread|mutex|shared_mutex|condition_variable|atomic|async)\b|"
        r"\bthread_local\b|\bpthread_",
        "a thread",
        "keep the machine single-threaded; its actor or adapter owns the thread",
    ),
    (
        r"\b(sleep_for|sleep_until|usleep|nanosleep)\b",
        "a pause",
        "return the moment from next_deadline()",
    ),
    (
        r"\b(rand|srand|rand_r|drand48)\(|\brandom_device\b|\bmt19937|\bdefault_random_engine\b",
        "unseeded randomness",
        "take a base::Random as a value",
    ),
    (
        r"\bstd::(cout|cerr|clog|cin|ifstream|ofstream|fstream|filesystem)\b|"
        r"\b(printf|fprintf|puts|fopen|fwrite|getenv|setenv|system)\(",
        "input or output",
        "return an effect and let the actor perform it",
    ),
    (r"\b(caf|zmq|rocksdb|capnp|kj)::", "a library", "speak in values of runtime/protocol"),
    (
        r"\bstd::(unordered_)?(map|set)<[^<>,;]*\*\s*[,>]",
        "a pointer as a key",
        "key by an id: addresses differ from run to run",
    ),
]

# The only exceptions, each with its reason.
EXCEPTIONS = {
    "runtime/base/check.cpp": "prints the broken invariant and aborts: nothing runs after it",
}


def check_pure(tree):
    """Machines and values know no clock, thread, input, output, library or randomness."""
    for path, text in tree.code():
        if folder_of(path) not in PURE_FOLDERS or path in EXCEPTIONS:
            continue
        for line, name, is_system in includes(text):
            if is_system and _BANNED_HEADERS.match(name):
                yield Finding(
                    path,
                    line,
                    f"pure code includes <{name}>",
                    "return an effect, and do it in the actor or the adapter",
                )
        code = bare(text)
        for pattern, what, instead in _BANNED_TOKENS:
            for match in re.finditer(pattern, code):
                yield Finding(
                    path,
                    line_of(code, match.start()),
                    f"pure code touches {what}: {match[0].strip()}",
                    instead,
                )


def check_unordered_iteration(tree):
    """Pure code does not iterate over unordered containers: their order is not ours."""
    names = {}
    for path, text in tree.code():
        if folder_of(path) in PURE_FOLDERS:
            found = re.findall(
                r"\bstd::unordered_(?:multi)?(?:map|set)<[^;{}()]*>\s+(\w+)\s*[;{=]", bare(text)
            )
            names.setdefault(folder_of(path), set()).update(found)
    for path, text in tree.code():
        code = bare(text)
        for match in re.finditer(r"\bfor \([^;()]*?:\s*([\w.\->]+)\)", code):
            last = re.split(r"\.|->", match[1])[-1]
            if last in names.get(folder_of(path), ()):
                yield Finding(
                    path,
                    line_of(code, match.start()),
                    f"iterates over the unordered {match[1]}",
                    "use std::map, a sorted vector, or an index beside it",
                )


def check_keyed_links(tree):
    """No program speaks without keys: only tests of the link may."""
    for path, text in tree.code():
        code = bare(text)
        for match in re.finditer(r"\bin_the_clear\b", code):
            if not path.startswith(("runtime/link/", "tests/")):
                yield Finding(
                    path,
                    line_of(code, match.start()),
                    "a link without keys",
                    "give the ZmqLink its LinkKeys: of node.key, of credentials or of a token",
                )


def check_sleepless_tests(tree):
    """Tests wait for events, never for time to pass."""
    pattern = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(")
    for path, text in tree.code():
        if not path.startswith("tests/"):
            continue
        code = bare(text)
        for match in pattern.finditer(code):
            yield Finding(
                path,
                line_of(code, match.start()),
                f"a test sleeps: {match[1]}",
                "wait for the event itself (condition variable, promise, poll, a line of output) "
                "with a deadline that only matters on failure",
            )
