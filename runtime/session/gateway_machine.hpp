#pragma once

/// The door of a node for users: checks what they ask, sends it to the leader of the shard that
/// keeps the record, and answers by a deadline whatever happens. Between the link and the shards;
/// stepped by the gateway actor, one for each node.
///
/// A submit whose inputs are objects goes to the shard only once the nodes that have them, or stand
/// in for those that are away, have pinned them; the gateway that the client asked sees to it, not
/// the one that it is passed on to.
///
/// Every request is answered exactly once: by the shard, or with an Error. `unknown` is said only
/// of a Submit, CancelJob or Join that a leader was sent and did not answer; `unavailable` means
/// surely not done. A leader that changes while a call is open is asked again: all requests may be
/// repeated. Calls that wait are bounded by their number and by the bytes of their requests:
/// limits::client_calls_in_flight_max and client_bytes_in_flight_max for one session,
/// gateway_calls_in_flight_max and gateway_bytes_in_flight_max altogether, so that what this node's
/// shards are asked at once is bounded too; more are refused as `overloaded`.

#include <optional>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/session/cluster_map.hpp"
#include "runtime/session/gateway_effects.hpp"
#include "runtime/session/gateway_events.hpp"
#include "runtime/session/gateway_state.hpp"

namespace fastgpu::session {

struct GatewayOptions {
  base::NodeId self;
  base::Incarnation incarnation;
  std::uint32_t shard_count{1};
  bool replicated{false};  ///< shards have several replicas each
};

class GatewayMachine {
 public:
  explicit GatewayMachine(const GatewayOptions& options);

  std::size_t calls_open() const { return table_.size(); }
  /// How much memory their requests take.
  std::uint64_t bytes_held() const { return table_.held_bytes(); }
  std::optional<base::Time> next_deadline() const { return table_.next_timer(); }

  GatewayEffects step(const GatewayEvent& event, base::Time now);

 private:
  void handle(const ClientAsked& event);
  void handle(const SessionEnded& event);
  void handle(const PeerForwarded& event);
  void handle(const PeerReplied& event);
  void handle(const protocol::ShardReply& event);
  void handle(const protocol::ObjectReply& event);
  void handle(const protocol::LogAnswer& event);
  void handle(const InputsPinned& event);
  void handle(const ViewChanged& event);
  void handle(const GatewayTick& event);

  std::optional<base::ShardId> shard_of(const protocol::ClientRequest& request) const;
  void start_call(const Asker& asker, protocol::ClientRequest request);
  void send(base::CallId id, GatewayCall& call);
  void send_pins(base::CallId id, GatewayCall& call);
  static void add_parts(GatewayCall& call, std::vector<InputPart> parts);
  void give_parts_on(GatewayCall& call) const;
  void refused(base::CallId id, GatewayCall& call, std::uint32_t number, const base::Error& said);
  void answered(base::CallId id, protocol::ClientReply reply_value);
  void expire(base::CallId id);
  void finish(base::CallId id, protocol::ClientReply reply_value);
  void reply(const Asker& asker, protocol::ClientReply reply_value);

  /// What one node is asked of a listing; this node is asked for each of its shards.
  struct ListingPart {
    base::NodeId node;
    base::ShardId shard;
    std::uint32_t shards;
  };
  void start_listing(const Asker& asker, const protocol::ListJobs& request);
  void ask_part(base::CallId gather, const ListingPart& part, const protocol::ListJobs& request);
  void part_answered(base::CallId gather, std::uint32_t shards,
                     const protocol::ClientReply& reply_value);
  void close_listing(base::CallId gather);

  // Logs (gateway_logs.cpp)
  void start_log_read(const Asker& asker, protocol::ReadLog request);
  void send_log_read(base::CallId id, GatewayCall& call);
  void look_after_log_reads();

  ClusterMap map_;
  CallTable table_;
  base::Time now_{};
  GatewayEffects effects_;
};

}  // namespace fastgpu::session
