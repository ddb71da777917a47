#include "runtime/codec/peer_codec.hpp"

#include "runtime/codec/client_parts.hpp"
#include "runtime/codec/cluster_parts.hpp"
#include "runtime/codec/common_parts.hpp"
#include "runtime/codec/job_parts.hpp"
#include "runtime/codec/raft_parts.hpp"
#include "schema/peer.capnp.h"

namespace fastgpu::schema {
namespace limits = base::limits;
using codec::as_data;
using codec::list_size;
using codec::Reading;

// --- monitor to monitor --------------------------------------------------------------------------

static void write_message(PeerMessage::Builder to, const protocol::Heartbeat& from) {
  auto heartbeat = to.initHeartbeat();
  write(heartbeat.initSelf(), from.self);
  codec::write_list(heartbeat.initLeads(list_size(from.leads.size())), from.leads);
  codec::write_list(heartbeat.initDevices(list_size(from.devices.size())), from.devices);
  heartbeat.setMembersVersion(from.members_version);
  if (from.duties)
    write(heartbeat.initDuties(), *from.duties);
}

static protocol::Heartbeat read(Heartbeat::Reader from, Reading& reading) {
  protocol::Heartbeat heartbeat{
      read(from.getSelf(), reading),
      codec::read_list(from.getLeads(), reading, "led shards"),
      codec::read_list(from.getDevices(), reading, "devices"),
      from.getMembersVersion(),
  };
  if (from.hasDuties())
    heartbeat.duties = read(from.getDuties(), reading);
  return heartbeat;
}

static void write_message(PeerMessage::Builder to, const protocol::MembersAsk&) {
  to.setMembersAsk();
}

static void write_message(PeerMessage::Builder to, const protocol::Members& from) {
  auto members = to.initMembers();
  members.setVersion(from.version);
  codec::write_list(members.initMembers(list_size(from.members.size())), from.members);
  codec::write_list(members.initPlan(list_size(from.plan.size())), from.plan);
  codec::write_list(members.initClients(list_size(from.clients.size())), from.clients);
  codec::write_list(members.initTokens(list_size(from.tokens.size())), from.tokens);
  members.setReplicas(from.replicas);
}

static protocol::Members read(Members::Reader from, Reading& reading) {
  return {
      from.getVersion(),
      codec::read_list(from.getMembers(), reading, "members"),
      codec::read_list(from.getPlan(), reading, "plan"),
      codec::read_list(from.getClients(), reading, "clients"),
      codec::read_list(from.getTokens(), reading, "tokens"),
      from.getReplicas(),
  };
}

// --- shard leader to worker ----------------------------------------------------------------------

static void write_message(PeerMessage::Builder to, const protocol::Assign& from) {
  auto assign = to.initAssign();
  write(assign.initAttempt(), from.attempt);
  assign.setJob(from.job.value);
  codec::write_list(assign.initRanges(list_size(from.ranges.size())), from.ranges);
  write(assign.initDevice(), from.device);
  assign.setIncarnation(from.incarnation.value);
  if (from.spec)
    write(assign.initSpec(), *from.spec);
  assign.setStartBeforeNs(from.start_before_ns);
  assign.setLostBefore(from.lost_before);
}

static protocol::Assign read(Assign::Reader from, Reading& reading) {
  if (!from.hasSpec())
    codec::refuse("assign", "without a job spec");
  return {
      read(from.getAttempt(), reading),
      {from.getJob()},
      codec::read_list(from.getRanges(), reading, "ranges"),
      read(from.getDevice(), reading),
      {from.getIncarnation()},
      read_shared(from.getSpec(), reading),
      from.getStartBeforeNs(),
      from.getLostBefore(),
  };
}

static void write(Stop::Builder to, const protocol::Stop& from) {
  write(to.initAttempt(), from.attempt);
  to.setJob(from.job.value);
  write(to.initDevice(), from.device);
  codec::write_list(to.initRanges(list_size(from.ranges.size())), from.ranges);
}

static protocol::Stop read(Stop::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      {from.getJob()},
      read(from.getDevice(), reading),
      codec::read_list(from.getRanges(), reading, "ranges"),
  };
}

