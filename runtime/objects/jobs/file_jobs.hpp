#pragma once

/// The JobDisk on a real file system: the jobs folder of this node. One thread, as its JobFolders.
///
/// Jobs own what is below their folder and may have done anything to it: links out of it, names of
/// any bytes, modes that lock us out, trees deeper than a path may be long, pipes, mounts. So a
/// path is resolved by the kernel below the jobs folder, without links and without leaving the file
/// system, and a dropped tree is taken apart flat: a folder found in it is moved up into the trash
/// and opened from there, one at a time, whatever its depth was.

#include <dirent.h>

#include <memory>
#include <set>
#include <string>

#include "runtime/objects/jobs/job_disk.hpp"

namespace fastgpu::objects {

struct FileJobsOptions {
  /// Resolve component by component, as on kernels and in containers without openat2.
  bool walk{false};
};

/// An open file, closed with its owner.
class OwnedFile {
 public:
  explicit OwnedFile(int file = -1) : file_(file) {}
  ~OwnedFile();
  OwnedFile(OwnedFile&& other) noexcept : file_(other.release()) {}
  OwnedFile& operator=(OwnedFile&& other) noexcept;
  explicit operator bool() const { return file_ >= 0; }
  int get() const { return file_; }
  int release();

 private:
  int file_;
};

class FileJobs final : public JobDisk {
 public:
  /// Makes `path` if it is not there. Others may pass through it to the job folder that is theirs,
  /// but not list it. Job folders are this process's own; the warden of a node that is root gives
  /// each to the user of its command, when that starts.
  static base::Result<std::unique_ptr<FileJobs>> open(std::string path,
                                                      FileJobsOptions options = {});

  base::Status make(const std::string& folder) override;
  base::Status make_folder(const std::string& folder, const std::string& path) override;
  base::Status make_file(const std::string& folder, const std::string& path,
                         bool executable) override;
  base::Status append(const std::string& folder, const std::string& path,
                      std::span<const std::uint8_t> data) override;
  bool clone(const std::string& folder, const std::string& path,
             const std::string& source) override;
  base::Result<JobFileInfo> info(const std::string& folder, const std::string& path) override;
  base::Result<base::Bytes> read(const std::string& folder, const std::string& path,
                                 std::uint64_t offset, std::uint64_t length) override;
  base::Result<std::vector<std::string>> names(const std::string& folder, const std::string& path,
                                               std::size_t names_max) override;
  void drop(const std::string& folder) override;
  void drop_all() override;
  bool sweep(std::size_t entries_max) override;
  std::string host_path(const std::string& folder) const override { return path_ + "/" + folder; }
  std::uint64_t bytes_free() const override;

 private:
  struct CloseFolder {
    void operator()(DIR* folder) const { closedir(folder); }
  };
  using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

  FileJobs(std::string path, FileJobsOptions options, OwnedFile root, OwnedFile trash)
      : path_(std::move(path)),
        options_(options),
        root_(std::move(root)),
        trash_(std::move(trash)) {}
  /// Opens what lies at `path` below the jobs folder; errno tells why not.
  OwnedFile open_below(const std::string& path, int flags, unsigned mode = 0) const;
  OwnedFile walk_below(const std::string& path, int flags, unsigned mode) const;
  base::Status make_at(const std::string& path);
  base::Error error_of(const std::string& path, const char* action, std::uint64_t bytes = 0) const;
  bool trash_entry(int folder, const char* name);
  bool begin_folder();
  void end_folder();

  const std::string path_;
  const FileJobsOptions options_;
  OwnedFile root_;
  OwnedFile trash_;
  std::uint64_t last_trash_{0};

  // The folder in the trash that `sweep` is emptying.
  std::string sweeping_name_;
  OpenFolder sweeping_;
  bool sweeping_went_on_{false};
  std::set<std::string> stuck_;  ///< could not be removed in this life
};

}  // namespace fastgpu::objects
