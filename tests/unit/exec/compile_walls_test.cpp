// A source cannot make its compiler read this host's files for it, nor run for ever: with each kind
// of walls that the host can have, and with none.

#include "runtime/exec/cpu/compile_walls.hpp"

#include <sys/stat.h>

#include <fstream>
#include "runtime/exec/cpu/compiler.hpp"
#include "runtime/exec/sandbox/landlock.hpp"

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

using base::FailureReason;

struct Kind {
  const char* name;
  CompilerWalls walls;
};

/// A file with words that would be recognised anywhere, and one compiler behind the kind of walls.
class CompilerBehind : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    CompilerOptions options;
    options.child_program = FASTGPU_TEST_EXECUTOR;
    options.folder = folder_.path() + "/cache";
    options.walls = GetParam().walls;
    options.limits.cpu = std::chrono::seconds(1);
    options.limits.memory_bytes = 1ull << 30;
    options.limits.file_bytes = 8u << 20;
    options_ = options;
    if (const auto usable = make(); !usable.ok())
      GTEST_SKIP() << usable.error().message;
    std::ofstream(secret_) << "topsecret = word;\ntopsecret two;\n";
    chmod(secret_.c_str(), 0644);
  }
  base::Status make() {
    compiler_ = std::make_unique<Compiler>(options_);
    return compiler_->prepare();
  }
  CompileOutcome compile(const std::string& head, const std::string& body = "*p = 1;") {
    KernelRequest request;
    request.source = head + "\n__global__ void k(int* p) { " + body + " }\n";
    request.expression = "k";
    CompileOutcome outcome = compiler_->compile(request);
    if (!outcome.object_path.empty())
      object_ = contents(outcome.object_path);
    return outcome;
  }
  static std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void expect_stopped(const std::string& head, const std::string& limit) {
    const CompileOutcome outcome = compile(head);
    EXPECT_EQ(outcome.reason, FailureReason::compile_error);
    EXPECT_TRUE(outcome.message.starts_with("compile stopped")) << outcome.message;
    EXPECT_NE(outcome.message.find(limit), std::string::npos) << outcome.message;
  }

  TemporaryFolder folder_;
  std::string secret_{folder_.path() + "/secret.h"};
  CompilerOptions options_;
  std::unique_ptr<Compiler> compiler_;
  std::string object_;
};

TEST_P(CompilerBehind, CompilesWhatIsGood) {
  const CompileOutcome outcome = compile("#include <cuda_runtime.h>\n#include <type_traits>");
  EXPECT_EQ(outcome.reason, FailureReason::none) << outcome.message;
  EXPECT_EQ(compiler_->walls(), GetParam().walls);
}

TEST_P(CompilerBehind, ShowsNothingOfAFileThatASourceNames) {
  const std::string name = "\"" + secret_ + "\"";
  for (const std::string& head :
       {"#include " + name, "#define FILE " + name + "\n#include FILE", "#include_next " + name,
        "#import " + name, "%:include " + name, "#inc\\\nlude " + name,
        "#include \"/proc/self/root" + secret_ + "\"",
        "#include \"/usr/include/../.." + secret_ + "\"", "#line 1 " + name + "\nthis is no C++;",
        "# 1 " + name + "\nthis is no C++;"}) {
    const CompileOutcome outcome = compile(head);
    EXPECT_NE(outcome.reason, FailureReason::none) << head;
    EXPECT_NE(outcome.reason, FailureReason::staging_failed) << outcome.message;
    EXPECT_EQ(outcome.message.find("topsecret"), std::string::npos) << outcome.message;
    EXPECT_EQ(outcome.message.find("two"), std::string::npos) << outcome.message;
  }
  const CompileOutcome system = compile("#include \"/etc/passwd\"");
  EXPECT_EQ(system.message.find("root:"), std::string::npos) << system.message;
  EXPECT_NE(system.message.find("/etc/passwd"), std::string::npos) << system.message;
}

TEST_P(CompilerBehind, RefusesAFileEvenWhereItWouldCompile) {
  std::ofstream(secret_) << "int topsecret;\n";
  const CompileOutcome outcome = compile("#include \"" + secret_ + "\"", "*p = topsecret;");
  EXPECT_EQ(outcome.reason, FailureReason::compile_error) << outcome.message;
}