static void write_message(PeerMessage::Builder to, const protocol::Stop& from) {
  write(to.initStop(), from);
}

static void write_message(PeerMessage::Builder to, const protocol::Adopt& from) {
  auto adopt = to.initAdopt();
  adopt.setShard(from.shard.value);
  adopt.setEpoch(from.epoch.value);
  adopt.setTerm(from.term.value);
}

static protocol::Adopt read(Adopt::Reader from, Reading&) {
  return {{from.getShard()}, {from.getEpoch()}, {from.getTerm()}};
}

static void write_message(PeerMessage::Builder to, const protocol::Settled& from) {
  auto settled = to.initSettled();
  write(settled.initAttempt(), from.attempt);
  settled.setJob(from.job.value);
  write(settled.initDevice(), from.device);
  codec::write_list(settled.initRanges(list_size(from.ranges.size())), from.ranges);
}

static protocol::Settled read(Settled::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      {from.getJob()},
      read(from.getDevice(), reading),
      codec::read_list(from.getRanges(), reading, "ranges"),
  };
}

static void write_message(PeerMessage::Builder to, const protocol::Renewed& from) {
  auto renewed = to.initRenewed();
  renewed.setShard(from.shard.value);
  renewed.setEpoch(from.epoch.value);
  renewed.setTerm(from.term.value);
  write(renewed.initDevice(), from.device);
  renewed.setAskedAtNs(from.asked_at_ns);
  renewed.setLeaseNs(from.lease_ns);
  codec::write_list(renewed.initStop(list_size(from.stop.size())), from.stop);
  renewed.setCommandLeaseNs(from.command_lease_ns);
}

static protocol::Renewed read(Renewed::Reader from, Reading& reading) {
  return {
      {from.getShard()},
      {from.getEpoch()},
      {from.getTerm()},
      read(from.getDevice(), reading),
      from.getAskedAtNs(),
      codec::read_duration_ns(from.getLeaseNs(), "lease"),
      codec::read_list(from.getStop(), reading, "stops"),
      codec::read_duration_ns(from.getCommandLeaseNs(), "command lease"),
  };
}

// --- worker to shard leader ----------------------------------------------------------------------

static void write_message(PeerMessage::Builder to, const protocol::AssignReply& from) {
  auto reply = to.initAssignReply();
  write(reply.initAttempt(), from.attempt);
  reply.setJob(from.job.value);
  write(reply.initDevice(), from.device);
  reply.setRefused(codec::write_enum<RefusalReason>(from.refused));
  write(reply.initBooks(), from.books);
  reply.setGrantedAtNs(from.granted_at_ns);
}

static protocol::AssignReply read(AssignReply::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      {from.getJob()},
      read(from.getDevice(), reading),
      codec::read_enum(from.getRefused(), protocol::RefusalReason::draining, "refusal reason"),
      read(from.getBooks(), reading),
      from.getGrantedAtNs(),
  };
}

static void write_message(PeerMessage::Builder to, const protocol::Finish& from) {
  auto finish = to.initFinish();
  write(finish.initAttempt(), from.attempt);
  finish.setJob(from.job.value);
  write(finish.initDevice(), from.device);
  codec::write_list(finish.initReports(list_size(from.reports.size())), from.reports);
  finish.setDeviceNs(from.device_ns);
}

static protocol::Finish read(Finish::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      {from.getJob()},
      read(from.getDevice(), reading),
      codec::read_list(from.getReports(), reading, "reports"),
      codec::read_duration_ns(from.getDeviceNs(), "device time"),
  };
}

static void write(HeldAttempt::Builder to, const protocol::HeldAttempt& from) {
  write(to.initAttempt(), from.attempt);
  to.setJob(from.job.value);
  codec::write_list(to.initRanges(list_size(from.ranges.size())), from.ranges);
  codec::write_list(to.initRunning(list_size(from.running.size())), from.running);
  if (from.waiting != protocol::WaitingReason{})
    write(to.initWaiting(), from.waiting);
}

static protocol::HeldAttempt read(HeldAttempt::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      {from.getJob()},
      codec::read_list(from.getRanges(), reading, "ranges"),
      codec::read_list(from.getRunning(), reading, "ranges"),
      read(from.getWaiting(), reading),
  };
}

