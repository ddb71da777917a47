#pragma once

/// Two long pieces of work on a job's folder, cut into short slices: filling it before the command
/// starts, and keeping what the command left. Beneath JobFolders, which gives them turns; each does
/// about limits::folder_slice_bytes and limits::folder_slice_files in one. Contents pass in pieces,
/// never whole. Failure: the first Error ends the work; what it made is the caller's to drop.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/objects/blob_store.hpp"
#include "runtime/objects/jobs/job_disk.hpp"

namespace fastgpu::objects {

/// Bytes that a BlobStore has.
struct StoredBytes {
  base::ObjectHash hash;
  std::uint64_t size_bytes{};
  bool operator==(const StoredBytes&) const = default;
};
struct JobFile {
  std::string path;
  bool executable{false};
  std::variant<base::Bytes, StoredBytes> data;
  bool operator==(const JobFile&) const = default;
};

/// What the works stand on. `reserve_bytes` of the disk stay free.
struct FolderGround {
  JobDisk& disk;
  BlobStore& store;
  std::uint64_t reserve_bytes{};
};

class PrepareWork {
 public:
  PrepareWork(std::string folder, std::vector<JobFile> files)
      : folder_(std::move(folder)), files_(std::move(files)) {}
  /// The path on the host at the end; nothing while there is more to do.
  std::optional<base::Result<std::string>> advance(const FolderGround& ground);
  const std::string& folder() const { return folder_; }
  bool made() const { return made_; }

 private:
  base::Status begin(const FolderGround& ground);
  base::Status check(const FolderGround& ground) const;
  base::Status fill(const FolderGround& ground, std::uint64_t& bytes_left);

  std::string folder_;
  std::vector<JobFile> files_;
  bool made_{false};
  std::size_t next_file_{0};
  std::uint64_t next_offset_{0};  ///< in that file
  bool file_made_{false};
};

class CollectWork {
 public:
  /// `partial`: outputs that are not there are left out, where else they end it.
  CollectWork(std::string folder, std::vector<std::string> outputs, bool partial)
      : folder_(std::move(folder)), outputs_(std::move(outputs)), partial_(partial) {}
  /// The files at the end, by path, each durable; nothing while there is more to do.
  std::optional<base::Result<std::vector<JobFile>>> advance(const FolderGround& ground);
  /// To be called when it is given up before its end.
  void abandon(BlobStore& store);
  const std::string& folder() const { return folder_; }
  /// Links, pipes and such below a folder that was named, and what a partial one lacks: not kept.
  std::size_t left_out() const { return left_out_; }

 private:
  base::Status begin();
  base::Status look(JobDisk& disk);
  base::Status left_out_or(const base::Error& error);
  base::Status found_file(const std::string& path, const JobFileInfo& info);
  base::Status found_folder(const std::string& path, JobDisk& disk);
  base::Status keep(const FolderGround& ground, std::uint64_t& bytes_left);
  base::Status keep_small(const FolderGround& ground);
  base::Status keep_piece(const FolderGround& ground, std::uint64_t& bytes_left);
  base::Status put_batch(BlobStore& store);

  std::string folder_;
  std::vector<std::string> outputs_;
  bool partial_;
  bool begun_{false};
  std::vector<std::string> to_look_at_;
  std::size_t looked_at_{0};
  std::size_t left_out_{0};

  std::map<std::string, JobFileInfo> found_;
  std::uint64_t found_bytes_{0};
  std::map<std::string, JobFileInfo>::const_iterator next_;
  bool keeping_{false};
  std::uint64_t inline_bytes_{0};
  std::vector<JobFile> kept_;
  std::vector<Blob> batch_;  ///< small ones that go to the disk together
  std::uint64_t batch_bytes_{0};
  std::optional<IntakeId> intake_;  ///< of the file at `next_`
  std::uint64_t intake_offset_{0};
};

}  // namespace fastgpu::objects
