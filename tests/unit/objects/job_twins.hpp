#pragma once

/// The twins of JobDisk, and what a job does in its folder, for tests of either.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "runtime/objects/jobs/file_jobs.hpp"
#include "runtime/objects/jobs/memory_jobs.hpp"

namespace fastgpu::objects {

/// A real folder of its own, removed at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fastgpu-jobs-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class FileJobsTwin {
 public:
  JobDisk& disk() { return *jobs_; }
  JobDisk& new_life() {
    jobs_ = open();
    return *jobs_;
  }
  void write(const std::string& folder, const std::string& path, std::string_view text,
             bool executable = false) {
    const std::filesystem::path file = jobs_->host_path(folder) + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    if (executable) {
      std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    }
  }
  void link(const std::string& folder, const std::string& path) {
    std::filesystem::create_symlink("/etc/passwd", jobs_->host_path(folder) + "/" + path);
  }
  const std::string& path() const { return folder_.path(); }

 protected:
  explicit FileJobsTwin(FileJobsOptions options) : options_(options) {}

 private:
  std::unique_ptr<FileJobs> open() {
    auto opened = FileJobs::open(folder_.path() + "/jobs", options_);
    EXPECT_TRUE(opened.ok());
    return std::move(opened).value();
  }
  TestFolder folder_;
  const FileJobsOptions options_;
  std::unique_ptr<FileJobs> jobs_ = open();
};

class ResolvingTwin : public FileJobsTwin {
 public:
  ResolvingTwin() : FileJobsTwin({}) {}
};
class WalkingTwin : public FileJobsTwin {
 public:
  WalkingTwin() : FileJobsTwin({.walk = true}) {}
};
class MemoryJobsTwin {
 public:
  JobDisk& disk() { return jobs_; }
  JobDisk& new_life() { return jobs_; }
  void write(const std::string& folder, const std::string& path, std::string_view text,
             bool executable = false) {
    jobs_.write(folder, path, text, executable);
  }
  void link(const std::string& folder, const std::string& path) { jobs_.link(folder, path); }

 private:
  MemoryJobs jobs_;
};

}  // namespace fastgpu::objects
