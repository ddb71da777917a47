#include "runtime/exec/cpu/rewriter.hpp"

#include <gtest/gtest.h>

#include "runtime/exec/cpu/compiler.hpp"

namespace fastgpu::exec {
namespace {

std::string joined(const std::vector<Token>& tokens) {
  std::string text;
  for (const Token& token : tokens)
    text += token.text;
  return text;
}

int lines(std::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Lexer, TokensJoinedAreTheSource) {
  const std::string_view source =
      "#define A(x) \\\n  x /* \n */ + 1\nint a = 0x1'000p-3; // end\n"
      "const char* s = R\"x(a \" )\" )x\"; char c = '\\''; auto u = u8\"\\\"\"; /* open";
  EXPECT_EQ(joined(lex(source)), source);
}

TEST(Lexer, ARawLiteralIsOneToken) {
  const auto tokens = lex("R\"(__syncthreads(); \" )\" x");
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[0].kind, Token::Kind::text);
  EXPECT_EQ(tokens[2].text, "x");
}

TEST(Lexer, ADirectiveTakesItsContinuationLines) {
  const auto tokens = lex("#define A \\\n b\nc");
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[0].kind, Token::Kind::directive);
  EXPECT_EQ(tokens[2].text, "c");
}

TEST(Lexer, AnUnfinishedLiteralEndsWithItsLine) {
  const auto tokens = lex("'abc\nint");
  EXPECT_EQ(tokens.back().text, "int");
}

TEST(Rewriter, FindsKernelsBehindAttributesAndTemplates) {
  const Rewritten result = rewrite(
      "__global__ void plain(int* p) {}\n"
      "template <class T, int N = (1 > 0)> __global__ void __launch_bounds__(N) shaped(T* p) {}\n"
      "extern \"C\" __global__ __attribute__((noinline)) void named(int*);\n"
      "namespace a { static __global__ void inner() {} }\n");
  EXPECT_EQ(result.kernels,
            (std::set<std::string, std::less<>>{"inner", "named", "plain", "shaped"}));
  EXPECT_FALSE(result.hidden_kernels);
}

TEST(Rewriter, KnowsThatAMacroMayHideKernels) {
  const Rewritten result = rewrite("#define KERNEL __global__ void\nKERNEL k(int* p) {}\n");
  EXPECT_TRUE(result.hidden_kernels);
}

TEST(Rewriter, KeepsTheLinesOfTheSource) {
  const std::string source =
      "extern __shared__ __align__(16)\n  float\n s[];\nvoid f() {\n extern __shared__ int "
      "t[][4]\n;"
      "\n asm(\"x\");\n}\n";
  EXPECT_EQ(lines(rewrite(source).text), lines(source));
}

TEST(Rewriter, TellsSharedArraysOfBothScopes) {
  const Rewritten file = rewrite("extern __shared__ float s[];\n__global__ void k() {}");
  EXPECT_TRUE(file.shared_at_file_scope);
  const Rewritten function = rewrite("__global__ void k() { extern __shared__ float s[]; }");
  EXPECT_FALSE(function.shared_at_file_scope);
  EXPECT_NE(function.text.find("dynamic_shared<"), std::string::npos);
}

TEST(Rewriter, ReplacesAssemblerAlsoInMacros) {
  const Rewritten result = rewrite("#define X asm volatile(\"\")\nvoid f() { __asm__(\"\"); }");
  EXPECT_EQ(result.text.find("asm volatile"), std::string::npos);
  EXPECT_EQ(result.text.find(" __asm__"), std::string::npos);
}

struct WaitCase {
  const char* what;
  const char* source;
  const char* kernel;
  bool waits;
};

std::ostream& operator<<(std::ostream& out, const WaitCase& one) {
  return out << one.what;
}

TEST(Rewriter, ReplacesLaunchesAndNoOtherMarks) {
  EXPECT_EQ(rewrite("k<int><<<1, n>>>(p);").text, "k<int>; __fastgpu_launch_in_source 1, n>>>(p);");
  for (const char* plain : {"friend T operator<<<>(T, U);", "a << b < c", "x<y<z>>()"})
    EXPECT_EQ(rewrite(plain).text, plain);
}

class Waiting : public ::testing::TestWithParam<WaitCase> {};

TEST_P(Waiting, IsSeen) {
  EXPECT_EQ(rewrite(GetParam().source).may_wait(GetParam().kernel), GetParam().waits);
}

