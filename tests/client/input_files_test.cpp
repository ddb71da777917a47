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

std::string text(const base::Bytes& data) {
  return std::string(data.text());
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
  const auto loaded = load_inputs(spec_.contents());
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.value().size(), 2u);
  EXPECT_EQ(loaded.value()[0].path, "data.csv");
  EXPECT_EQ(loaded.value()[1].path, "in/first.csv");
  EXPECT_EQ(text(loaded.value()[1].data.at(0)), "1,2\n");
}

TEST_F(InputFiles, KeepTheirRightToBeExecuted) {
  const std::string script = write("run.sh", "#!/bin/sh\n");
  fs::permissions(script, fs::perms::owner_all);
  spec_.input(script).input(write("plain", ""));
  const auto loaded = load_inputs(spec_.contents());
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(loaded.value()[0].executable);
  EXPECT_FALSE(loaded.value()[1].executable);
}

TEST_F(InputFiles, DifferByTaskWhereTheirNameDoes) {
  write("part-0", "a");
  write("part-1", "b");
  spec_.tasks(2).input((folder_ / "part-{}").string(), "part");
  const auto loaded = load_inputs(spec_.contents());
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.value().at(0).data.size(), 2u);
  EXPECT_EQ(text(loaded.value()[0].data[1]), "b");
}

TEST_F(InputFiles, OfAFolderAreAllBelowItInOrder) {
  write("project/b.py", "b");
  write("project/a/deep.txt", "deep");
  spec_.input((folder_ / "project").string());
  spec_.input((folder_ / "project").string(), ".");
  const auto loaded = load_inputs(spec_.contents());
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.value().size(), 4u);
  EXPECT_EQ(loaded.value()[0].path, "project/a/deep.txt");
  EXPECT_EQ(loaded.value()[1].path, "project/b.py");
  EXPECT_EQ(loaded.value()[2].path, "a/deep.txt");
  EXPECT_EQ(text(loaded.value()[3].data.at(0)), "b");
}

TEST_F(InputFiles, ThatAreNotThereAreNamed) {
  spec_.input((folder_ / "no-such-file").string());
  const auto loaded = load_inputs(spec_.contents());
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, base::ErrorCode::file_not_found);
  EXPECT_THAT(loaded.error().message, HasSubstr("no-such-file"));
}

}  // namespace
}  // namespace fastgpu::client