TEST_P(CompilerBehind, PutsNoFileIntoAKernelByTheAssembler) {
  const std::string words = "(\".incbin \\\"" + secret_ + "\\\"\");";
  for (const std::string& head : {"asm" + words, "__asm__" + words, "#define A __asm\nA" + words}) {
    const CompileOutcome outcome = compile(head);
    EXPECT_EQ(outcome.reason, FailureReason::not_supported_on_device) << outcome.message;
    EXPECT_NE(outcome.message.find("inline PTX"), std::string::npos) << outcome.message;
  }
  if (GetParam().walls == CompilerWalls::none)
    return;  // the kernel could read the file by itself
  for (const std::string& head :
       {"#define A(x, y) x##y\nA(as, m)" + words, "as\\\nm" + words,
        "__attribute__((section(\".a\\n.incbin \\\"" + secret_ + "\\\"\\n#\"))) int x = 1;"}) {
    EXPECT_NE(compile(head).reason, FailureReason::none) << head;
    EXPECT_EQ(object_.find("topsecret"), std::string::npos) << head;
  }
}

TEST_P(CompilerBehind, StopsATemplateBomb) {
  if (GetParam().walls != CompilerWalls::confinement)
    return;  // the same limits, and it costs their whole second
  expect_stopped(
      "template <int N, int M> struct S { static constexpr int v = S<N - 1, 2 * M>::v + S<N - 1, 2 "
      "* M + 1>::v; }; template <int M> struct S<0, M> { static constexpr int v = M; };\n"
      "int x = S<24, 0>::v;",
      "1 s of processor time");
}

TEST_P(CompilerBehind, StopsAnEndlessConstantExpression) {
  options_.limits.wall = std::chrono::milliseconds(300);
  ASSERT_TRUE(make().ok());
  expect_stopped(
      "constexpr unsigned f(unsigned s) { for (int i = 0; i < 200000; ++i) s = s * 3 + i; return "
      "s; "
      "}\ntemplate <int N> constexpr unsigned g = f(N) + g<N - 1>; template <> constexpr unsigned "
      "g<0> = 0;\nconstexpr unsigned x = g<500>;",
      "after 300 ms (limit)");
}

TEST_P(CompilerBehind, StopsAPreprocessorBomb) {
  options_.limits.memory_bytes = 128u << 20;
  ASSERT_TRUE(make().ok());
  std::string bomb = "#define A0 0,0,0,0,0,0,0,0,0,0\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "A" + std::to_string(i - 1);
    bomb += "#define A" + std::to_string(i) + " " + last;
    for (int k = 0; k < 9; ++k)
      bomb += "," + last;
    bomb += "\n";
  }
  expect_stopped(bomb + "int x[] = {A11};", "128 MiB of memory");
}

TEST_P(CompilerBehind, StopsAnImageThatIsTooLarge) {
  expect_stopped("char x[100 << 20] = {1};", "more than 8 MiB");
}

TEST_P(CompilerBehind, CutsAnEndlessLog) {
  options_.limits.log_bytes = 4096;
  ASSERT_TRUE(make().ok());
  std::string source;
  for (int i = 0; i < 1000; ++i)
    source += "wrong w" + std::to_string(i) + ";\n";
  const CompileOutcome outcome = compile(source);
  EXPECT_EQ(outcome.reason, FailureReason::compile_error);
  EXPECT_LT(outcome.message.size(), 4096u + 200u);
}

INSTANTIATE_TEST_SUITE_P(Walls, CompilerBehind,
                         ::testing::Values(Kind{"confinement", CompilerWalls::confinement},
                                           Kind{"bubblewrap", CompilerWalls::bubblewrap},
                                           Kind{"none", CompilerWalls::none}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(CompileWalls, TheAutomaticChoiceIsTheCheapestThatHolds) {
  CompileWalls walls;
  ASSERT_TRUE(walls.prepare(CompilerWalls::automatic, "/usr/bin/g++", "/usr/include").ok());
  if (can_confine()) {
    EXPECT_EQ(walls.chosen(), CompilerWalls::confinement);
  } else {
    EXPECT_NE(walls.chosen(), CompilerWalls::confinement);
  }
}

TEST(CompileWalls, ACompilerOfItsOwnFolderIsSeen) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() + "/gcc/bin");
  std::filesystem::create_directories(folder.path() + "/gcc/lib/gcc");
  const std::string program = folder.path() + "/gcc/bin/c++";
  std::ofstream(program) << "x";
  const std::string real = std::filesystem::canonical(folder.path());
  EXPECT_EQ(folders_of_compiler(program), std::vector<std::string>{real + "/gcc"});
  std::filesystem::remove_all(folder.path() + "/gcc/lib");
  EXPECT_EQ(folders_of_compiler(program), std::vector<std::string>{real + "/gcc/bin/c++"});
  EXPECT_TRUE(folders_of_compiler("/usr/bin/g++").empty());
}

}  // namespace
}  // namespace fastgpu::exec::test
