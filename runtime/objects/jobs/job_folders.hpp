#pragma once

/// The folders of this node's command jobs: one for each attempt, filled before the command starts,
/// emptied of its results when it has ended, and dropped.
///
/// Place: beneath the objects actor, which asks and calls `advance` until nothing is left to do;
/// between two calls it serves others, so one job's gigabytes stop nobody. Works take turns.
/// Failure: an Error that names the path, in the end of the work; a folder that could not be filled
/// is dropped again. Limits: limits::command_files_max files and command_folder_bytes_max of one
/// folder, limits::folder_works_max works at once. Folders of earlier lives are dropped at the
/// start: no command outlives its node.

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/objects/jobs/folder_work.hpp"

namespace fastgpu::objects {

/// Names a work to the owner.
using FolderWorkId = base::Id<struct FolderWorkTag, std::uint64_t>;

/// The command may start; the value is its folder's path on the host.
struct FolderPrepared {
  FolderWorkId work;
  base::Result<std::string> path;
};
/// The files are kept, in the order of paths; small ones are given whole.
struct FolderKept {
  FolderWorkId work;
  base::Result<std::vector<JobFile>> files;
  std::size_t left_out{};  ///< links, pipes and such that no output named itself, and lacking ones
};
using FolderEnd = std::variant<FolderPrepared, FolderKept>;

class JobFolders {
 public:
  explicit JobFolders(FolderGround ground) : ground_(ground) { ground_.disk.drop_all(); }

  /// Every work comes to one end, given by `advance`. Objects that files name are in the store.
  void prepare(FolderWorkId work, std::string folder, std::vector<JobFile> files);
  /// `partial`: outputs that are not there are left out; else they are an Error.
  void collect(FolderWorkId work, std::string folder, std::vector<std::string> outputs,
               bool partial = false);
  /// Works on the folder end with an Error. Harmless if it is not there.
  void drop(const std::string& folder);

  bool idle() const { return works_.empty() && !sweeping_; }
  /// Does a short piece of work; gives an end when one is reached.
  std::optional<FolderEnd> advance();

 private:
  struct Work {
    FolderWorkId id;
    std::variant<PrepareWork, CollectWork> what;
    std::optional<base::Error> refused;  ///< ends it at its next turn
  };

  void add(Work work);
  std::optional<FolderEnd> advance(Work& work);

  FolderGround ground_;
  std::list<Work> works_;    ///< the next turn is the first one's
  bool sweeping_{true};      ///< something may be left of dropped folders
  bool sweeps_next_{false};  ///< turns go to a work and to the sweep alternately
};

}  // namespace fastgpu::objects
