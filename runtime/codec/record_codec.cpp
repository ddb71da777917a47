#include "runtime/codec/record_codec.hpp"

#include "runtime/codec/cluster_parts.hpp"
#include "runtime/codec/common_parts.hpp"
#include "runtime/codec/job_parts.hpp"
#include "schema/record.capnp.h"

namespace fastgpu::schema {
namespace limits = base::limits;
using codec::as_text;
using codec::list_size;
using codec::Reading;

static void write_record(Record::Builder to, const protocol::SubmitRecord& from) {
  auto submit = to.initSubmit();
  write(submit.initRequest(), from.request);
  if (from.spec)
    write(submit.initSpec(), *from.spec);
  submit.setSubmittedAtMs(from.submitted_at_ms);
  submit.setAcceptedBy(from.accepted_by.value);
}

static protocol::SubmitRecord read(SubmitRecord::Reader from, Reading& reading) {
  if (!from.hasSpec())
    codec::refuse("submit record", "without a job spec");
  return {
      read(from.getRequest(), reading),
      read_shared(from.getSpec(), reading),
      from.getSubmittedAtMs(),
      {from.getAcceptedBy()},
  };
}

static void write_record(Record::Builder to, const protocol::PlacedRecord& from) {
  auto placed = to.initPlaced();
  write(placed.initAttempt(), from.attempt);
  placed.setJob(from.job.value);
  codec::write_list(placed.initRanges(list_size(from.ranges.size())), from.ranges);
  write(placed.initDevice(), from.device);
  placed.setIncarnation(from.incarnation.value);
  placed.setCause(codec::write_enum<PlaceCause>(from.cause));
}

static protocol::PlacedRecord read(PlacedRecord::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      {from.getJob()},
      codec::read_list(from.getRanges(), reading, "ranges"),
      read(from.getDevice(), reading),
      {from.getIncarnation()},
      codec::read_enum(from.getCause(), protocol::PlaceCause::refused, "cause"),
  };
}

static void write_record(Record::Builder to, const protocol::FinishRecord& from) {
  auto finish = to.initFinish();
  write(finish.initAttempt(), from.attempt);
  finish.setJob(from.job.value);
  codec::write_list(finish.initReports(list_size(from.reports.size())), from.reports);
  finish.setFinishedAtMs(from.finished_at_ms);
}

static protocol::FinishRecord read(FinishRecord::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      {from.getJob()},
      codec::read_list(from.getReports(), reading, "reports"),
      from.getFinishedAtMs(),
  };
}

static void write_record(Record::Builder to, const protocol::ReleasedRecord& from) {
  auto released = to.initReleased();
  write(released.initAttempt(), from.attempt);
  released.setJob(from.job.value);
  write(released.initDevice(), from.device);
  codec::write_list(released.initRanges(list_size(from.ranges.size())), from.ranges);
  released.setDeviceNs(from.device_ns);
}

static protocol::ReleasedRecord read(ReleasedRecord::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      {from.getJob()},
      read(from.getDevice(), reading),
      codec::read_list(from.getRanges(), reading, "ranges"),
      codec::read_duration_ns(from.getDeviceNs(), "device time"),
  };
}

static void write_record(Record::Builder to, const protocol::CancelRecord& from) {
  auto cancel = to.initCancel();
  write(cancel.initRequest(), from.request);
  cancel.setJob(from.job.value);
  cancel.setCancelledAtMs(from.cancelled_at_ms);
}

static protocol::CancelRecord read(CancelRecord::Reader from, Reading& reading) {
  return {read(from.getRequest(), reading), {from.getJob()}, from.getCancelledAtMs()};
}

static void write_record(Record::Builder to, const protocol::GiveUpRecord& from) {
  auto give_up = to.initGiveUp();
  give_up.setJob(from.job.value);
  codec::write_list(give_up.initRanges(list_size(from.ranges.size())), from.ranges);
  give_up.setReason(codec::write_enum<FailureReason>(from.reason));
  give_up.setMessage(as_text(codec::clip(from.message)));
  give_up.setGivenUpAtMs(from.given_up_at_ms);
}

static protocol::GiveUpRecord read(GiveUpRecord::Reader from, Reading& reading) {
  return {
      {from.getJob()},
      codec::read_list(from.getRanges(), reading, "ranges"),
      codec::read_enum(from.getReason(), base::failure_reason_last, "failure reason"),
      reading.text(from.getMessage(), limits::message_text_bytes_max, "message"),
      from.getGivenUpAtMs(),
  };
}

static void write_record(Record::Builder to, const protocol::MemberRecord& from) {
  auto member = to.initMember();
  write(member.initRequest(), from.request);
  write(member.initInfo(), from.info);
  if (from.token != base::ObjectHash{})
    member.setToken(codec::as_data(from.token.bytes));
  member.setJoinedAtMs(from.joined_at_ms);
}

static protocol::MemberRecord read(MemberRecord::Reader from, Reading& reading) {
  protocol::MemberRecord record;
  record.request = read(from.getRequest(), reading);
  record.info = read(from.getInfo(), reading);
  if (from.hasToken())
    record.token = reading.hash(from.getToken());
  record.joined_at_ms = from.getJoinedAtMs();
  return record;
}

