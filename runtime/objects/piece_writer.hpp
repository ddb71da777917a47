#pragma once

/// Puts the pieces of objects that come from other nodes into the store, as they come.
///
/// Place: beneath the objects actor, between the transfer machine, which gives pieces in order, and
/// the blob store. An object of one piece is put whole; of a longer one nothing stays in memory.
/// Failure: what a write of the store says, or the hash is not the one that was asked for: a holder
/// that sent something else is found out here. Limits: those of the store.

#include <map>

#include "runtime/objects/blob_store.hpp"
#include "runtime/objects/transfer_machine.hpp"

namespace fastgpu::objects {

class PieceWriter {
 public:
  explicit PieceWriter(BlobStore& store) : store_(store) {}

  /// With the last piece: whether the object is in the store. Before: whether to go on.
  base::Status write(const StorePiece& piece);
  /// No more of the object will come.
  void drop(const base::ObjectHash& hash);

 private:
  struct Intake {
    IntakeId id;
    base::Status status;  ///< failed: nothing of it is in the store, its end is still to come
  };
  base::Status finish(const Intake& intake, const base::ObjectHash& hash);

  BlobStore& store_;
  std::map<base::ObjectHash, Intake> intakes_;
};

}  // namespace fastgpu::objects