static void write_message(PeerMessage::Builder to, const protocol::Renew& from) {
  auto renew = to.initRenew();
  renew.setShard(from.shard.value);
  renew.setEpoch(from.epoch.value);
  renew.setTerm(from.term.value);
  write(renew.initDevice(), from.device);
  renew.setIncarnation(from.incarnation.value);
  renew.setAskedAtNs(from.asked_at_ns);
  codec::write_list(renew.initHeld(list_size(from.held.size())), from.held);
}

static protocol::Renew read(Renew::Reader from, Reading& reading) {
  return {
      {from.getShard()},
      {from.getEpoch()},
      {from.getTerm()},
      read(from.getDevice(), reading),
      {from.getIncarnation()},
      from.getAskedAtNs(),
      codec::read_list(from.getHeld(), reading, "held attempts"),
  };
}

// --- objects to objects --------------------------------------------------------------------------

static void write_message(PeerMessage::Builder to, const protocol::ObjectFetch& from) {
  auto fetch = to.initObjectFetch();
  fetch.setHash(as_data(from.hash.bytes));
  fetch.setOffset(from.offset);
  fetch.setLength(from.length);
}

static protocol::ObjectFetch read(ObjectFetch::Reader from, Reading& reading) {
  return {reading.hash(from.getHash()), from.getOffset(), from.getLength()};
}

static void write_message(PeerMessage::Builder to, const protocol::ObjectPart& from) {
  auto part = to.initObjectPart();
  part.setHash(as_data(from.hash.bytes));
  part.setOffset(from.offset);
  part.setSizeBytes(from.size_bytes);
  part.setMissing(from.missing);
  part.setData(as_data(from.data.span()));
}

static protocol::ObjectPart read(ObjectPart::Reader from, Reading& reading) {
  protocol::ObjectPart part{
      reading.hash(from.getHash()),
      from.getOffset(),
      from.getSizeBytes(),
      from.getMissing(),
      reading.bytes(from.getData(), limits::object_chunk_bytes, "piece"),
  };
  // An answer to a fetch beyond the end has an offset outside the object, and no data.
  if (!part.data.empty())
    codec::check_piece(part.offset, part.data.size(), part.size_bytes);
  if (part.missing && !part.data.empty())
    codec::refuse("piece", "of a missing object");
  return part;
}

// --- gateway to gateway --------------------------------------------------------------------------

static void write_message(PeerMessage::Builder to, const protocol::Forward& from) {
  auto forward = to.initForward();
  forward.setCall(from.call);
  write(forward.initRequest(), from.request);
}

static protocol::Forward read(Forward::Reader from, Reading& reading) {
  return {from.getCall(), read(from.getRequest(), reading)};
}

static void write_message(PeerMessage::Builder to, const protocol::ForwardReply& from) {
  auto reply = to.initForwardReply();
  reply.setCall(from.call);
  write(reply.initReply(), from.reply);
}

static protocol::ForwardReply read(ForwardReply::Reader from, Reading& reading) {
  return {from.getCall(), read(from.getReply(), reading)};
}

// --- pins ----------------------------------------------------------------------------------------

static void write_message(PeerMessage::Builder to, const protocol::ObjectPin& from) {
  auto pin = to.initObjectPin();
  pin.setCall(from.call);
  pin.setPart(from.part);
  write(pin.initRequest(), from.request);
  codec::write_list(pin.initObjects(list_size(from.objects.size())), from.objects);
}

static protocol::ObjectPin read(ObjectPin::Reader from, Reading& reading) {
  return {from.getCall(), from.getPart(), read(from.getRequest(), reading),
          codec::read_list(from.getObjects(), reading, "inputs", limits::message_list_items_max)};
}

static void write_message(PeerMessage::Builder to, const protocol::ObjectPinned& from) {
  auto pinned = to.initObjectPinned();
  pinned.setCall(from.call);
  pinned.setPart(from.part);
  pinned.setOk(from.ok);
  write(pinned.initError(), from.error);
}

static protocol::ObjectPinned read(ObjectPinned::Reader from, Reading& reading) {
  return {from.getCall(), from.getPart(), from.getOk(), read(from.getError(), reading)};
}

