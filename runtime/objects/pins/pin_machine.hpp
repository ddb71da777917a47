#pragma once

/// Decides which pins may go, and which objects.
///
/// Pins. An owner's pins go when the leader of its shard says that the ledger names the owner no
/// more. Each shard's leader is asked in turn, a batch at a time, one question on its way; an
/// answer counts only for what was asked, and only from the newest leadership heard of. An owner
/// that was pinned lately is not asked about: its submit may still be on the way to the ledger, and
/// "unknown" would mean "not yet".
///
/// Objects. One that nobody pins is garbage, but what has just come may be pinned soon: it goes
/// after a grace, and after a short one when the disk is nearly full, those first that have been
/// without a pin for longest.
///
/// Pure; beneath the objects actor, which tells it what was pinned and unpinned, sends its
/// questions and does what it decides. After a restart every owner and every object counts as new:
/// nothing goes too early, some things go late. Limits: limits::pin_check_owners_max in a question,
/// limits::object_removals_max objects at a time.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"
#include "runtime/objects/pins/pin.hpp"

namespace fastgpu::objects {

// --- events --------------------------------------------------------------------------------------

/// The owner has these pins now, or has said so again.
struct OwnerPinned {
  PinOwner owner;
  std::vector<base::ObjectHash> hashes;
};
/// These are here and nobody pins them: they came, were asked for, or their last pin went. Said
/// again, their grace begins anew.
struct ObjectsUnpinned {
  std::vector<base::ObjectHash> hashes;
};
/// The shard's leader is this node now; node 0: nobody knows.
struct ShardLedBy {
  base::ShardId shard;
  base::NodeId node;
};
struct PinsAnswered {
  base::NodeId node;
  base::ShardId shard;
  std::uint64_t question{};
  base::Epoch epoch;
  base::Term term;
  std::vector<PinOwner> gone;  ///< of those asked: named by the ledger no more
};
/// Time has passed. `disk_is_tight`: objects should go sooner.
struct PinTick {
  bool disk_is_tight{false};
};
using PinEvent = std::variant<OwnerPinned, ObjectsUnpinned, ShardLedBy, PinsAnswered, PinTick>;

// --- effects -------------------------------------------------------------------------------------

struct AskPins {
  base::NodeId node;
  base::ShardId shard;
  std::uint64_t question{};
  std::vector<PinOwner> owners;
  bool operator==(const AskPins&) const = default;
};
/// Drop all pins of these, then tell which objects that leaves without any: ObjectsUnpinned.
struct DropPins {
  std::vector<PinOwner> owners;
  bool operator==(const DropPins&) const = default;
};
/// Nobody has pinned them for long: remove them.
struct RemoveObjects {
  std::vector<base::ObjectHash> hashes;
  bool operator==(const RemoveObjects&) const = default;
};
using PinEffect = std::variant<AskPins, DropPins, RemoveObjects>;

/// The bounds in time, from limits.hpp; tests choose shorter ones.
struct PinLimits {
  base::Duration settle{base::limits::pin_settle};
  base::Duration check_interval{base::limits::pin_check_interval};
  base::Duration look_interval{base::limits::object_look_interval};
  base::Duration grace{base::limits::object_grace};
  base::Duration grace_tight{base::limits::object_grace_tight};
};

class PinMachine {
 public:
  using Effects = std::vector<PinEffect>;

  PinMachine() = default;
  explicit PinMachine(const PinLimits& limits) : limits_(limits) {}

  Effects step(const PinEvent& event, base::Time now);
  std::optional<base::Time> next_deadline() const;

  std::size_t owners() const;
  std::size_t unpinned() const { return unpinned_.size(); }
  /// Aborts if its tables contradict each other; for tests.
  void check_invariants() const;

 private:
  struct Question {
    std::uint64_t number{};
    base::NodeId node;
    std::set<PinOwner> owners;
    base::Time asked_at;
  };
  struct Shard {
    std::map<PinOwner, base::Time> owners;  ///< to when they last pinned
    base::NodeId leader;
    std::pair<base::Epoch, base::Term> newest;  ///< leadership heard of
    std::optional<Question> question;
    PinOwner next;  ///< where the next question begins, in the order of owners
    base::Time ask_at{};
  };

  void handle(const OwnerPinned& event);
  void handle(const ObjectsUnpinned& event);
  void handle(const ShardLedBy& event);
  void handle(const PinsAnswered& event);
  void handle(const PinTick& event);
  void ask(base::ShardId id, Shard& shard);
  void remove_old(base::Duration grace);
  static std::optional<base::Time> due(const Shard& shard);

  PinLimits limits_;
  std::map<base::ShardId, Shard> shards_;
  std::map<base::ObjectHash, base::Time> unpinned_;  ///< to when they lost their last pin
  std::set<std::pair<base::Time, base::ObjectHash>> oldest_;
  std::uint64_t last_question_{0};
  base::Time looked_at_{};  ///< at the disk, last
  base::Time now_{};
  Effects effects_;
};

}  // namespace fastgpu::objects
