#pragma once

/// Takes what workers ask of job folders, has their inputs brought here first, and gives the
/// answers. Beneath the objects actor, which fetches and sends; the folders themselves are
/// JobFolders' business, which this matches with who asked. Every PrepareFolder and CollectFolder
/// is answered once.

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "actors/pin_desk.hpp"
#include "runtime/objects/jobs/job_folders.hpp"
#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::actors {

/// An answer for the worker of `device`.
using FolderAnswer = std::variant<protocol::FolderReady, protocol::FolderCollected>;

class FolderDesk {
 public:
  FolderDesk(objects::FolderGround ground, PinDesk& pins, base::NodeId self)
      : store_(ground.store), folders_(ground), pins_(pins), self_(self) {}

  /// Names the preparation to who brings its objects; those to bring are in `absent`.
  objects::FolderWorkId take(const protocol::PrepareFolder& prepare,
                             std::vector<protocol::ObjectRef>& absent);
  void take(const protocol::CollectFolder& collect);
  /// Preparations of the folder are answered with a conflict, also those that wait for inputs.
  void drop(const protocol::DropFolder& drop);
  /// An object that a preparation waited for is here, or will not come.
  void brought(objects::FolderWorkId work, const base::ObjectHash& hash,
               const base::Status& status);

  bool idle() const { return answers_.empty() && folders_.idle(); }
  /// Goes on for a short while; gives the answers that are due. Outputs are pinned by then.
  std::vector<FolderAnswer> advance(base::Time now);

 private:
  struct Preparation {
    protocol::PrepareFolder asked;
    std::set<base::ObjectHash> absent;
  };

  void begin(objects::FolderWorkId work, const Preparation& preparation);
  FolderAnswer answer_of(objects::FolderEnd end, base::Time now);
  protocol::FolderCollected collected_of(objects::FolderKept kept, base::Time now);

  objects::BlobStore& store_;
  objects::JobFolders folders_;
  PinDesk& pins_;
  const base::NodeId self_;
  objects::FolderWorkId last_work_;
  std::map<objects::FolderWorkId, Preparation> preparations_;
  std::map<objects::FolderWorkId, protocol::CollectFolder> collections_;
  std::vector<FolderAnswer> answers_;
};

}  // namespace fastgpu::actors
