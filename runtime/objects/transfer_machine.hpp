#pragma once

/// Brings objects from nodes that may have them: asks one for pieces, a few at a time, asks again,
/// and goes on with the next node where that one does not have it or does not answer.
///
/// Place: beneath the objects actor, which sends the asks, gives the answers here and stores each
/// piece, in order, as soon as it may. Pure. All that want the same object share one transfer.
/// Failure: when each has said `missing`, or has not answered `limits::rpc_tries_max` asks of one
/// piece, the transfer ends with an Error: `lost` if all said that they do not have it. What came
/// of several nodes is checked as a whole, by the hash. Limits: `limits::transfer_window_pieces`
/// of each object on their way or held here, so that a size that somebody made up takes no memory;
/// `limits::transfer_bytes_in_flight_max` of objects at once (a larger one goes alone),
/// others wait in order of arrival.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace fastgpu::objects {

/// Names somebody who waits, to the owner of the machine.
using Wanter = base::Id<struct WanterTag, std::uint64_t>;

// --- events --------------------------------------------------------------------------------------

struct Want {
  Wanter wanter;
  base::ObjectHash hash;
  std::uint64_t size_bytes{};
  std::vector<base::NodeId> sources;  ///< whom to ask, in this order; at least one
};
struct PieceArrived {
  base::ObjectHash hash;
  std::uint64_t offset{};
  bool missing{false};  ///< `from` does not have it
  base::Bytes data;
  base::NodeId from{};
};
/// A piece that is not the last could not be stored: the transfer is in vain.
struct StoringFailed {
  base::ObjectHash hash;
  base::Error error;
};
struct TransferTick {};
using TransferEvent = std::variant<Want, PieceArrived, StoringFailed, TransferTick>;

// --- effects -------------------------------------------------------------------------------------

struct AskPiece {
  base::NodeId node;
  base::ObjectHash hash;
  std::uint64_t offset{};
  std::uint32_t length{};
  bool operator==(const AskPiece&) const = default;
};
/// The next bytes of an object, without gaps from 0 on. After the last the hash is to be checked,
/// where they are stored, and those who wait are to be answered; this machine has forgotten it.
struct StorePiece {
  base::ObjectHash hash;
  std::uint64_t offset{};
  bool last{false};
  base::Bytes data;
  std::vector<Wanter> wanters;  ///< with the last
  bool operator==(const StorePiece&) const = default;
};
struct TransferFailed {
  base::ObjectHash hash;
  base::Error error;
  std::vector<Wanter> wanters;
  bool operator==(const TransferFailed&) const = default;
};
using TransferEffect = std::variant<AskPiece, StorePiece, TransferFailed>;

class TransferMachine {
 public:
  using Effects = std::vector<TransferEffect>;

  Effects step(const TransferEvent& event, base::Time now);
  std::optional<base::Time> next_deadline() const;
  std::size_t active() const { return active_.size(); }

 private:
  struct Piece {
    base::Time asked_at;
    int tries{0};
    bool arrived{false};
    base::Bytes data;  ///< until those before it have arrived
  };
  struct Transfer {
    std::uint64_t size_bytes{};
    std::vector<base::NodeId> sources;
    std::size_t source{0};                 ///< who is asked now
    std::optional<base::NodeId> silent{};  ///< the first of those before that did not answer
    std::vector<Piece> pieces;
    std::size_t next_piece{0};  ///< the first one never asked for
    std::size_t stored{0};      ///< pieces given out, from the first on
    std::vector<Wanter> wanters;
  };

  static void join(Transfer& transfer, const Want& want);
  void want(const Want& event, base::Time now, Effects& effects);
  void arrive(const PieceArrived& event, base::Time now, Effects& effects);
  /// What has no gap before it.
  void give_out(const base::ObjectHash& hash, Transfer& transfer, Effects& effects);
  void ask_again(base::Time now, Effects& effects);
  void ask_more(const base::ObjectHash& hash, Transfer& transfer, base::Time now, Effects& effects);
  void begin_waiting(base::Time now, Effects& effects);
  /// Asks the next node for what has not come; ends the transfer when there is none.
  void ask_next(const base::ObjectHash& hash, base::Time now, Effects& effects);
  void fail(const base::ObjectHash& hash, base::Error error, Effects& effects);

  std::map<base::ObjectHash, Transfer> active_;
  std::deque<Want> waiting_;
  std::uint64_t active_bytes_{0};
};

}  // namespace fastgpu::objects
