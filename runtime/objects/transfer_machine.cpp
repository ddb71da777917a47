#include "runtime/objects/transfer_machine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"

namespace fastgpu::objects {
namespace {

namespace limits = base::limits;

AskPiece ask_for(const base::ObjectHash& hash, base::NodeId node, std::size_t piece,
                 std::uint64_t size_bytes) {
  const std::uint64_t offset = piece * limits::object_chunk_bytes;
  const std::uint64_t length =
      std::min<std::uint64_t>(limits::object_chunk_bytes, size_bytes - offset);
  return {node, hash, offset, static_cast<std::uint32_t>(length)};
}

base::Error unreachable(const base::ObjectHash& hash, base::NodeId silent, std::size_t others) {
  return {base::ErrorKind::unavailable, base::ErrorCode::object_missing,
          "object " + to_string(hash).substr(0, 12) + ": " + to_string(silent) +
              ", which may have it, did not answer " + std::to_string(limits::rpc_tries_max) +
              " asks" +
              (others > 0 ? ", and " + std::to_string(others) + " others do not have it" : ""),
          "wait until that node is back, or submit the job again with its inputs"};
}

base::Error too_large(const Want& want) {
  return {base::ErrorKind::rejected, base::ErrorCode::too_large,
          "object " + to_string(want.hash).substr(0, 12) + " is said to have " +
              std::to_string(want.size_bytes) + " bytes, the limit is " +
              std::to_string(limits::object_bytes_max),
          "split the data over several objects"};
}

base::Error gone(const base::ObjectHash& hash, const std::vector<base::NodeId>& asked) {
  const std::string others =
      asked.size() > 1 ? " or " + std::to_string(asked.size() - 1) + " other nodes" : "";
  return {base::ErrorKind::lost, base::ErrorCode::object_missing,
          "object " + to_string(hash).substr(0, 12) + " is not on " + to_string(asked.front()) +
              others + " any more",
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

void TransferMachine::join(Transfer& transfer, const Want& want) {
  transfer.wanters.push_back(want.wanter);
  for (const base::NodeId source : want.sources) {
    if (std::find(transfer.sources.begin(), transfer.sources.end(), source) ==
        transfer.sources.end()) {
      transfer.sources.push_back(source);
    }
  }
}

void TransferMachine::want(const Want& event, base::Time, Effects& effects) {
  FASTGPU_CHECK(!event.sources.empty(), "somebody can be asked");
  if (auto found = active_.find(event.hash); found != active_.end()) {
    join(found->second, event);
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
    if (event.from == transfer.sources[transfer.source]) {  // others were given up before
      ask_next(event.hash, now, effects);
    }
    return;
  }
  const std::size_t index = event.offset / limits::object_chunk_bytes;
  if (event.offset % limits::object_chunk_bytes != 0 || index >= transfer.next_piece ||
      transfer.pieces[index].arrived ||
      event.data.size() != ask_for(event.hash, {}, index, transfer.size_bytes).length) {
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
      effects.push_back(ask_for(hash, transfer.sources[transfer.source], i, transfer.size_bytes));
    }
  }
  for (const base::ObjectHash& hash : silent) {
    Transfer& transfer = active_.at(hash);
    transfer.silent = transfer.silent.value_or(transfer.sources[transfer.source]);
    ask_next(hash, now, effects);
  }
}

void TransferMachine::ask_next(const base::ObjectHash& hash, base::Time now, Effects& effects) {
  Transfer& transfer = active_.at(hash);
  if (++transfer.source == transfer.sources.size()) {
    fail(hash,
         transfer.silent ? unreachable(hash, *transfer.silent, transfer.sources.size() - 1)
                         : gone(hash, transfer.sources),
         effects);
    return;
  }
  for (std::size_t i = transfer.stored; i < transfer.next_piece; ++i) {
    if (!transfer.pieces[i].arrived) {
      transfer.pieces[i] = {now, 1, false, {}};
      effects.push_back(ask_for(hash, transfer.sources[transfer.source], i, transfer.size_bytes));
    }
  }
}

void TransferMachine::ask_more(const base::ObjectHash& hash, Transfer& transfer, base::Time now,
                               Effects& effects) {
  while (transfer.next_piece < transfer.stored + limits::transfer_window_pieces &&
         transfer.next_piece < transfer.pieces.size()) {
    const std::size_t index = transfer.next_piece++;
    transfer.pieces[index] = {now, 1, false, {}};
    effects.push_back(ask_for(hash, transfer.sources[transfer.source], index, transfer.size_bytes));
  }
}

void TransferMachine::begin_waiting(base::Time now, Effects& effects) {
  while (!waiting_.empty()) {
    const Want next = waiting_.front();
    if (auto found = active_.find(next.hash); found != active_.end()) {
      join(found->second, next);
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
    transfer.sources = next.sources;
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