static void write_message(PeerMessage::Builder to, const protocol::KeepCopies& from) {
  auto keep = to.initKeepCopies();
  keep.setCall(from.call);
  write(keep.initRequest(), from.request);
  keep.setJob(from.job.value);
  codec::write_list(keep.initObjects(list_size(from.objects.size())), from.objects);
}

static protocol::KeepCopies read(KeepCopies::Reader from, Reading& reading) {
  return {from.getCall(),
          read(from.getRequest(), reading),
          {from.getJob()},
          codec::read_list(from.getObjects(), reading, "copies", limits::copy_objects_max)};
}

static void write_message(PeerMessage::Builder to, const protocol::CopiesKept& from) {
  auto kept = to.initCopiesKept();
  kept.setCall(from.call);
  kept.setOk(from.ok);
  write(kept.initError(), from.error);
}

static protocol::CopiesKept read(CopiesKept::Reader from, Reading& reading) {
  return {from.getCall(), from.getOk(), read(from.getError(), reading)};
}

static void write_message(PeerMessage::Builder to, const protocol::PinCheck& from) {
  auto check = to.initPinCheck();
  check.setShard(from.shard.value);
  check.setQuestion(from.question);
  codec::write_list(check.initRequests(list_size(from.requests.size())), from.requests);
  codec::write_ids(check.initJobs(list_size(from.jobs.size())), from.jobs);
}

static protocol::PinCheck read(PinCheck::Reader from, Reading& reading) {
  constexpr std::size_t owners_max = limits::pin_check_owners_max;
  return {{from.getShard()},
          from.getQuestion(),
          codec::read_list(from.getRequests(), reading, "requests", owners_max),
          codec::read_ids<base::JobId>(from.getJobs(), reading, "jobs", owners_max)};
}

static void write_message(PeerMessage::Builder to, const protocol::PinAnswer& from) {
  auto answer = to.initPinAnswer();
  answer.setShard(from.shard.value);
  answer.setEpoch(from.epoch.value);
  answer.setTerm(from.term.value);
  answer.setQuestion(from.question);
  codec::write_list(answer.initGoneRequests(list_size(from.gone_requests.size())),
                    from.gone_requests);
  codec::write_ids(answer.initGoneJobs(list_size(from.gone_jobs.size())), from.gone_jobs);
}

static protocol::PinAnswer read(PinAnswer::Reader from, Reading& reading) {
  constexpr std::size_t owners_max = limits::pin_check_owners_max;
  return {{from.getShard()},
          {from.getEpoch()},
          {from.getTerm()},
          from.getQuestion(),
          codec::read_list(from.getGoneRequests(), reading, "requests", owners_max),
          codec::read_ids<base::JobId>(from.getGoneJobs(), reading, "jobs", owners_max)};
}

// --- shard leader to shard leader ----------------------------------------------------------------

static void write_message(PeerMessage::Builder to, const protocol::DependencyAsk& from) {
  auto ask = to.initDependencyAsk();
  ask.setShard(from.shard.value);
  ask.setAsker(from.asker.value);
  ask.setAskerEpoch(from.asker_epoch.value);
  ask.setAskerTerm(from.asker_term.value);
  ask.setNumber(from.number);
  codec::write_ids(ask.initJobs(list_size(from.jobs.size())), from.jobs);
}

static protocol::DependencyAsk read(DependencyAsk::Reader from, Reading& reading) {
  return {
      {from.getShard()},
      {from.getAsker()},
      {from.getAskerEpoch()},
      {from.getAskerTerm()},
      from.getNumber(),
      codec::read_ids<base::JobId>(from.getJobs(), reading, "jobs asked for",
                                   base::limits::dependency_ask_jobs_max),
  };
}

static void write_message(PeerMessage::Builder to, const protocol::DependencyAnswer& from) {
  auto answer = to.initDependencyAnswer();
  answer.setAsker(from.asker.value);
  answer.setAskerEpoch(from.asker_epoch.value);
  answer.setAskerTerm(from.asker_term.value);
  answer.setNumber(from.number);
  answer.setShard(from.shard.value);
  answer.setEpoch(from.epoch.value);
  answer.setTerm(from.term.value);
  codec::write_list(answer.initJobs(list_size(from.jobs.size())), from.jobs);
}

