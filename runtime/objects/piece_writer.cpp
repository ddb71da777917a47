#include "runtime/objects/piece_writer.hpp"

#include <utility>

namespace fastgpu::objects {

base::Status PieceWriter::write(const StorePiece& piece) {
  if (piece.offset == 0 && piece.last) {
    return store_.put(piece.hash, piece.data);
  }
  if (piece.offset == 0) {
    drop(piece.hash);
    intakes_[piece.hash].id = store_.begin_intake();
  }
  const auto found = intakes_.find(piece.hash);
  if (found == intakes_.end()) {
    return {};  // dropped; these pieces were given out before that
  }
  Intake& intake = found->second;
  if (intake.status.ok()) {
    intake.status = store_.append(intake.id, piece.data.span());
    if (!intake.status.ok()) {
      store_.abandon(intake.id);
    }
  }
  if (!piece.last) {
    return intake.status;
  }
  const Intake ended = std::move(intake);
  intakes_.erase(found);
  return ended.status.ok() ? finish(ended, piece.hash) : ended.status;
}

base::Status PieceWriter::finish(const Intake& intake, const base::ObjectHash& hash) {
  const auto real = store_.finish(intake.id);
  if (!real.ok()) {
    return real.error();
  }
  if (real.value() != hash) {
    // It is an object of its own now, which nobody has asked for.
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       "the bytes of object " + base::to_string(hash) + " have the hash " +
                           base::to_string(real.value()),
                       ""};
  }
  return {};
}

void PieceWriter::drop(const base::ObjectHash& hash) {
  const auto intake = intakes_.extract(hash);
  if (!intake.empty()) {
    store_.abandon(intake.mapped().id);
  }
}

}  // namespace fastgpu::objects
