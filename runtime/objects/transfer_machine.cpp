#include "runtime/objects/transfer_machine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/base/limits.hpp"

namespace fastgpu::objects {
namespace {

namespace limits = base::limits;

AskPiece ask_for(const base::ObjectHash& hash, base::NodeId home, std::size_t piece,
                 std::uint64_t size_bytes) {
  const std::uint64_t offset = piece * limits::object_chunk_bytes;
  const std::uint64_t length =
      std::min<std::uint64_t>(limits::object_chunk_bytes, size_bytes - offset);
  return {home, hash, offset, static_cast<std::uint32_t>(length)};
}

base::Error unreachable(const base::ObjectHash& hash, base::NodeId home, int tries) {
  return {base::ErrorKind::unavailable, base::ErrorCode::object_missing,
          "object " + to_string(hash).substr(0, 12) + ": " + to_string(home) +
              ", which has it, did not answer " + std::to_string(tries) + " asks",
          "wait until that node is back, or submit the job again with its inputs"};
}

base::Error too_large(const Want& want) {
  return {base::ErrorKind::rejected, base::ErrorCode::too_large,
          "object " + to_string(want.hash).substr(0, 12) + " is said to have " +
              std::to_string(want.size_bytes) + " bytes, the limit is " +
              std::to_string(limits::object_bytes_max),
          "split the data over several objects"};
}

base::Error gone(const base::ObjectHash& hash, base::NodeId home) {
  return {base::ErrorKind::lost, base::ErrorCode::object_missing,
          "object " + to_string(hash).substr(0, 12) + " is not on " + to_string(home) + " any more",
          "submit the job again with its inputs"};
}

}  // namespace

TransferMachine::Effects TransferMachine::step(const TransferEvent& event, base::Time now) {
  Effects effects;
  if (const auto* wanted = std::get_if<Want>(&event)) {
    want(*wanted, now, effects);
  } else if (const auto* piece = std::get_if<PieceArrived>(&event)) {
    arrive(*piece, now, effects);
  } else if (const auto* failed = std::get_if<StoringFailed>(&event)) {
    if (active_.contains(failed->hash)) {
      fail(failed->hash, failed->error, effects);
    }
  } else {
    ask_again(now, effects);
  }
  begin_waiting(now, effects);
  return effects;
}

std::optional<base::Time> TransferMachine::next_deadline() const {
  std::optional<base::Time> next;
  for (const auto& [hash, transfer] : active_) {
    for (std::size_t i = transfer.stored; i < transfer.next_piece; ++i) {
      const Piece& piece = transfer.pieces[i];
      const base::Time due = piece.asked_at + limits::rpc_timeout;
      if (!piece.arrived && (!next || due < *next)) {
        next = due;
      }
    }
  }
  return next;
}

void TransferMachine::want(const Want& event, base::Time, Effects& effects) {
  if (auto found = active_.find(event.hash); found != active_.end()) {
    found->second.wanters.push_back(event.wanter);
    return;
  }
  if (event.size_bytes == 0) {
    effects.push_back(StorePiece{event.hash, 0, true, {}, {event.wanter}});
    return;
  }
  if (event.size_bytes > limits::object_bytes_max) {
    effects.push_back(TransferFailed{event.hash, too_large(event), {event.wanter}});
    return;
  }
  waiting_.push_back(event);
}

void TransferMachine::arrive(const PieceArrived& event, base::Time now, Effects& effects) {
  auto found = active_.find(event.hash);
  if (found == active_.end()) {
    return;  // late, or repeated after the end
  }
  Transfer& transfer = found->second;
  if (event.missing) {
    fail(event.hash, gone(event.hash, transfer.home), effects);
    return;
  }
  const std::size_t index = event.offset / limits::object_chunk_bytes;
  if (event.offset % limits::object_chunk_bytes != 0 || index >= transfer.next_piece ||
      transfer.pieces[index].arrived ||
      event.data.size() != ask_for(event.hash, transfer.home, index, transfer.size_bytes).length) {
    return;
  }
  transfer.pieces[index].arrived = true;
  transfer.pieces[index].data = event.data;
  give_out(event.hash, transfer, effects);
  if (transfer.stored < transfer.pieces.size()) {
    ask_more(event.hash, transfer, now, effects);
    return;
  }
  active_bytes_ -= transfer.size_bytes;
  active_.erase(found);
}

void TransferMachine::give_out(const base::ObjectHash& hash, Transfer& transfer, Effects& effects) {
  while (transfer.stored < transfer.pieces.size() && transfer.pieces[transfer.stored].arrived) {
    const std::uint64_t offset = transfer.stored * limits::object_chunk_bytes;
    Piece& piece = transfer.pieces[transfer.stored++];
    const bool last = transfer.stored == transfer.pieces.size();
    effects.push_back(StorePiece{hash, offset, last, std::exchange(piece.data, {}),
                                 last ? std::move(transfer.wanters) : std::vector<Wanter>{}});
  }
}

void TransferMachine::ask_again(base::Time now, Effects& effects) {
  std::vector<base::ObjectHash> silent;
  for (auto& [hash, transfer] : active_) {
    for (std::size_t i = transfer.stored; i < transfer.next_piece; ++i) {
      Piece& piece = transfer.pieces[i];
      if (piece.arrived || piece.asked_at + limits::rpc_timeout > now) {
        continue;
      }
      if (piece.tries >= limits::rpc_tries_max) {
        silent.push_back(hash);
        break;
      }
      piece.asked_at = now;
      ++piece.tries;
      effects.push_back(ask_for(hash, transfer.home, i, transfer.size_bytes));
    }
  }
  for (const base::ObjectHash& hash : silent) {
    fail(hash, unreachable(hash, active_.at(hash).home, limits::rpc_tries_max), effects);
  }
}

void TransferMachine::ask_more(const base::ObjectHash& hash, Transfer& transfer, base::Time now,
                               Effects& effects) {
  while (transfer.next_piece < transfer.stored + limits::transfer_window_pieces &&
         transfer.next_piece < transfer.pieces.size()) {
    const std::size_t index = transfer.next_piece++;
    transfer.pieces[index] = {now, 1, false, {}};
    effects.push_back(ask_for(hash, transfer.home, index, transfer.size_bytes));
  }
}

void TransferMachine::begin_waiting(base::Time now, Effects& effects) {
  while (!waiting_.empty()) {
    const Want next = waiting_.front();
    if (auto found = active_.find(next.hash); found != active_.end()) {
      found->second.wanters.push_back(next.wanter);
      waiting_.pop_front();
      continue;
    }
    if (!active_.empty() &&
        active_bytes_ + next.size_bytes > limits::transfer_bytes_in_flight_max) {
      return;
    }
    waiting_.pop_front();
    Transfer& transfer = active_[next.hash];
    transfer.size_bytes = next.size_bytes;
    transfer.home = next.home;
    transfer.pieces.resize((next.size_bytes - 1) / limits::object_chunk_bytes + 1);
    transfer.wanters.push_back(next.wanter);
    active_bytes_ += next.size_bytes;
    ask_more(next.hash, transfer, now, effects);
  }
}

void TransferMachine::fail(const base::ObjectHash& hash, base::Error error, Effects& effects) {
  auto found = active_.find(hash);
  active_bytes_ -= found->second.size_bytes;
  effects.push_back(TransferFailed{hash, std::move(error), std::move(found->second.wanters)});
  active_.erase(found);
}

}  // namespace fastgpu::objects