static protocol::DependencyAnswer read(DependencyAnswer::Reader from, Reading& reading) {
  return {
      {from.getAsker()},
      {from.getAskerEpoch()},
      {from.getAskerTerm()},
      from.getNumber(),
      {from.getShard()},
      {from.getEpoch()},
      {from.getTerm()},
      codec::read_list(from.getJobs(), reading, "jobs answered for",
                       base::limits::dependency_ask_jobs_max),
  };
}

// --- replica to replica --------------------------------------------------------------------------

static void write_message(PeerMessage::Builder to, const protocol::RaftMessage& from) {
  write(to.initRaft(), from);
}

static void write_message(PeerMessage::Builder to, const protocol::RaftBatch& from) {
  codec::write_list(to.initRaftBatch(list_size(from.messages.size())), from.messages);
}

static protocol::PeerMessage read(PeerMessage::Reader from, Reading& reading) {
  switch (from.which()) {
    case PeerMessage::UNSET:
      break;
    case PeerMessage::HEARTBEAT:
      return read(from.getHeartbeat(), reading);
    case PeerMessage::MEMBERS_ASK:
      return protocol::MembersAsk{};
    case PeerMessage::MEMBERS:
      return read(from.getMembers(), reading);
    case PeerMessage::ASSIGN:
      return read(from.getAssign(), reading);
    case PeerMessage::STOP:
      return read(from.getStop(), reading);
    case PeerMessage::ADOPT:
      return read(from.getAdopt(), reading);
    case PeerMessage::SETTLED:
      return read(from.getSettled(), reading);
    case PeerMessage::RENEWED:
      return read(from.getRenewed(), reading);
    case PeerMessage::ASSIGN_REPLY:
      return read(from.getAssignReply(), reading);
    case PeerMessage::FINISH:
      return read(from.getFinish(), reading);
    case PeerMessage::RENEW:
      return read(from.getRenew(), reading);
    case PeerMessage::OBJECT_FETCH:
      return read(from.getObjectFetch(), reading);
    case PeerMessage::OBJECT_PART:
      return read(from.getObjectPart(), reading);
    case PeerMessage::FORWARD:
      return read(from.getForward(), reading);
    case PeerMessage::FORWARD_REPLY:
      return read(from.getForwardReply(), reading);
    case PeerMessage::OBJECT_PIN:
      return read(from.getObjectPin(), reading);
    case PeerMessage::OBJECT_PINNED:
      return read(from.getObjectPinned(), reading);
    case PeerMessage::PIN_CHECK:
      return read(from.getPinCheck(), reading);
    case PeerMessage::PIN_ANSWER:
      return read(from.getPinAnswer(), reading);
    case PeerMessage::DEPENDENCY_ASK:
      return read(from.getDependencyAsk(), reading);
    case PeerMessage::DEPENDENCY_ANSWER:
      return read(from.getDependencyAnswer(), reading);
    case PeerMessage::RAFT:
      return read(from.getRaft(), reading);
    case PeerMessage::RAFT_BATCH:
      return protocol::RaftBatch{codec::read_list(
          from.getRaftBatch(), reading, "replicas' messages", protocol::raft_entries_max)};
    case PeerMessage::KEEP_COPIES:
      return read(from.getKeepCopies(), reading);
    case PeerMessage::COPIES_KEPT:
      return read(from.getCopiesKept(), reading);
  }
  codec::refuse("message", "of no known kind");
}
}  // namespace fastgpu::schema

namespace fastgpu::codec {

base::Bytes encode(const protocol::PeerMessage& message) {
  return encode_root<schema::PeerMessage>([&](schema::PeerMessage::Builder to) {
    std::visit([&](const auto& alternative) { schema::write_message(to, alternative); }, message);
  });
}

base::Result<protocol::PeerMessage> decode_peer(std::span<const std::uint8_t> data) {
  return decode_root<schema::PeerMessage>(data,
                                          [](schema::PeerMessage::Reader from, Reading& reading) {
                                            return schema::read(from, reading);
                                          });
}

}  // namespace fastgpu::codec
