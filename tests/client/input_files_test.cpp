#include "client/input_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace fastgpu::client {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string text(const Source& source) {
  const auto data = source.read();
  return data.ok() ? std::string(data.value().text()) : data.error().message;
}

/// A folder of this test's own.
class InputFiles : public testing::Test {
 protected:
  InputFiles() {
    std::string name = (fs::temp_directory_path() / "fastgpu-inputs-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~InputFiles() override { fs::remove_all(folder_); }

  std::string write(const std::string& path, const std::string& data) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path, std::ios::binary) << data;
    return (folder_ / path).string();
  }

  fs::path folder_;
  v1::JobSpec spec_;
};

TEST_F(InputFiles, AreFoundByTheirOwnNamesOrByThoseGiven) {
  const std::string file = write("data.csv", "1,2\n");
  spec_.input(file).input(file, "in/first.csv");
  const auto found = find_inputs(spec_.contents());
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found.value().size(), 2u);
  EXPECT_EQ(found.value()[0].path, "data.csv");
  EXPECT_EQ(found.value()[1].path, "in/first.csv");
  EXPECT_EQ(text(found.value()[1].sources.at(0)), "1,2\n");
}

TEST_F(InputFiles, KeepTheirRightToBeExecuted) {
  const std::string script = write("run.sh", "#!/bin/sh\n");
  fs::permissions(script, fs::perms::owner_all);
  spec_.input(script).input(write("plain", ""));
  const auto found = find_inputs(spec_.contents());
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found.value()[0].executable);
  EXPECT_FALSE(found.value()[1].executable);
}

TEST_F(InputFiles, DifferByTaskWhereTheirNameDoes) {
  write("part-0", "a");
  write("part-1", "b");
  spec_.tasks(2).input((folder_ / "part-{}").string(), "part");
  const auto found = find_inputs(spec_.contents());
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found.value().at(0).sources.size(), 2u);
  EXPECT_EQ(text(found.value()[0].sources[1]), "b");
}

TEST_F(InputFiles, OfAFolderAreAllBelowItInOrder) {
  write("project/b.py", "b");
  write("project/a/deep.txt", "deep");
  spec_.input((folder_ / "project").string());
  spec_.input((folder_ / "project").string(), ".");
  spec_.input((folder_ / "project/").string());  // as a shell completes it
  const auto found = find_inputs(spec_.contents());
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found.value().size(), 6u);
  EXPECT_EQ(found.value()[4].path, "project/a/deep.txt");
  EXPECT_EQ(found.value()[0].path, "project/a/deep.txt");
  EXPECT_EQ(found.value()[1].path, "project/b.py");
  EXPECT_EQ(found.value()[2].path, "a/deep.txt");
  EXPECT_EQ(text(found.value()[3].sources.at(0)), "b");
}

TEST_F(InputFiles, ThatAreNotThereAreNamed) {
  spec_.input((folder_ / "no-such-file").string());
  const auto found = find_inputs(spec_.contents());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, base::ErrorCode::file_not_found);
  EXPECT_THAT(found.error().message, HasSubstr("no-such-file"));
}

TEST_F(InputFiles, ThatShrinkBeforeTheyAreReadAreErrors) {
  spec_.input(write("data", "12345678"));
  const auto found = find_inputs(spec_.contents());
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found.value().at(0).sources.at(0).size_bytes(), 8u);
  write("data", "1234");
  const auto data = found.value()[0].sources[0].read();
  ASSERT_FALSE(data.ok());
  EXPECT_EQ(data.error().code, base::ErrorCode::file_not_found);
  EXPECT_THAT(data.error().message, HasSubstr("became shorter"));
}

}  // namespace
}  // namespace fastgpu::client