INSTANTIATE_TEST_SUITE_P(
    Barriers, Waiting,
    ::testing::Values(
        WaitCase{"none", "__global__ void k(int* p) { p[0] = 1; }", "k", false},
        WaitCase{"direct", "__global__ void k() { __syncthreads(); }", "k", true},
        WaitCase{"other", "__global__ void a() { __syncthreads(); } __global__ void k() {}", "k",
                 false},
        WaitCase{"comment", "__global__ void k() { /* __syncthreads(); */ }", "k", false},
        WaitCase{"raw", "__global__ void k() { auto s = R\"(__syncwarp();)\"; }", "k", false},
        WaitCase{"macro", "#define S() __syncthreads()\n__global__ void k() { S(); }", "k", true},
        WaitCase{"two_deep",
                 "__device__ void a() { __syncwarp(); } template <int N> __device__ void b() "
                 "{ a(); } __global__ void k() { b<3>(); }",
                 "k", true},
        WaitCase{"method",
                 "struct S { int g(int t) { __syncthreads(); return t; } };\n"
                 "__global__ void k() { S s; s.g(1); }",
                 "k", true},
        WaitCase{"attributed_struct",
                 "struct alignas(16) S { void g() { __syncthreads(); } };\n"
                 "__global__ void k() { S s; s.g(); }",
                 "k", true},
        WaitCase{"constructor_list",
                 "struct S { int x; __device__ S() : x(1) { __syncthreads(); } };\n"
                 "__global__ void k() { S s; }",
                 "k", true},
        WaitCase{"brace_list",
                 "struct S { int x; __device__ S() : x{1} { __syncthreads(); } };\n"
                 "__global__ void k() { S s; }",
                 "k", true},
        WaitCase{"operator",
                 "struct F { __device__ void operator()() { __syncthreads(); } };\n"
                 "__global__ void k() { F f; f(); }",
                 "k", true},
        WaitCase{"functor_argument",
                 "struct F { __device__ static void go() { __syncthreads(); } };\n"
                 "template <class T> __global__ void k() { T::go(); }",
                 "k<F>", true},
        WaitCase{"global_lambda",
                 "auto f = [] __device__ (int) { __syncthreads(); };\n"
                 "__global__ void k() { f(1); }",
                 "k", true},
        WaitCase{"macro_function",
                 "#define FN(n) __device__ void n()\nFN(sync) { __syncthreads(); }\n"
                 "__global__ void k() { sync(); }",
                 "k", true},
        WaitCase{"hidden_kernel", "#define K __global__ void\nK k() { __syncthreads(); }", "k",
                 true},
        WaitCase{"namespaced",
                 "namespace a { namespace b { __global__ void k() { __shfl_sync(1, 2, 3); } } }",
                 "a::b::k", true},
        WaitCase{"vote", "__global__ void k(int* p) { p[0] = __any_sync(1, 1); }", "k", true}),
    [](const auto& one) { return std::string(one.param.what); });

TEST(KernelBaseName, DropsScopesAndArguments) {
  EXPECT_EQ(kernel_base_name("a::b::k<float, x::y>"), "k");
  EXPECT_EQ(kernel_base_name("k"), "k");
  EXPECT_EQ(kernel_base_name("& k <1>"), "k");
}

TEST(JudgeLog, TellsWhoseFaultItIs) {
  KernelRequest request;
  request.expression = "saxpyy";
  const Rewritten source = rewrite("__global__ void saxpy() {} __global__ void other() {}");
  const auto unknown =
      judge_log("fastgpu-entry:1:1: error: 'saxpyy' was not declared", request, source);
  EXPECT_EQ(unknown.reason, base::FailureReason::bad_kernel);
  EXPECT_EQ(unknown.message, "no kernel 'saxpyy'; this source has: other, saxpy");
  const auto broken =
      judge_log("job.cu:3:5: error: expected ';'\nfastgpu-entry:1:1: error: x", request, source);
  EXPECT_EQ(broken.reason, base::FailureReason::compile_error);
  const auto assembler = judge_log(
      "job.cu:1:2: error: static assertion failed: inline PTX is not supported on the "
      "CPU device",
      request, source);
  EXPECT_EQ(assembler.reason, base::FailureReason::not_supported_on_device);
  request.expression = "saxpy";
  const auto unclear = judge_log("fastgpu-entry:1:1: error: overloaded", request, source);
  EXPECT_EQ(unclear.reason, base::FailureReason::bad_kernel);
  EXPECT_NE(unclear.message.find("k<float>"), std::string::npos);
}

}  // namespace
}  // namespace fastgpu::exec
