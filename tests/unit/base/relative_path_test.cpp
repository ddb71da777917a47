#include "runtime/base/relative_path.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "runtime/base/limits.hpp"

namespace fastgpu::base {
namespace {

TEST(RelativePath, TakesFilesBelowTheFolder) {
  for (const char* path : {"a", "a/b.txt", ".hidden", "a/..b/c...", "with blank", "-x"}) {
    EXPECT_TRUE(check_relative_path(path).ok()) << path;
  }
}

TEST(RelativePath, RefusesWhatCouldLeaveTheFolder) {
  using namespace std::string_view_literals;
  for (const std::string_view path : {""sv, "/"sv, "/etc/passwd"sv, ".."sv, "a/../b"sv, "a/.."sv,
                                      "./a"sv, "a//b"sv, "a/"sv, "a/."sv, "a\0b"sv}) {
    const Status status = check_relative_path(path);
    ASSERT_FALSE(status.ok()) << path;
    EXPECT_EQ(status.error().code, ErrorCode::bad_argument);
    EXPECT_FALSE(status.error().hint.empty());
  }
}

TEST(RelativePath, IsBounded) {
  EXPECT_TRUE(check_relative_path(std::string(limits::path_bytes_max, 'a')).ok());
  EXPECT_FALSE(check_relative_path(std::string(limits::path_bytes_max + 1, 'a')).ok());
}

}  // namespace
}  // namespace fastgpu::base
