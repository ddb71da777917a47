#pragma once

/// Sees to it that what this node has pinned is pinned on other nodes as well.
///
/// Place: beneath the objects actor, beside PinMachine. It is told of every pin of this node, asks
/// other nodes to have and pin the same, and tells who waits for that, a submit or a finish, when
/// there are copies enough. There should be as many as the cluster wants, or as there are nodes to
/// stay; the home counts as one, the others are the first nodes in the object's order
/// (base/object_order.hpp) that take it.
///
/// Whose business. The home of an object sees to its copies; for inputs of a submit, who stands in
/// for a home that is away is a home like it. Where the home is no member any more
/// or has been down for `limits::copy_grace`, every node that has the pin does: asked twice, a node
/// has still one copy. A node that is drained is no holder, so it has its copies made elsewhere.
/// Copies too many, once somebody is back, go with the pin and never before.
///
/// Waiting. Who waits is answered when there are enough, when no node is left that could take one,
/// or at its deadline: then with fewer, and the rest comes later. A node that is not up is not
/// asked, though waited for until it counts as down; one that is full is left in peace for
/// `limits::copy_retry_delay`, and where one object did not come it is not asked for that again so
/// soon.
///
/// Pure. After a restart every pin of the home is offered to others again, who have it. Limits:
/// limits::copy_objects_max in an ask; copy_asks_in_flight_max that nobody waits for;
/// copy_waits_max who wait, more are answered at once; copy_look_pins looked at in one turn.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/objects/copies/holders.hpp"
#include "runtime/objects/pins/pin.hpp"

namespace fastgpu::objects {

/// Names somebody who waits for copies, to the owner of the machine. 0: nobody.
using CopyWaiter = base::Id<struct CopyWaiterTag, std::uint64_t>;

// --- events --------------------------------------------------------------------------------------

/// Who is there now, this node included. `copies`: as many as there should be of each object.
struct ClusterSeen {
  std::vector<CopyMember> members;
  std::uint32_t copies{1};
};
/// Pinned here, durably. `holder` has pinned the same, if it is no 0: it asked for this copy.
struct CopyPinned {
  PinOwner owner;
  std::vector<base::ObjectHash> hashes;
  base::NodeId home;
  base::NodeId holder{};
};
/// Somebody wants to know when the owner's objects, pinned before, have their copies.
struct CopiesAwaited {
  CopyWaiter waiter;
  PinOwner owner;
  std::vector<base::ObjectHash> hashes;
  base::Duration wait{};
};
/// These have no pins here any more.
struct OwnersUnpinned {
  std::vector<PinOwner> owners;
};
enum class CopiesAnswer : std::uint8_t {
  kept,
  busy,    ///< it is asked again
  full,    ///< the node takes nothing for a while
  failed,  ///< these objects did not come there; others may
};
struct CopiesAnswered {
  base::NodeId node;
  std::uint64_t call{};
  CopiesAnswer answer{CopiesAnswer::failed};
};
struct CopyTick {};
using CopyEvent =
    std::variant<ClusterSeen, CopyPinned, CopiesAwaited, OwnersUnpinned, CopiesAnswered, CopyTick>;

// --- effects -------------------------------------------------------------------------------------

/// Ask the node to have copies of these and to pin them; said again until it is answered.
struct AskCopies {
  base::NodeId node;
  std::uint64_t call{};
  PinOwner owner;
  std::vector<std::pair<base::ObjectHash, base::NodeId>> objects;  ///< with their homes
  bool operator==(const AskCopies&) const = default;
};
/// So many of the objects waited for have fewer copies than they should; 0: all are safe.
struct CopiesSettled {
  CopyWaiter waiter;
  std::size_t fewer{};
  bool operator==(const CopiesSettled&) const = default;
};
using CopyEffect = std::variant<AskCopies, CopiesSettled>;

class CopyMachine {
 public:
  using Effects = std::vector<CopyEffect>;

  /// Calls are numbered from `first_call` on: in every life of the node higher than before, so that
  /// no late answer is taken for one to another question.
  explicit CopyMachine(base::NodeId self, std::uint64_t first_call = 1)
      : self_(self), last_call_(first_call - 1) {}

  Effects step(const CopyEvent& event, base::Time now);
  std::optional<base::Time> next_deadline() const;