static void write_record(Record::Builder to, const protocol::MemberStateRecord& from) {
  auto state = to.initMemberState();
  write(state.initRequest(), from.request);
  state.setNode(from.node.value);
  state.setState(codec::write_enum<MemberState>(from.state));
}

static protocol::MemberStateRecord read(MemberStateRecord::Reader from, Reading& reading) {
  return {
      read(from.getRequest(), reading),
      {from.getNode()},
      codec::read_enum(from.getState(), protocol::MemberState::removed, "state of a member"),
  };
}

static void write_record(Record::Builder to, const protocol::TokenRecord& from) {
  auto token = to.initToken();
  write(token.initRequest(), from.request);
  write(token.initToken(), from.token);
  token.setMadeAtMs(from.made_at_ms);
}

static protocol::TokenRecord read(TokenRecord::Reader from, Reading& reading) {
  return {read(from.getRequest(), reading), read(from.getToken(), reading), from.getMadeAtMs()};
}

static void write_record(Record::Builder to, const protocol::ClientKeyRecord& from) {
  auto client = to.initClientKey();
  write(client.initRequest(), from.request);
  write(client.initClient(), from.client);
}

static protocol::ClientKeyRecord read(ClientKeyRecord::Reader from, Reading& reading) {
  return {read(from.getRequest(), reading), read(from.getClient(), reading)};
}

static void write_record(Record::Builder to, const protocol::ReplicasRecord& from) {
  auto replicas = to.initReplicas();
  write(replicas.initRequest(), from.request);
  replicas.setReplicas(from.replicas);
}

static protocol::ReplicasRecord read(ReplicasRecord::Reader from, Reading& reading) {
  return {read(from.getRequest(), reading), from.getReplicas()};
}

static void write_record(Record::Builder to, const protocol::DependencyRecord& from) {
  auto dependency = to.initDependency();
  dependency.setJob(from.job.value);
  write(dependency.initParent(), from.parent);
  dependency.setRecordedAtMs(from.recorded_at_ms);
}

static protocol::DependencyRecord read(DependencyRecord::Reader from, Reading& reading) {
  const protocol::JobStanding parent = read(from.getParent(), reading);
  if (!parent.is_final())
    codec::refuse("dependency record", "of a job that has not ended");
  return {{from.getJob()}, parent, from.getRecordedAtMs()};
}

static void write(Record::Builder to, const protocol::Record& from) {
  std::visit([&](const auto& record) { write_record(to, record); }, from);
}

static protocol::Record read(Record::Reader from, Reading& reading) {
  switch (from.which()) {
    case Record::UNSET:
      break;
    case Record::SUBMIT:
      return read(from.getSubmit(), reading);
    case Record::PLACED:
      return read(from.getPlaced(), reading);
    case Record::FINISH:
      return read(from.getFinish(), reading);
    case Record::RELEASED:
      return read(from.getReleased(), reading);
    case Record::CANCEL:
      return read(from.getCancel(), reading);
    case Record::GIVE_UP:
      return read(from.getGiveUp(), reading);
    case Record::MEMBER:
      return read(from.getMember(), reading);
    case Record::DEPENDENCY:
      return read(from.getDependency(), reading);
    case Record::MEMBER_STATE:
      return read(from.getMemberState(), reading);
    case Record::TOKEN:
      return read(from.getToken(), reading);
    case Record::CLIENT_KEY:
      return read(from.getClientKey(), reading);
    case Record::REPLICAS:
      return read(from.getReplicas(), reading);
  }
  codec::refuse("record", "of no known kind");
}

static protocol::Entry read(Entry::Reader from, Reading& reading) {
  codec::check_format(from.getFormatVersion(), codec::record_format_version, "log entry");
  return {codec::read_list(from.getRecords(), reading, "records")};
}
}  // namespace fastgpu::schema

namespace fastgpu::codec {

base::Bytes encode(const protocol::Entry& entry) {
  return encode_root<schema::Entry>([&](schema::Entry::Builder to) {
    to.setFormatVersion(record_format_version);
    auto records = to.initRecords(list_size(entry.records.size()));
    for (std::uint32_t i = 0; i < records.size(); ++i)
      schema::write(records[i], entry.records[i]);
  });
}

base::Result<protocol::Entry> decode_entry(std::span<const std::uint8_t> data) {
  return decode_root<schema::Entry>(data, [](schema::Entry::Reader from, Reading& reading) {
    return schema::read(from, reading);
  });
}

base::Bytes encode(const protocol::JobSpec& spec) {
  return encode_root<schema::JobSpec>([&](schema::JobSpec::Builder to) { write(to, spec); });
}

base::Result<protocol::JobSpec> decode_job_spec(std::span<const std::uint8_t> data) {
  return decode_root<schema::JobSpec>(
      data, [](schema::JobSpec::Reader from, Reading& reading) { return read(from, reading); });
}

}  // namespace fastgpu::codec
