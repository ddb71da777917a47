#include "runtime/codec/cluster_parts.hpp"

#include <optional>
#include <utility>

#include "runtime/protocol/raft_messages.hpp"

namespace fastgpu::schema {

namespace limits = base::limits;
using codec::as_text;
using codec::list_size;
using codec::Reading;

namespace {

std::string name_text(capnp::Text::Reader from, Reading& reading, std::string_view what) {
  return reading.text(from, limits::name_bytes_max, what);
}

template <class Number>
std::optional<Number> known(std::int64_t number) {
  if (number < 0)
    return std::nullopt;
  return static_cast<Number>(number);
}

/// -1 for what is not known; what is too large to be told is not known either.
template <class Wire, class Number>
Wire told(std::optional<Number> number) {
  return number && std::in_range<Wire>(*number) ? static_cast<Wire>(*number) : Wire{-1};
}

void check(const protocol::DeviceBooks& books) {
  if (books.kind == protocol::DeviceKind::any)
    codec::refuse("books", "of a device of any kind");
  if (books.memory_bytes_free > books.memory_bytes_total) {
    codec::refuse("books", "more memory free than there is");
  }
  if (books.slots_free > books.slots_total)
    codec::refuse("books", "more slots free than there are");
}

}  // namespace

void write(NodeInfo::Builder to, const protocol::NodeInfo& from) {
  to.setNode(from.node.value);
  to.setName(as_text(from.name));
  to.setAddress(as_text(from.address));
  to.setStore(from.store.value);
  to.setKey(as_text(from.key));
  to.setState(codec::write_enum<MemberState>(from.state));
}

protocol::NodeInfo read(NodeInfo::Reader from, Reading& reading) {
  return {
      {from.getNode()},
      name_text(from.getName(), reading, "node name"),
      name_text(from.getAddress(), reading, "node address"),
      {from.getStore()},
      name_text(from.getKey(), reading, "node key"),
      codec::read_enum(from.getState(), protocol::MemberState::removed, "state of a member"),
  };
}

void write(ShardPlan::Builder to, const protocol::ShardPlan& from) {
  to.setShard(from.shard.value);
  codec::write_ids(to.initReplicas(list_size(from.replicas.size())), from.replicas);
}

protocol::ShardPlan read(ShardPlan::Reader from, Reading& reading) {
  return {{from.getShard()},
          codec::read_ids<base::NodeId>(from.getReplicas(), reading, "replicas",
                                        protocol::raft_members_max)};
}

void write(ClientKey::Builder to, const protocol::ClientKey& from) {
  to.setName(as_text(from.name));
  to.setKey(as_text(from.key));
  to.setRevoked(from.revoked);
}

protocol::ClientKey read(ClientKey::Reader from, Reading& reading) {
  return {name_text(from.getName(), reading, "client name"),
          name_text(from.getKey(), reading, "client key"), from.getRevoked()};
}

void write(JoinToken::Builder to, const protocol::JoinToken& from) {
  to.setHash(codec::as_data(from.hash.bytes));
  to.setExpiresAtMs(from.expires_at_ms);
}

protocol::JoinToken read(JoinToken::Reader from, Reading& reading) {
  return {reading.hash(from.getHash()), from.getExpiresAtMs()};
}

void write(LedShard::Builder to, const protocol::LedShard& from) {
  to.setShard(from.shard.value);
  to.setEpoch(from.epoch.value);
  to.setTerm(from.term.value);
}

protocol::LedShard read(LedShard::Reader from, Reading&) {
  return {{from.getShard()}, {from.getEpoch()}, {from.getTerm()}};
}

void write(DeviceTelemetry::Builder to, const protocol::DeviceTelemetry& from) {
  to.setMemoryBytesUsed(from.memory_bytes_used);
  to.setUtilisationPercent(told<std::int32_t>(from.utilisation_percent));
  to.setTemperatureCelsius(told<std::int32_t>(from.temperature_celsius));
  to.setPowerMilliwatts(told<std::int32_t>(from.power_milliwatts));
  to.setEccErrors(told<std::int64_t>(from.ecc_errors));
  to.setLastXid(from.last_xid);
  to.setRemark(as_text(codec::clip(from.remark)));
}

protocol::DeviceTelemetry read(DeviceTelemetry::Reader from, Reading& reading) {
  return {from.getMemoryBytesUsed(),
          known<std::uint32_t>(from.getUtilisationPercent()),
          known<std::uint32_t>(from.getTemperatureCelsius()),
          known<std::uint32_t>(from.getPowerMilliwatts()),
          known<std::uint64_t>(from.getEccErrors()),
          from.getLastXid(),
          reading.text(from.getRemark(), limits::message_text_bytes_max, "device remark")};
}

void write(DeviceBooks::Builder to, const protocol::DeviceBooks& from) {
  write(to.initDevice(), from.device);
  to.setIncarnation(from.incarnation.value);
  to.setVersion(from.version);
  to.setKind(codec::write_enum<DeviceKind>(from.kind));
  to.setModel(as_text(from.model));
  to.setUuid(as_text(from.uuid));
  to.setMemoryBytesTotal(from.memory_bytes_total);
  to.setMemoryBytesFree(from.memory_bytes_free);
  to.setSlotsTotal(from.slots_total);
  to.setSlotsFree(from.slots_free);
  to.setQueuedTasks(from.queued_tasks);
  to.setQueueRoom(from.queue_room);
  to.setBacklogNs(from.backlog_ns);
  to.setHealthy(from.healthy);
  to.setUnhealthyWhy(as_text(codec::clip(from.unhealthy_why)));
  to.setNoCommandsWhy(as_text(codec::clip(from.no_commands_why)));
  if (from.telemetry)
    write(to.initTelemetry(), *from.telemetry);
}

protocol::DeviceBooks read(DeviceBooks::Reader from, Reading& reading) {
  protocol::DeviceBooks books;
  books.device = read(from.getDevice(), reading);
  books.incarnation = {from.getIncarnation()};
  books.version = from.getVersion();
  books.kind = codec::read_enum(from.getKind(), protocol::DeviceKind::null, "device kind");
  books.model = name_text(from.getModel(), reading, "device model");
  books.uuid = name_text(from.getUuid(), reading, "device uuid");
  books.memory_bytes_total = from.getMemoryBytesTotal();
  books.memory_bytes_free = from.getMemoryBytesFree();
  books.slots_total = from.getSlotsTotal();
  books.slots_free = from.getSlotsFree();
  books.queued_tasks = from.getQueuedTasks();
  books.queue_room = from.getQueueRoom();
  books.backlog_ns = codec::read_duration_ns(from.getBacklogNs(), "backlog");
  books.healthy = from.getHealthy();
  books.unhealthy_why =
      reading.text(from.getUnhealthyWhy(), limits::message_text_bytes_max, "device health");
  books.no_commands_why =
      reading.text(from.getNoCommandsWhy(), limits::message_text_bytes_max, "device commands");
  if (from.hasTelemetry())
    books.telemetry = read(from.getTelemetry(), reading);
  check(books);
  return books;
}

void write(NodeDuties::Builder to, const protocol::NodeDuties& from) {
  to.setVotingReplicas(from.voting_replicas);
  to.setCopiesDue(from.copies_due);
  to.setCopiesCounted(from.copies_counted);
}

protocol::NodeDuties read(NodeDuties::Reader from, Reading&) {
  return {from.getVotingReplicas(), from.getCopiesDue(), from.getCopiesCounted()};
}

void write(NodeView::Builder to, const protocol::NodeView& from) {
  write(to.initInfo(), from.info);
  to.setIncarnation(from.incarnation.value);
  to.setState(codec::write_enum<NodeState>(from.state));
  to.setAgeNs(from.age_ns);
  codec::write_list(to.initLeads(list_size(from.leads.size())), from.leads);
  codec::write_list(to.initDevices(list_size(from.devices.size())), from.devices);
  if (from.duties)
    write(to.initDuties(), *from.duties);
}

protocol::NodeView read(NodeView::Reader from, Reading& reading) {
  protocol::NodeView view{
      read(from.getInfo(), reading),
      {from.getIncarnation()},
      codec::read_enum(from.getState(), protocol::NodeState::down, "node state"),
      codec::read_duration_ns(from.getAgeNs(), "age"),
      codec::read_list(from.getLeads(), reading, "led shards"),
      codec::read_list(from.getDevices(), reading, "devices"),
  };
  if (from.hasDuties())
    view.duties = read(from.getDuties(), reading);
  return view;
}

}  // namespace fastgpu::schema
