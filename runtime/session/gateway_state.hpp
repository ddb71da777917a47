#pragma once

/// What the gateway remembers of the calls that it has not answered yet.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::session {

/// Who waits for an answer: a client's session, or another node's gateway.
struct Asker {
  base::SessionId session;  ///< 0: a node asks
  base::NodeId node;        ///< 0: a client asks
  std::uint64_t call{};     ///< the asker's own number
  auto operator<=>(const Asker&) const = default;
};

/// Inputs of a submit, all of one home, that one node is asked to pin.
struct InputPart {
  base::NodeId home;
  base::NodeId keeper;  ///< the home, or one that stands in for it
  std::vector<protocol::ObjectRef> objects;
  std::set<base::NodeId> avoided;  ///< were asked before, and refused or went silent
};

/// One request on its way to a shard or to the objects; a listing has one for each node asked.
struct GatewayCall {
  Asker asker;
  protocol::ClientRequest request;
  base::Time deadline;
  std::optional<base::ShardId> shard;  ///< whose leader answers
  std::optional<base::NodeId> node;    ///< whose logs answer; neither this nor a shard: the objects
  std::optional<base::NodeId> target;  ///< asked, and not answered yet
  base::Incarnation target_life;       ///< of the target when it was asked
  std::optional<base::Time> retry_at;  ///< when to look for a leader again
  bool maybe_done{false};              ///< an earlier target was asked and never answered
  std::map<std::uint32_t, InputPart> unpinned;  ///< inputs that nobody has pinned yet, by part
  std::uint32_t last_part{};                    ///< numbers are used once
  std::optional<base::CallId> gather;           ///< part of this listing
  std::uint32_t shards{1};                      ///< how many of them the part stands for
  std::uint64_t held_bytes{0};                  ///< of its request; set when it is added
};

/// A listing that collects the answers of its parts.
struct Gather {
  Asker asker;
  protocol::JobList list;
  std::uint32_t parts_open{};
};

/// All open calls and their timers. Owned by the gateway machine.
class CallTable {
 public:
  explicit CallTable(base::Incarnation incarnation) : next_{incarnation.value << 20} {}

  base::CallId fresh() { return {++next_}; }
  /// False when it is full for this asker, or altogether: by calls, or with `bytes` more to hold.
  bool has_room(const Asker& asker, std::uint64_t bytes) const;
  bool is_open(const Asker& asker) const { return askers_.contains(asker); }

  GatewayCall& add(base::CallId id, GatewayCall call);
  GatewayCall* find(base::CallId id);
  /// Sets the call's timer anew after its deadline or retry_at has changed.
  void rearm(base::CallId id);
  void remove(base::CallId id);

  Gather& add_gather(base::CallId id, Gather gather);
  Gather* find_gather(base::CallId id);
  void remove_gather(base::CallId id);

  void remove_session(base::SessionId session);
  /// In the order in which they came.
  const std::map<base::CallId, GatewayCall>& calls() const { return calls_; }
  std::size_t size() const { return askers_.size(); }
  /// Of all open calls' requests.
  std::uint64_t held_bytes() const { return held_bytes_; }
  std::optional<base::Time> next_timer() const;
  std::optional<base::CallId> due(base::Time now) const;

 private:
  /// What is open of one session, or altogether.
  struct Open {
    std::size_t calls{};
    std::uint64_t bytes{};
  };
  void remember(const Asker& asker);
  void forget(const Asker& asker);
  void hold(GatewayCall& call);
  void release(const GatewayCall& call);
  /// Drops the session's entry once nothing of it is open.
  void tidy(base::SessionId session);

  std::uint64_t next_;
  std::map<base::CallId, GatewayCall> calls_;
  std::map<base::CallId, Gather> gathers_;
  std::set<Asker> askers_;
  std::map<base::SessionId, Open> open_of_session_;
  std::uint64_t held_bytes_{0};
  std::map<base::CallId, base::Time> armed_;
  std::set<std::pair<base::Time, base::CallId>> timers_;
};

}  // namespace fastgpu::session
