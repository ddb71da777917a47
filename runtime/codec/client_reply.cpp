// What a node answers a client.

#include "runtime/codec/client_parts.hpp"
#include "runtime/codec/cluster_parts.hpp"
#include "runtime/codec/common_parts.hpp"
#include "runtime/codec/job_parts.hpp"

namespace fastgpu::schema {

namespace limits = base::limits;
using codec::as_data;
using codec::as_text;
using codec::list_size;
using codec::Reading;

/// Job ids are divided by it.
static std::uint32_t read_shard_count(std::uint32_t from) {
  if (from == 0)
    codec::refuse("shard count", "zero");
  return from;
}

static void write_reply(ClientReply::Builder to, const base::Error& from) {
  write(to.initError(), from);
}

static void write_reply(ClientReply::Builder to, const protocol::Welcome& from) {
  auto welcome = to.initWelcome();
  welcome.setProtocolVersion(from.protocol_version);
  write(welcome.initCluster(), from.cluster);
  write(welcome.initNode(), from.node);
  welcome.setIncarnation(from.incarnation.value);
  welcome.setShardCount(from.shard_count);
  codec::write_ids(welcome.initLeads(list_size(from.leads.size())), from.leads);
  codec::write_list(welcome.initMembers(list_size(from.members.size())), from.members);
}

static protocol::Welcome read(Welcome::Reader from, Reading& reading) {
  return {
      from.getProtocolVersion(),
      read(from.getCluster(), reading),
      read(from.getNode(), reading),
      {from.getIncarnation()},
      read_shard_count(from.getShardCount()),
      codec::read_ids<base::ShardId>(from.getLeads(), reading, "led shards"),
      codec::read_list(from.getMembers(), reading, "members"),
  };
}

static void write_reply(ClientReply::Builder to, const protocol::Accepted& from) {
  to.initAccepted().setJob(from.job.value);
}

static protocol::Accepted read(Accepted::Reader from, Reading&) {
  return {{from.getJob()}};
}

static void write(JobSummary::Builder to, const protocol::JobSummary& from) {
  to.setJob(from.job.value);
  to.setName(as_text(from.name));
  to.setState(codec::write_enum<TaskState>(from.state));
  auto counts = to.initCounts(list_size(from.counts.size()));
  for (std::uint32_t i = 0; i < counts.size(); ++i)
    counts.set(i, from.counts[i]);
  to.setKind(codec::write_enum<DeviceKind>(from.kind));
  to.setSubmittedAtMs(from.submitted_at_ms);
  to.setFinishedAtMs(from.finished_at_ms);
  codec::write_ids(to.initNodes(list_size(from.nodes.size())), from.nodes);
  if (from.waiting != protocol::WaitingReason{})
    write(to.initWaiting(), from.waiting);
  to.setDeviceNs(from.device_ns);
  if (!from.labels.empty())
    write_labels(to.initLabels(list_size(from.labels.size())), from.labels);
}

static std::array<std::uint32_t, protocol::task_state_count> read_counts(
    capnp::List<std::uint32_t>::Reader from) {
  std::array<std::uint32_t, protocol::task_state_count> counts{};
  if (from.size() > counts.size())
    codec::refuse("task counts", "of unknown states");
  for (std::uint32_t i = 0; i < from.size(); ++i)
    counts[i] = from[i];
  return counts;
}

static protocol::JobSummary read(JobSummary::Reader from, Reading& reading) {
  return {
      {from.getJob()},
      reading.text(from.getName(), limits::task_spec_bytes_max, "job name"),
      codec::read_enum(from.getState(), protocol::TaskState::lost, "job state"),
      read_counts(from.getCounts()),
      codec::read_enum(from.getKind(), protocol::DeviceKind::null, "device kind"),
      from.getSubmittedAtMs(),
      from.getFinishedAtMs(),
      codec::read_ids<base::NodeId>(from.getNodes(), reading, "nodes of a job"),
      read(from.getWaiting(), reading),
      from.getDeviceNs(),
      read_labels(from.getLabels(), reading),
  };
}

static void write_reply(ClientReply::Builder to, const protocol::JobList& from) {
  auto list = to.initJobList();
  codec::write_list(list.initJobs(list_size(from.jobs.size())), from.jobs);
  list.setFinishedHidden(from.finished_hidden);
  list.setShardsUnanswered(from.shards_unanswered);
  list.setSource(from.source.value);
}

static protocol::JobList read(JobList::Reader from, Reading& reading) {
  return {
      codec::read_list(from.getJobs(), reading, "jobs"),
      from.getFinishedHidden(),
      from.getShardsUnanswered(),
      {from.getSource()},
  };
}

static void write(AttemptInfo::Builder to, const protocol::AttemptInfo& from) {
  write(to.initAttempt(), from.attempt);
  codec::write_list(to.initRanges(list_size(from.ranges.size())), from.ranges);
  write(to.initDevice(), from.device);
  to.setCause(codec::write_enum<PlaceCause>(from.cause));
}

static protocol::AttemptInfo read(AttemptInfo::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      codec::read_list(from.getRanges(), reading, "ranges"),
      read(from.getDevice(), reading),
      codec::read_enum(from.getCause(), protocol::PlaceCause::refused, "cause"),
  };
}

static void write_reply(ClientReply::Builder to, const protocol::JobDetail& from) {
  auto detail = to.initJobDetail();
  write(detail.initSummary(), from.summary);
  if (from.spec)
    write(detail.initSpec(), *from.spec);
  codec::write_list(detail.initReports(list_size(from.reports.size())), from.reports);
  detail.setNextTask(from.next_task);
  codec::write_list(detail.initAttempts(list_size(from.attempts.size())), from.attempts);
  detail.setSource(from.source.value);
}

