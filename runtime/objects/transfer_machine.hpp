#pragma once

/// Brings objects from the node that has them: asks for pieces, a few at a time, and asks again.
///
/// Place: beneath the objects actor, which sends the asks, gives the answers here and stores what
/// arrived. Pure. All that want the same object share one transfer. Failure: a holder that says
/// `missing`, or does not answer `limits::rpc_tries_max` asks of one piece, ends the transfer with
/// an Error that names it. Limits: `limits::transfer_window_pieces` asks on their way for each
/// object, `limits::transfer_bytes_in_flight_max` of objects at once (a larger one goes alone),
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
  base::NodeId home;
};
struct PieceArrived {
  base::ObjectHash hash;
  std::uint64_t offset{};
  bool missing{false};  ///< the holder does not have it
  base::Bytes data;
};
struct TransferTick {};
using TransferEvent = std::variant<Want, PieceArrived, TransferTick>;

// --- effects -------------------------------------------------------------------------------------

struct AskPiece {
  base::NodeId home;
  base::ObjectHash hash;
  std::uint64_t offset{};
  std::uint32_t length{};
  bool operator==(const AskPiece&) const = default;
};
/// All bytes are here; the hash is still to be checked, where they are stored.
struct ObjectArrived {
  base::ObjectHash hash;
  base::Bytes data;
  std::vector<Wanter> wanters;
  bool operator==(const ObjectArrived&) const = default;
};
struct TransferFailed {
  base::ObjectHash hash;
  base::Error error;
  std::vector<Wanter> wanters;
  bool operator==(const TransferFailed&) const = default;
};
using TransferEffect = std::variant<AskPiece, ObjectArrived, TransferFailed>;

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
  };
  struct Transfer {
    std::uint64_t size_bytes{};
    base::NodeId home;
    std::vector<std::uint8_t> data;
    std::vector<Piece> pieces;
    std::size_t next_piece{0};  ///< the first one never asked for
    std::size_t on_the_way{0};
    std::size_t arrived{0};
    std::vector<Wanter> wanters;
  };

  void want(const Want& event, base::Time now, Effects& effects);
  void arrive(const PieceArrived& event, base::Time now, Effects& effects);
  void ask_again(base::Time now, Effects& effects);
  void ask_more(const base::ObjectHash& hash, Transfer& transfer, base::Time now, Effects& effects);
  void begin_waiting(base::Time now, Effects& effects);
  void fail(const base::ObjectHash& hash, base::Error error, Effects& effects);

  std::map<base::ObjectHash, Transfer> active_;
  std::deque<Want> waiting_;
  std::uint64_t active_bytes_{0};
};

}  // namespace fastgpu::objects
