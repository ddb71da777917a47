#include "runtime/objects/jobs/job_paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"

namespace fastgpu::objects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(JobPaths, TakesPathsThatStayBelowTheirFolder) {
  for (const std::string path : {"a", "a/b.txt", "...", ".hidden/..x", "with blank", "\xff\xfe"}) {
    EXPECT_TRUE(check_path(path).ok()) << path;
  }
}

TEST(JobPaths, RefusesPathsThatLeadElsewhere) {
  for (const std::string& path :
       {std::string(), std::string("/etc/passwd"), std::string(".."), std::string("a/../../b"),
        std::string("./a"), std::string("a//b"), std::string("a/"), std::string("a\0b", 3),
        std::string(256, 'x'),
        std::string("a/") + std::string(base::limits::path_bytes_max, 'x')}) {
    const auto status = check_path(path);
    ASSERT_FALSE(status.ok()) << path;
    EXPECT_EQ(status.error().kind, base::ErrorKind::invalid);
  }
}

TEST(JobPaths, RefusesAPathTwiceAndAFileWhereAFolderIsNeeded) {
  EXPECT_TRUE(check_paths(std::vector<std::string>{"a/b", "a/c", "ab"}).ok());
  EXPECT_THAT(check_paths(std::vector<std::string>{"a", "b", "a"}).error().message,
              HasSubstr("\"a\" is named twice"));
  EXPECT_THAT(check_paths(std::vector<std::string>{"a/b/c", "a/b"}).error().message,
              HasSubstr("\"a/b\" is named as a file and as a folder"));
}

TEST(JobPaths, TakesNamesOfFoldersThatAreOnePlainComponent) {
  EXPECT_TRUE(check_folder_name("17.3.0-1-5-9").ok());
  for (const std::string name : {"", ".trash", "..", "a/b", "a b", "ab\n"}) {
    EXPECT_FALSE(check_folder_name(name).ok()) << name;
  }
}

TEST(JobPaths, NamesTheFoldersAboveAFileOutermostFirst) {
  EXPECT_THAT(folders_above("a/b/c"), ElementsAre("a", "a/b"));
  EXPECT_TRUE(folders_above("a").empty());
}

TEST(JobPaths, ShowsHostileNamesWithoutTheirControlCharacters) {
  EXPECT_EQ(printable("a\x1b[31m\"b"), "a?[31m?b");
  EXPECT_EQ(printable(std::string(300, 'x')), std::string(200, 'x') + "...");
}

}  // namespace
}  // namespace fastgpu::objects