static protocol::JobDetail read(JobDetail::Reader from, Reading& reading) {
  return {
      read(from.getSummary(), reading),
      from.hasSpec() ? read_shared(from.getSpec(), reading) : protocol::SharedSpec{},
      codec::read_list(from.getReports(), reading, "reports"),
      from.getNextTask(),
      codec::read_list(from.getAttempts(), reading, "attempts"),
      {from.getSource()},
  };
}

static void write_reply(ClientReply::Builder to, const protocol::ClusterStatus& from) {
  auto status = to.initClusterStatus();
  write(status.initCluster(), from.cluster);
  status.setSource(from.source.value);
  codec::write_list(status.initNodes(list_size(from.nodes.size())), from.nodes);
  status.setWallTimeMs(from.wall_time_ms);
}

static protocol::ClusterStatus read(ClusterStatus::Reader from, Reading& reading) {
  return {
      read(from.getCluster(), reading),
      {from.getSource()},
      codec::read_list(from.getNodes(), reading, "nodes"),
      from.getWallTimeMs(),
  };
}

static void write_reply(ClientReply::Builder to, const protocol::PutReply& from) {
  auto put = to.initPutReply();
  write(put.initObject(), from.object);
  put.setReceivedBytes(from.received_bytes);
  put.setComplete(from.complete);
}

static protocol::PutReply read(PutReply::Reader from, Reading& reading) {
  return {read(from.getObject(), reading), from.getReceivedBytes(), from.getComplete()};
}

static void write_reply(ClientReply::Builder to, const protocol::Chunk& from) {
  auto chunk = to.initChunk();
  write(chunk.initObject(), from.object);
  chunk.setOffset(from.offset);
  chunk.setData(as_data(from.data.span()));
}

static protocol::Chunk read(Chunk::Reader from, Reading& reading) {
  return {
      read(from.getObject(), reading),
      from.getOffset(),
      reading.bytes(from.getData(), limits::object_chunk_bytes, "piece"),
  };
}

static void write_reply(ClientReply::Builder to, const protocol::Joined& from) {
  auto joined = to.initJoined();
  write(joined.initCluster(), from.cluster);
  write(joined.initSelf(), from.self);
  joined.setShardCount(from.shard_count);
  codec::write_list(joined.initMembers(list_size(from.members.size())), from.members);
}

static protocol::Joined read(Joined::Reader from, Reading& reading) {
  return {
      read(from.getCluster(), reading),
      read(from.getSelf(), reading),
      read_shard_count(from.getShardCount()),
      codec::read_list(from.getMembers(), reading, "members"),
  };
}

static void write(LogRecord::Builder to, const base::LogRecord& from) {
  to.setJob(from.job.value);
  to.setTask(from.task);
  write(to.initAttempt(), from.attempt);
  to.setStream(codec::write_enum<LogStream>(from.stream));
  to.setTimeNs(from.time_ns);
  to.setBytes(as_data(from.bytes.span()));
}

static base::LogRecord read(LogRecord::Reader from, Reading& reading) {
  return {
      {from.getJob()},
      from.getTask(),
      read(from.getAttempt(), reading),
      codec::read_enum(from.getStream(), base::LogStream::notice, "log stream"),
      from.getTimeNs(),
      reading.bytes(from.getBytes(), limits::log_record_bytes_max, "log record"),
  };
}

static void write_reply(ClientReply::Builder to, const protocol::LogPart& from) {
  auto part = to.initLogPart();
  codec::write_list(part.initRecords(list_size(from.records.size())), from.records);
  part.setNextCursor(from.next_cursor);
  part.setNode(from.node.value);
  part.setAtEnd(from.at_end);
  part.setDroppedBytes(from.dropped_bytes);
}

static protocol::LogPart read(LogPart::Reader from, Reading& reading) {
  return {
      codec::read_list(from.getRecords(), reading, "log records"),
      from.getNextCursor(),
      {from.getNode()},
      from.getAtEnd(),
      from.getDroppedBytes(),
  };
}

static void write_reply(ClientReply::Builder to, const protocol::Recorded&) {
  to.setRecorded();
}

void write(ClientReply::Builder to, const protocol::ClientReply& from) {
  std::visit([&](const auto& reply) { write_reply(to, reply); }, from);
}

protocol::ClientReply read(ClientReply::Reader from, Reading& reading) {
  switch (from.which()) {
    case ClientReply::UNSET:
      break;
    case ClientReply::ERROR:
      return read(from.getError(), reading);
    case ClientReply::WELCOME:
      return read(from.getWelcome(), reading);
    case ClientReply::ACCEPTED:
      return read(from.getAccepted(), reading);
    case ClientReply::JOB_LIST:
      return read(from.getJobList(), reading);
    case ClientReply::JOB_DETAIL:
      return read(from.getJobDetail(), reading);
    case ClientReply::CLUSTER_STATUS:
      return read(from.getClusterStatus(), reading);
    case ClientReply::PUT_REPLY:
      return read(from.getPutReply(), reading);
    case ClientReply::CHUNK:
      return read(from.getChunk(), reading);
    case ClientReply::JOINED:
      return read(from.getJoined(), reading);
    case ClientReply::LOG_PART:
      return read(from.getLogPart(), reading);
    case ClientReply::RECORDED:
      return protocol::Recorded{};
  }
  codec::refuse("reply", "of no known kind");
}

}  // namespace fastgpu::schema
