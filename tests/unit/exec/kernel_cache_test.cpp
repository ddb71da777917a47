// Compiling and keeping kernels, in this process, with real compilers.

#include "runtime/exec/cpu/kernel_cache.hpp"

#include <atomic>
#include <fstream>
#include <set>

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

KernelRequest request_for(const std::string& body) {
  KernelRequest request;
  request.source = "__global__ void k(int* p) { " + body + " }";
  request.expression = "k";
  return request;
}

KernelCacheOptions options_in(const std::string& folder) {
  KernelCacheOptions options;
  options.compiler.folder = folder;
  options.compiler.child_program = FASTGPU_TEST_EXECUTOR;
  return options;
}

std::vector<std::string> kernels_in(const std::string& folder) {
  std::vector<std::string> result;
  for (const auto& item : std::filesystem::recursive_directory_iterator(folder))
    if (item.path().extension() == ".so")
      result.push_back(item.path());
  return result;
}

TEST(KernelCache, CompilesOnceHoweverManyAsk) {
  const TemporaryFolder folder;
  KernelCache cache(options_in(folder.path()), {});
  const KernelRequest request = request_for("*p = 1;");
  std::set<std::shared_ptr<const KernelEntry>> entries;
  for (int i = 0; i < 10; ++i)
    entries.insert(cache.request(request));
  ASSERT_EQ(entries.size(), 1u);
  const auto entry = cache.wait(*entries.begin());
  EXPECT_EQ(entry->reason, base::FailureReason::none) << entry->message;
  EXPECT_TRUE(entry->compiled);
  EXPECT_GT(entry->compiler_cpu_ns, 0u);
  EXPECT_FALSE(entry->module->fibres());
  EXPECT_EQ(kernels_in(folder.path()).size(), 1u);
}

TEST(KernelCache, FindsInTheFolderWhatAnotherMade) {
  const TemporaryFolder folder;
  const KernelRequest request = request_for("*p = 2;");
  {
    KernelCache first(options_in(folder.path()), {});
    first.wait(first.request(request));
  }
  KernelCache second(options_in(folder.path()), {});
  const auto entry = second.wait(second.request(request));
  EXPECT_FALSE(entry->compiled);
  ASSERT_NE(entry->module, nullptr);
  EXPECT_EQ(entry->module->kernel().parameter_count, 1u);
}

TEST(KernelCache, MakesATornFileAnew) {
  const TemporaryFolder folder;
  const KernelRequest request = request_for("*p = 3;");
  {
    KernelCache first(options_in(folder.path()), {});
    first.wait(first.request(request));
  }
  const auto files = kernels_in(folder.path());
  ASSERT_EQ(files.size(), 1u);
  std::filesystem::resize_file(files[0], std::filesystem::file_size(files[0]) / 2);
  KernelCache second(options_in(folder.path()), {});
  const auto entry = second.wait(second.request(request));
  EXPECT_TRUE(entry->compiled);
  EXPECT_NE(entry->module, nullptr);
}

TEST(KernelCache, TellsRequestsApartByEveryField) {
  Compiler compiler({"", FASTGPU_TEST_EXECUTOR, shared_cache_folder(), {}, {}});
  ASSERT_TRUE(compiler.prepare().ok());
  std::set<base::ObjectHash> keys;
  KernelRequest request = request_for("");
  keys.insert(compiler.key(request));
  request.expression = "l";
  keys.insert(compiler.key(request));
  request.defines = {"A", "B"};
  keys.insert(compiler.key(request));
  request.defines = {"AB"};
  keys.insert(compiler.key(request));
  request.standard = Standard::cpp20;
  keys.insert(compiler.key(request));
  request.precise = true;
  keys.insert(compiler.key(request));
  request.precise = false;
  request.force_fibres = true;
  keys.insert(compiler.key(request));
  request.source += " ";
  keys.insert(compiler.key(request));
  EXPECT_EQ(keys.size(), 8u);
}

TEST(KernelCache, RemembersTheSourcesOwnFailures) {
  const TemporaryFolder folder;
  KernelCache cache(options_in(folder.path()), {});
  const KernelRequest request = request_for("this is no C++;");
  const auto entry = cache.wait(cache.request(request));
  EXPECT_EQ(entry->reason, base::FailureReason::compile_error);
  EXPECT_EQ(cache.request(request), entry);
  EXPECT_TRUE(kernels_in(folder.path()).empty());
}

/// A compiler that leaves a mark per run, behind no walls, so that it can.
std::string counting_compiler(const std::string& folder) {
  const std::string path = folder + "/c++";
  std::ofstream(path) << "#!/bin/sh\necho x >> '" << folder << "/runs'\nexec g++ \"$@\"\n";
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  return path;
}
std::size_t runs_in(const std::string& folder) {
  std::error_code none;
  const auto bytes = std::filesystem::file_size(folder + "/runs", none);
  return none ? 0 : bytes / 2;
}