  /// Pins that are this node's business and have fewer copies than they should, as far as looked
  /// at; without those that somebody waits for: they are on their way, and nobody has been told yet
  /// that they are safe.
  std::size_t under_copied() const { return under_copied_; }
  /// All pins have been looked at since the members were seen first, or changed last.
  bool all_counted() const { return !members_.empty() && !look_from_; }
  std::size_t asks_in_flight() const { return asks_.size(); }
  /// Aborts if its tables contradict each other; for tests.
  void check_invariants() const;

 private:
  /// A few nodes, without order.
  class Nodes {
   public:
    bool has(base::NodeId node) const;
    void add(base::NodeId node);
    void remove(base::NodeId node);
    std::size_t size() const { return count_; }
    const base::NodeId* begin() const { return nodes_.data(); }
    const base::NodeId* end() const { return nodes_.data() + count_; }

   private:
    std::array<base::NodeId, 4> nodes_{};
    std::uint8_t count_{0};
  };
  struct Held {
    base::NodeId home;
    Nodes others;                           ///< have pinned it as well
    Nodes asked;                            ///< an ask is on its way
    Nodes failed;                           ///< it did not come there lately
    std::uint16_t waits{0};                 ///< so many wait for it
    bool under_copied{false};               ///< and counted so
    base::Time kept_at{base::Time::min()};  ///< when the last of the others said so
  };
  struct Ask {
    base::NodeId node;
    PinOwner owner;
    std::vector<base::ObjectHash> hashes;
    base::Time begun_at;
    base::Time sent_at;
    bool awaited{false};
  };
  struct Wait {
    PinOwner owner;
    std::set<base::ObjectHash> open;
    base::Time deadline;
    std::size_t fewer{0};  ///< of those that were settled
  };
  using Key = std::pair<PinOwner, base::ObjectHash>;

  void handle(const ClusterSeen& event);
  void handle(const CopyPinned& event);
  void handle(const CopiesAwaited& event);
  void handle(const OwnersUnpinned& event);
  void handle(const CopiesAnswered& event);
  void handle(const CopyTick& event);

  /// Its copies are this node's business.
  bool is_ours(const Held& held) const;
  /// Copies that are missing; with `count_asked`, and that nobody has been asked for.
  std::size_t missing(const Held& held, bool count_asked) const;
  bool is_gone(base::NodeId node) const;
  bool is_holder(base::NodeId node) const;
  Held* find(const Key& key);
  bool is_awaited(const PinOwner& owner) const { return awaited_.contains(owner); }
  /// It is asked for in this step or when there is room, if copies are missing.
  void look_at(const Key& key, Held& held);
  void recount(Held& held);
  void look_at_all();
  void look_on();
  void ask_more();
  void ask_for(std::set<Key>& todo);
  std::vector<base::NodeId> takers_of(const Key& key, const Held& held) const;
  void begin_ask(base::NodeId node, const PinOwner& owner, std::vector<base::ObjectHash> hashes);
  void send(std::uint64_t call, Ask& ask);
  void end_ask(std::map<std::uint64_t, Ask>::iterator found, bool ok);
  void leave_in_peace(base::NodeId node);
  void settle_waits();
  void end_wait(const PinOwner& owner);
  bool is_settled(const PinOwner& owner, const base::ObjectHash& hash);

  const base::NodeId self_;
  std::map<base::NodeId, CopyMember> members_;
  std::map<base::NodeId, base::Time> down_since_;
  std::set<base::NodeId> gone_;               ///< down for longer than the grace
  std::map<base::NodeId, base::Time> peace_;  ///< refused lately: not asked before then
  std::uint32_t copies_{1};
  std::uint32_t staying_{0};  ///< members that may hold copies
  std::map<PinOwner, std::map<base::ObjectHash, Held>> pins_;
  std::set<Key> awaited_todo_;             ///< to be asked for, somebody waits
  std::set<Key> todo_;                     ///< the same, nobody waits
  std::set<Key> stuck_;                    ///< nobody could be asked when it was looked at
  std::optional<base::Time> stuck_until_;  ///< then they are looked at again
  std::map<std::uint64_t, Ask> asks_;
  std::size_t asks_unawaited_{0};
  std::size_t under_copied_{0};
  std::map<CopyWaiter, Wait> waits_;
  std::map<PinOwner, std::size_t> awaited_;  ///< to how many waits
  std::optional<PinOwner> look_from_;        ///< all pins from this owner on are to be looked at
  bool look_again_{false};                   ///< and then once more from the first on
  base::Time looked_at_{};
  std::uint64_t last_call_;
  base::Time now_{};
  Effects effects_;
};

}  // namespace fastgpu::objects
