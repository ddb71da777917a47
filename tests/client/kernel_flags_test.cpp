#include "node/cli/flags/job_flags.hpp"

#include <gtest/gtest.h>

#include <map>

#include "client/spec_contents.hpp"

namespace fastgpu::cli {
namespace {

using protocol::BufferUse;
using protocol::ScalarType;

TEST(KernelFlags, ReadsEveryFormOfAnArgument) {
  const auto parsed = [](const char* text) { return parse_argument(text).value(); };
  EXPECT_EQ(parsed("i32:1048576"), ArgumentFlag(ScalarFlag{ScalarType::i32, "1048576"}));
  EXPECT_EQ(parsed("f64:{}"), ArgumentFlag(ScalarFlag{ScalarType::f64, "{}"}));
  EXPECT_EQ(parsed("in:x.f32"), ArgumentFlag(BufferFlag{BufferUse::in, "x.f32", "", 0}));
  EXPECT_EQ(parsed("out:y=1.f32=16KiB"),
            ArgumentFlag(BufferFlag{BufferUse::out, "", "y=1.f32", 16384}));
  EXPECT_EQ(parsed("inout:y.f32"), ArgumentFlag(BufferFlag{BufferUse::inout, "y.f32", "y.f32", 0}));
  EXPECT_EQ(parsed("inout:y.f32=new.f32"),
            ArgumentFlag(BufferFlag{BufferUse::inout, "y.f32", "new.f32", 0}));
  EXPECT_EQ(parsed("scratch:1MiB"), ArgumentFlag(BufferFlag{BufferUse::scratch, "", "", 1 << 20}));
}

TEST(KernelFlags, RefusesWhatIsNoArgumentAndShowsTheForms) {
  for (const char* text : {"42", "i33:1", "i32:", "in:", "out:y.f32", "out:=4", "out:y=big",
                           "scratch:", "inout:", ":1"}) {
    const auto argument = parse_argument(text);
    ASSERT_FALSE(argument.ok()) << text;
    EXPECT_EQ(argument.error().code, base::ErrorCode::usage);
    EXPECT_NE(argument.error().hint.find("out:FILE=SIZE"), std::string::npos);
  }
}

/// Files that exist in the test only.
class Files {
 public:
  using Contents = std::map<std::string, std::string>;
  explicit Files(Contents files) : files_(std::move(files)) {}
  base::Result<std::vector<std::uint8_t>> operator()(const std::string& path) const {
    const auto found = files_.find(path);
    if (found == files_.end()) {
      return base::Error{base::ErrorKind::invalid, base::ErrorCode::file_not_found, path, ""};
    }
    return std::vector<std::uint8_t>(found->second.begin(), found->second.end());
  }

 private:
  Contents files_;
};

JobFlags saxpy() {
  JobFlags flags;
  flags.kernel.kernel = "saxpy<float>";
  flags.kernel.source = "saxpy.cu";
  return flags;
}

bool no_file(const std::string&) {
  return false;
}

TEST(KernelFlags, MakesAJobOfThem) {
  JobFlags flags = saxpy();
  flags.kernel.grid = "4096";
  flags.kernel.block = "16,16";
  flags.kernel.shared = "2KiB";
  flags.kernel.defines = {"A", "B=2"};
  flags.time_limit = "90s";
  flags.retries = 2;
  flags.crash_limit = 3;
  flags.if_infeasible = "wait";
  flags.device = "cpu";
  flags.kernel.arguments = {"i32:7", "in:x.f32", "inout:y.f32=z.f32", "scratch:64"};
  const auto job = job_from(
      flags, Files({{"saxpy.cu", "source"}, {"x.f32", "abcd"}, {"y.f32", "efghijkl"}}), no_file);
  ASSERT_TRUE(job.ok()) << job.error().message;
  const v1::JobSpec::Contents& contents = job.value().contents();
  EXPECT_EQ(contents.kernel, "saxpy<float>");
  EXPECT_EQ(contents.source.text(), "source");
  EXPECT_EQ(contents.grid, (std::array<std::uint32_t, 3>{4096, 1, 1}));
  EXPECT_EQ(contents.block, (std::array<std::uint32_t, 3>{16, 16, 1}));
  EXPECT_EQ(contents.shared_bytes, 2048u);
  EXPECT_EQ(contents.defines[0].second, "1");
  EXPECT_EQ(contents.defines[1].second, "2");
  EXPECT_EQ(contents.time_limit, std::chrono::seconds(90));
  EXPECT_EQ(contents.retries, 2u);
  EXPECT_EQ(contents.crash_limit, 3u);
  EXPECT_TRUE(contents.wait_if_infeasible);
  ASSERT_EQ(contents.arguments.size(), 4u);
  const auto& inout = std::get<v1::JobSpec::Contents::Buffer>(contents.arguments[2]);
  EXPECT_EQ(inout.name, "z.f32");
  EXPECT_EQ(inout.size_bytes, 8u);
}

TEST(KernelFlags, ReadsAFileForEachTask) {
  JobFlags flags = saxpy();
  flags.tasks = 2;
  flags.kernel.arguments = {"in:x_{}.f32", "out:y_{}.f32=4"};
  const auto job =
      job_from(flags, Files({{"saxpy.cu", "s"}, {"x_0.f32", "aa"}, {"x_1.f32", "bbbb"}}), no_file);
  ASSERT_TRUE(job.ok()) << job.error().message;
  const auto& in = std::get<v1::JobSpec::Contents::Buffer>(job.value().contents().arguments[0]);
  ASSERT_EQ(in.data.size(), 2u);
  EXPECT_EQ(in.data[1].text(), "bbbb");
  EXPECT_EQ(in.size_bytes, 4u);
}

TEST(KernelFlags, RefusesTasksThatWouldWriteOneFile) {
  JobFlags flags = saxpy();
  flags.tasks = 2;
  flags.kernel.arguments = {"out:y.f32=4"};
  const auto job = job_from(flags, Files(Files::Contents{{"saxpy.cu", "s"}}), no_file);
  ASSERT_FALSE(job.ok());
  EXPECT_EQ(job.error().code, base::ErrorCode::usage);
}

TEST(KernelFlags, SaysWhichFileIsMissing) {
  JobFlags flags = saxpy();
  EXPECT_EQ(job_from(flags, Files(Files::Contents{}), no_file).error().code,
            base::ErrorCode::file_not_found);
  flags.kernel.arguments = {"in:x.f32"};
  EXPECT_EQ(job_from(flags, Files(Files::Contents{{"saxpy.cu", "s"}}), no_file).error().message,
            "x.f32");
}

TEST(KernelFlags, RefusesAJobWithoutAKernel) {
  JobFlags flags = saxpy();
  flags.kernel.kernel.clear();
  EXPECT_EQ(job_from(flags, Files(Files::Contents{}), no_file).error().code,
            base::ErrorCode::usage);
}

}  // namespace
}  // namespace fastgpu::cli