TEST(KernelCache, AThousandTasksOfAWrongKernelCompileOnce) {
  const TemporaryFolder folder;
  KernelCacheOptions options = options_in(folder.path() + "/cache");
  options.compiler.program = counting_compiler(folder.path());
  options.compiler.walls = CompilerWalls::none;
  KernelCache cache(options, {});
  const KernelRequest request = request_for("this is no C++;");
  for (int i = 0; i < 1000; ++i) {
    const auto entry = cache.request(request);
    if (i % 100 == 50) {  // some ask while it is being compiled, most when it has failed
      EXPECT_EQ(cache.wait(entry)->reason, base::FailureReason::compile_error);
    }
  }
  EXPECT_EQ(runs_in(folder.path()), 1u);
}

TEST(KernelCache, ForgetsAFailureAfterAWhile) {
  const TemporaryFolder folder;
  std::atomic<std::chrono::steady_clock::time_point> now{};
  KernelCacheOptions options = options_in(folder.path());
  options.now = [&now] { return now.load(); };
  KernelCache cache(options, {});
  const KernelRequest request = request_for("this is no C++;");
  const auto first = cache.wait(cache.request(request));
  now = now.load() + options.failure_kept - std::chrono::milliseconds(1);
  EXPECT_EQ(cache.request(request), first);
  now = now.load() + std::chrono::milliseconds(1);
  const auto second = cache.wait(cache.request(request));
  EXPECT_NE(second, first);
  EXPECT_EQ(second->reason, base::FailureReason::compile_error);
  const KernelRequest good = request_for("*p = 8;");
  const auto kernel = cache.wait(cache.request(good));
  now = now.load() + std::chrono::hours(1);
  EXPECT_EQ(cache.request(good), kernel);
}

TEST(KernelCache, KeepsFewFailuresAndNoKernelLessForThem) {
  const TemporaryFolder folder;
  KernelCacheOptions options = options_in(folder.path());
  options.failures_max = 1;
  KernelCache cache(options, {});
  const auto kernel = cache.wait(cache.request(request_for("*p = 9;")));
  const auto first = cache.wait(cache.request(request_for("wrong;")));
  const auto second = cache.wait(cache.request(request_for("as wrong;")));
  EXPECT_EQ(cache.request(request_for("*p = 9;")), kernel);
  EXPECT_EQ(cache.request(request_for("as wrong;")), second);
  EXPECT_NE(cache.wait(cache.request(request_for("wrong;"))), first);
}

TEST(KernelCache, StopsACompilerThatTakesTooLong) {
  const TemporaryFolder folder;
  KernelCacheOptions options = options_in(folder.path());
  options.compiler.limits.wall = std::chrono::milliseconds(1);
  KernelCache cache(options, {});
  const auto entry = cache.wait(cache.request(request_for("*p = 4;")));
  EXPECT_EQ(entry->reason, base::FailureReason::compile_error);
  EXPECT_NE(entry->message.find("stopped after 1 ms"), std::string::npos) << entry->message;
}

TEST(KernelCache, SaysThatThereIsNoCompiler) {
  const TemporaryFolder folder;
  KernelCacheOptions options = options_in(folder.path());
  options.compiler.program = "/nonexistent/c++";
  KernelCache cache(options, {});
  const auto entry = cache.wait(cache.request(request_for("*p = 5;")));
  EXPECT_EQ(entry->reason, base::FailureReason::not_supported_on_device);
  EXPECT_NE(entry->message.find("no compiler"), std::string::npos) << entry->message;
}

TEST(KernelCache, TriesAgainWhereItsFolderCouldNotBeWritten) {
  const TemporaryFolder folder;
  const std::string place = folder.path() + "/cache";
  std::ofstream(place) << "no folder";
  KernelCache cache(options_in(place), {});
  const KernelRequest request = request_for("*p = 6;");
  const auto refused = cache.wait(cache.request(request));
  EXPECT_EQ(refused->reason, base::FailureReason::staging_failed) << "the source is good";
  EXPECT_NE(refused->message.find("cannot write"), std::string::npos) << refused->message;
  std::filesystem::remove(place);
  const auto made = cache.wait(cache.request(request));
  EXPECT_EQ(made->reason, base::FailureReason::none) << made->message;
}

TEST(KernelCache, ForgetsTheLeastRecentlyUsed) {
  const TemporaryFolder folder;
  KernelCacheOptions options = options_in(folder.path());
  options.loaded_max = 1;
  KernelCache cache(options, {});
  const auto first = cache.wait(cache.request(request_for("*p = 6;")));
  cache.wait(cache.request(request_for("*p = 7;")));
  const auto again = cache.wait(cache.request(request_for("*p = 6;")));
  EXPECT_NE(again, first);
  EXPECT_FALSE(again->compiled);
}

TEST(Module, PutsGlobalsBack) {
  const TemporaryFolder folder;
  KernelCache cache(options_in(folder.path()), {});
  KernelRequest request = request_for("*p = ++counter + table[0]++;");
  request.source = "__device__ int counter = 5; __device__ int table[100]; " + request.source;
  const auto entry = cache.wait(cache.request(request));
  ASSERT_NE(entry->module, nullptr) << entry->message;
  EXPECT_GT(entry->module->global_bytes(), 400u);
}

}  // namespace
}  // namespace fastgpu::exec::test
