#pragma once

/// The file operations of job folders, so that JobFolders is the same code over a real disk
/// (FileJobs) and over one in memory (MemoryJobs).
///
/// Owned by the objects actor and called on it only; every call does a bounded amount of work.
/// Folders and paths were checked by job_paths, but for names that the disk itself gave. No call
/// ever follows a symbolic link, whoever put it where: jobs are hostile. Nothing is synced: a
/// folder is worth nothing after a crash, and what an earlier life left is dropped at the start.
/// Failure: an Error with its path; a full disk is `disk_full`, a file that is not there
/// `output_missing`. Nothing aborts.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::objects {

enum class JobFileKind : std::uint8_t {
  file,
  folder,
  other,  ///< a symbolic link, a socket, a pipe, a device: never read
};
struct JobFileInfo {
  JobFileKind kind{JobFileKind::file};
  std::uint64_t size_bytes{};
  bool executable{false};
  bool operator==(const JobFileInfo&) const = default;
};

class JobDisk {
 public:
  virtual ~JobDisk() = default;

  // --- filling: the command has not started ------------------------------------------------------
  /// A new empty folder that only the job and its node may enter; refused if the name is taken.
  virtual base::Status make(const std::string& folder) = 0;
  /// A folder below it whose parent is there.
  virtual base::Status make_folder(const std::string& folder, const std::string& path) = 0;
  /// A new empty file.
  virtual base::Status make_file(const std::string& folder, const std::string& path,
                                 bool executable) = 0;
  virtual base::Status append(const std::string& folder, const std::string& path,
                              std::span<const std::uint8_t> data) = 0;
  /// Gives an empty file the contents of a file of the host without copying them, where the file
  /// system can share blocks until one side is written. False: it cannot, nothing was done.
  virtual bool clone(const std::string& folder, const std::string& path,
                     const std::string& source) = 0;

  // --- reading: the command has ended ------------------------------------------------------------
  virtual base::Result<JobFileInfo> info(const std::string& folder, const std::string& path) = 0;
  virtual base::Result<base::Bytes> read(const std::string& folder, const std::string& path,
                                         std::uint64_t offset, std::uint64_t length) = 0;
  /// The names in a folder, sorted; more than `names_max` of them are an Error.
  virtual base::Result<std::vector<std::string>> names(const std::string& folder,
                                                       const std::string& path,
                                                       std::size_t names_max) = 0;

  // --- dropping ----------------------------------------------------------------------------------
  /// The name is free at once; what was in it goes by `sweep`. One that is not there is no failure.
  virtual void drop(const std::string& folder) = 0;
  /// All folders: of an earlier life.
  virtual void drop_all() = 0;
  /// Removes up to `entries_max` files and folders of what was dropped; true while more is left.
  /// What cannot be removed is left for the next life.
  virtual bool sweep(std::size_t entries_max) = 0;

  /// Where the command finds its folder.
  virtual std::string host_path(const std::string& folder) const = 0;
  virtual std::uint64_t bytes_free() const = 0;
};

}  // namespace fastgpu::objects
