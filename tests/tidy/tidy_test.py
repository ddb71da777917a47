#!/usr/bin/python3 -B
"""Each rule of scripts/tidy finds what it forbids, and only that. One test method per rule."""

import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from tidy_rules import RULES  # noqa: E402
from tidy_rules.edges import edge_table  # noqa: E402
from tidy_rules.sizes import functions  # noqa: E402
from tidy_rules.tree import Tree  # noqa: E402


class RuleTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def findings(self, rule, files, build=None):
        """What the rule says about a tree of these files, as (path, line)."""
        for path, text in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        found = list(RULES[rule](Tree(self.root, build)))
        for finding in found:
            self.assertTrue(finding.instead, "a rule says what to do instead")
        return [(finding.path, finding.line) for finding in found]

    def forbids(self, rule, path, text, line=1):
        self.assertIn((path, line), self.findings(rule, {path: text}))
        (self.root / path).unlink()

    def allows(self, rule, path, text):
        self.assertEqual([], self.findings(rule, {path: text}))
        (self.root / path).unlink()

    def test_edges(self):
        self.forbids("edges", "runtime/ledger/a.cpp", '\n#include "runtime/link/frame.hpp"\n', 2)
        self.forbids("edges", "runtime/base/a.cpp", '#include "runtime/protocol/job.hpp"\n')
        self.forbids("edges", "client/a.cpp", '#include "node/clock.hpp"\n')
        self.forbids("edges", "actors/a.cpp", '#include "tests/support/world.hpp"\n')
        self.forbids("edges", "runtime/ledger/a.cpp", '#include "ledger_state.hpp"\n')
        self.forbids("edges", "runtime/novel/a.cpp", "int x;\n")
        self.allows("edges", "runtime/objects/a.cpp", '#include "runtime/store/store.hpp"\n')
        self.allows("edges", "runtime/schedule/a.cpp", '#include "runtime/books/fit.hpp"\n')
        self.allows("edges", "runtime/codec/a.cpp", '#include "schema/peer.capnp.h"\n')
        self.allows("edges", "tests/unit/base/a.cpp", '#include "node/embedded_cluster.hpp"\n')

    def test_edge_table(self):
        self.forbids("edge_table", "runtime/README.md", "| base | everything |\n")
        self.allows("edge_table", "runtime/README.md", "# runtime\n\n" + edge_table() + "\n")

    def test_third_party(self):
        self.forbids("third_party", "runtime/exec/a.cpp", "#include <nlohmann/json.hpp>\n")
        self.forbids("third_party", "runtime/exec/deep/a.cpp", '#include "zmq.hpp"\n')
        self.forbids("third_party", "runtime/ledger/a.cpp", "#include <caf/all.hpp>\n")
        self.forbids("third_party", "actors/a.cpp", "#include <rocksdb/db.h>\n")
        self.forbids("third_party", "actors/a.cpp", "#include <boost/any.hpp>\n")
        self.allows("third_party", "runtime/exec/a.cpp", "#include <sys/mman.h>\n#include <map>\n")
        self.allows("third_party", "runtime/store/a.cpp", "#include <rocksdb/db.h>\n")

    def test_own_header_first(self):
        files = {
            "node/a.hpp": "#pragma once\n",
            "node/a.cpp": '#include <map>\n#include "node/a.hpp"\n',
        }
        self.assertEqual([("node/a.cpp", 1)], self.findings("own_header_first", files))
        files["node/a.cpp"] = '// a\n#include "node/a.hpp"\n\n#include <map>\n'
        self.assertEqual([], self.findings("own_header_first", files))

    def test_pure(self):
        for line in (
            "auto t = std::chrono::steady_clock::now();",
            "std::mutex guard;",
            "#include <thread>",
            "#include <unistd.h>",
            "#include <random>",
            "std::this_thread::sleep_for(wait);",
            "int r = rand();",
            "std::cout << r;",
            'std::printf("%d", r);',
            'auto home = getenv("HOME");',
            "caf::actor other;",
            "std::map<Job*, int> jobs;",
        ):
            self.forbids("pure", "runtime/ledger/a.cpp", f"\n{line}\n", 2)
            self.allows("pure", "runtime/link/a.cpp", f"\n{line}\n")
        self.allows("pure", "runtime/ledger/a.cpp", "// a mutex would not help: std::mutex\n")
        self.allows(
            "pure", "runtime/ledger/a.cpp", 'auto n = std::snprintf(text, 9, "std::cout");\n'
        )
        self.allows(
            "pure", "runtime/ledger/a.cpp", "std::map<JobId, Job*> jobs; step(event, now);\n"
        )

    def test_unordered_iteration(self):
        header = "std::unordered_map<JobId, Job> jobs_;\nstd::map<JobId, Job> sorted_;\n"
        files = {
            "runtime/ledger/a.hpp": header,
            "runtime/ledger/a.cpp": "for (auto& job : jobs_) use(job);\n",
        }
        self.assertEqual([("runtime/ledger/a.cpp", 1)], self.findings("unordered_iteration", files))
        files["runtime/ledger/a.cpp"] = "for (auto& job : sorted_) use(job);\njobs_.find(id);\n"
        self.assertEqual([], self.findings("unordered_iteration", files))

    def test_keyed_links(self):
        line = "ZmqLink link(options, clock, ZmqLink::Keyless::in_the_clear);\n"
        self.forbids("keyed_links", "node/daemon/a.cpp", line)
        self.forbids("keyed_links", "client/a.cpp", line)
        self.allows("keyed_links", "tests/unit/link/a.cpp", line)

    def test_sleepless_tests(self):
        line = "std::this_thread::sleep_for(std::chrono::milliseconds(5));\n"
        self.forbids("sleepless_tests", "tests/unit/base/a.cpp", line)
        self.allows("sleepless_tests", "node/a.cpp", line)
        self.allows("sleepless_tests", "tests/unit/base/a.cpp", "// sleep (long)\n")

    def test_file_size(self):
        self.forbids("file_size", "runtime/base/a.hpp", "\n" * 301, 300)
        self.allows("file_size", "runtime/base/a.hpp", "\n" * 300)
        self.forbids("file_size", "runtime/ledger/a.cpp", "\n" * 501, 500)
        self.allows("file_size", "runtime/link/a.cpp", "\n" * 600)
        self.forbids("file_size", "tests/unit/base/a.cpp", "\n" * 701, 700)
        self.forbids("file_size", "schema/a.capnp", "\n" * 401, 400)
        actor = {"actors/a.hpp": "\n" * 100, "actors/a.cpp": "\n" * 151}
        self.assertEqual([("actors/a.cpp", 1)], self.findings("file_size", actor))

    def test_function_size(self):
        body = "  call();\n" * 69
        self.forbids(
            "function_size", "node/a.cpp", f"namespace n {{\nvoid f() {{\n{body}}}\n}}\n", 2
        )
        self.allows("function_size", "node/a.cpp", f"void f(int a) {{\n{body[:-10]}}}\n")
        self.forbids("function_size", "node/a.cpp", f"A::A() : b_{{1}}, c_{{2}} {{\n{body}}}\n")
        text = (
            "struct A : B<int> {\n  int f() const { return 1; }\n  int b{};\n};\n"
            "const int table[] = {\n  1,\n};\n"
            "template <class T>\nbool g(T t)\n{\n  if (t) {\n  }\n}\n"
        )
        self.assertEqual([(2, 2, "f"), (8, 13, "g")], list(functions(text)))

    def test_folder_size(self):
        files = {f"node/file{number}.cpp": "" for number in range(21)}
        files |= {f"node/file{number}.hpp": "" for number in range(20)}
        self.assertEqual([("node", 1)], self.findings("folder_size", files))
        (self.root / "node/file20.cpp").unlink()
        self.assertEqual([], self.findings("folder_size", {}))

    def test_leftovers(self):
        self.forbids("leftovers", "node/a.cpp", "int x;  // FIX" "ME: later\n")
        self.forbids("leftovers", "docs/a.md", "\nTO" "DO\n", 2)
        self.allows("leftovers", "node/a.cpp", "auto todo = list;  // to do\n")

    def test_words(self):
        self.forbids("words", "docs/a.md", "Written by an assis" "tant.\n")
        self.forbids("words", "docs/a.md", "see iss" "ue 12\n")
        self.forbids("words", "node/a.cpp", "// look at /wo" "rk/shared\n")
        self.allows("words", "node/a.cpp", '// the session sends work/done\nopen("$T/work/x");\n')

    def test_text(self):
        self.forbids("text", "schema/a.capnp", "# " + "x" * 100 + "\n")
        self.forbids("text", "node/a.cpp", "int x; \n")
        self.forbids("text", "node/a.cpp", "\tint x;\n")
        self.forbids("text", "node/a.cpp", "int x;")
        self.allows("text", "docs/a.md", "| " + "x" * 120 + " |\n")

    def test_pragma_once(self):
        self.forbids("pragma_once", "node/a.hpp", "int x;\n")
        self.allows("pragma_once", "node/a.hpp", "#pragma once\nint x;\n")

    def test_readmes(self):
        files = {"README.md": "- `node/` the programs\n", "node/a.cpp": ""}
        self.assertEqual([("node/README.md", 1)], self.findings("readmes", files))
        files["node/README.md"] = "node\n" * 26
        self.assertEqual([("node/README.md", 1)], self.findings("readmes", files))
        files["node/README.md"] = "node\n" * 25
        self.assertEqual([], self.findings("readmes", files))
        self.assertEqual(
            [("README.md", 1)], self.findings("readmes", {"README.md": "a map of nothing\n"})
        )

    def test_error_table(self):
        header = "enum class ErrorCode : unsigned short {\n  none = 0,\n  usage = 1001,\n};\n"
        table = "client/error_table.cpp"
        files = {"runtime/base/result.hpp": header, table: "rows\n"}
        self.assertEqual([(table, 1)], self.findings("error_table", files))
        files[table] = '    {ErrorCode::usage, "usage", &usage, "wrong", "mend"},\n'
        self.assertEqual([], self.findings("error_table", files))

    def test_format(self):
        files = {".clang-format": "BasedOnStyle: Google\n", "node/a.cpp": "int  x ;\n"}
        self.assertEqual([("node/a.cpp", 1)], self.findings("format", files))
        files["node/a.cpp"] = "int x;\n"
        self.assertEqual([], self.findings("format", files))

    def test_registered(self):
        build = self.root / "build"
        build.mkdir()
        commands = [{"file": str(self.root / "tests/unit/base/a_test.cpp")}]
        (build / "compile_commands.json").write_text(json.dumps(commands))
        files = {
            "tests/unit/base/a_test.cpp": "",
            "tests/unit/base/b_test.cpp": "",
            "tests/system/c_test.py": "",
            "tests/system/CMakeLists.txt": "",
        }
        missing = [("tests/system/c_test.py", 1), ("tests/unit/base/b_test.cpp", 1)]
        self.assertEqual(missing, self.findings("registered", files, build))
        commands.append({"file": str(self.root / "tests/unit/base/b_test.cpp")})
        (build / "compile_commands.json").write_text(json.dumps(commands))
        files["tests/system/CMakeLists.txt"] = "add_test(NAME c COMMAND c_test.py)\n"
        self.assertEqual([], self.findings("registered", files, build))


class Completeness(unittest.TestCase):
    def test_every_rule_is_tested_and_run(self):
        recipe = (ROOT / "tests/tidy/CMakeLists.txt").read_text()
        for rule in RULES:
            self.assertTrue(hasattr(RuleTest, f"test_{rule}"), f"no test of the rule {rule}")
            self.assertRegex(recipe, rf"\b{rule}\b", f"CTest does not run the rule {rule}")


if __name__ == "__main__":
    unittest.main()
