#include "runtime/codec/image_codec.hpp"

#include <limits>
#include <unordered_map>

#include "runtime/codec/cluster_parts.hpp"
#include "runtime/codec/common_parts.hpp"
#include "runtime/codec/job_parts.hpp"
#include "schema/ledger_image.capnp.h"

namespace fastgpu::schema {

using codec::list_size;
using codec::Reading;
using codec::refuse;

namespace {

/// A snapshot holds whatever the ledger holds: only its size bounds its lists.
constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

/// The distinct outcomes of a job, numbered from 1 in the order of its tasks.
class OutcomeTable {
 public:
  std::uint32_t number_of(const protocol::SharedOutcome& outcome) {
    if (!outcome)
      return 0;
    const auto [place, added] = numbers_.try_emplace(outcome.value.get(), list_size(size() + 1));
    if (added)
      outcomes_.push_back(outcome);
    return place->second;
  }
  std::size_t size() const { return outcomes_.size(); }
  const protocol::SharedOutcome& at(std::size_t index) const { return outcomes_[index]; }

 private:
  std::unordered_map<const protocol::TaskOutcome*, std::uint32_t> numbers_;
  std::vector<protocol::SharedOutcome> outcomes_;
};

using Outcomes = std::vector<protocol::SharedOutcome>;

Outcomes read_outcomes(capnp::List<TaskOutcome>::Reader from, Reading& reading) {
  reading.charge(std::uint64_t{from.size()} *
                 (sizeof(protocol::TaskOutcome) + sizeof(protocol::SharedOutcome)));
  Outcomes outcomes;
  outcomes.reserve(from.size());
  for (auto outcome : from) {
    outcomes.push_back({std::make_shared<const protocol::TaskOutcome>(read(outcome, reading))});
  }
  return outcomes;
}

void write_segment(TaskSegment::Builder to, const protocol::TaskSegment& from,
                   std::uint32_t outcome) {
  write(to.initRange(), from.range);
  to.setPhase(codec::write_enum<TaskPhase>(from.record.phase));
  to.setNextCause(codec::write_enum<PlaceCause>(from.record.next_cause));
  to.setOwnFailures(from.record.own_failures);
  to.setNodeFailures(from.record.node_failures);
  if (from.record.floor != base::AttemptId{})
    write(to.initFloor(), from.record.floor);
  if (from.record.device != base::DeviceId{})
    write(to.initDevice(), from.record.device);
  to.setIncarnation(from.record.incarnation.value);
  to.setOutcome(outcome);
}

protocol::TaskSegment read_segment(TaskSegment::Reader from, const Outcomes& outcomes,
                                   Reading& reading) {
  protocol::TaskSegment segment;
  segment.range = read(from.getRange(), reading);
  segment.record.phase = codec::read_enum(from.getPhase(), protocol::TaskPhase::ended, "phase");
  segment.record.next_cause =
      codec::read_enum(from.getNextCause(), protocol::PlaceCause::refused, "cause");
  segment.record.own_failures = from.getOwnFailures();
  segment.record.node_failures = from.getNodeFailures();
  segment.record.floor = read(from.getFloor(), reading);
  segment.record.device = read(from.getDevice(), reading);
  segment.record.incarnation = {from.getIncarnation()};
  const std::uint32_t number = from.getOutcome();
  const bool ended = segment.record.phase == protocol::TaskPhase::ended;
  if (number > outcomes.size() || (number != 0) != ended)
    refuse("task", "outcome out of place");
  if (ended)
    segment.record.outcome = outcomes[number - 1];
  return segment;
}

std::vector<protocol::TaskSegment> read_segments(JobImage::Reader from, std::uint32_t tasks,
                                                 Reading& reading) {
  const Outcomes outcomes = read_outcomes(from.getOutcomes(), reading);
  const auto list = from.getTasks();
  reading.charge(std::uint64_t{list.size()} * sizeof(protocol::TaskSegment));
  std::vector<protocol::TaskSegment> segments;
  segments.reserve(list.size());
  std::uint64_t end = 0;
  for (auto item : list) {
    segments.push_back(read_segment(item, outcomes, reading));
    if (segments.back().range.first != end)
      refuse("tasks", "with a gap");
    end = segments.back().range.end();
  }
  if (end != tasks)
    refuse("tasks", "not those of the job");
  return segments;
}

}  // namespace

static void write(AttemptImage::Builder to, const protocol::AttemptImage& from) {
  write(to.initAttempt(), from.attempt);
  write(to.initDevice(), from.device);
  codec::write_list(to.initRanges(list_size(from.ranges.size())), from.ranges);
  codec::write_list(to.initReleased(list_size(from.released.size())), from.released);
  to.setCause(codec::write_enum<PlaceCause>(from.cause));
}

static protocol::AttemptImage read(AttemptImage::Reader from, Reading& reading) {
  return {
      read(from.getAttempt(), reading),
      read(from.getDevice(), reading),
      codec::read_list(from.getRanges(), reading, "ranges", any_number),
      codec::read_list(from.getReleased(), reading, "ranges", any_number),
      codec::read_enum(from.getCause(), protocol::PlaceCause::refused, "cause"),
  };
}

static void write(JobImage::Builder to, const protocol::JobImage& from) {
  to.setJob(from.job.value);
  write(to.initRequest(), from.request);
  if (from.cancel_request != base::RequestId{})
    write(to.initCancelRequest(), from.cancel_request);
  if (from.spec)
    write(to.initSpec(), *from.spec);
  to.setSubmittedAtMs(from.submitted_at_ms);
  to.setFinishedAtMs(from.finished_at_ms);
  to.setAcceptedBy(from.accepted_by.value);
  to.setDeviceNs(from.device_ns);
  OutcomeTable table;
  auto tasks = to.initTasks(list_size(from.tasks.size()));
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    write_segment(tasks[i], from.tasks[i], table.number_of(from.tasks[i].record.outcome));
  }
  codec::write_list(to.initAttempts(list_size(from.attempts.size())), from.attempts);
  auto outcomes = to.initOutcomes(list_size(table.size()));
  for (std::uint32_t i = 0; i < outcomes.size(); ++i)
    write(outcomes[i], *table.at(i));
  if (!from.waits_for.empty())
    codec::write_list(to.initWaitsFor(list_size(from.waits_for.size())), from.waits_for);
}

static protocol::JobImage read(JobImage::Reader from, Reading& reading) {
  if (!from.hasSpec())
    refuse("job", "without a job spec");
  protocol::JobImage image;
  image.job = {from.getJob()};
  image.request = read(from.getRequest(), reading);
  image.cancel_request = read(from.getCancelRequest(), reading);
  image.spec = read_shared(from.getSpec(), reading);
  image.submitted_at_ms = from.getSubmittedAtMs();
  image.finished_at_ms = from.getFinishedAtMs();
  image.accepted_by = {from.getAcceptedBy()};
  image.device_ns = from.getDeviceNs();
  image.tasks = read_segments(from, image.spec->tasks, reading);
  image.attempts = codec::read_list(from.getAttempts(), reading, "attempts", any_number);
  image.waits_for =
      codec::read_list(from.getWaitsFor(), reading, "dependencies", base::limits::dependencies_max);
  return image;
}

static void write(MemberImage::Builder to, const protocol::MemberImage& from) {
  write(to.initRequest(), from.request);
  write(to.initInfo(), from.info);
}

static protocol::MemberImage read(MemberImage::Reader from, Reading& reading) {
  const auto request = read(from.getRequest(), reading);
  return {request, read(from.getInfo(), reading)};
}

static void write(LedgerImage::Builder to, const protocol::LedgerImage& from) {
  to.setFormatVersion(codec::image_format_version);
  to.setApplied(from.applied.value);
  to.setNextJobSequence(from.next_job_sequence);
  codec::write_list(to.initJobs(list_size(from.jobs.size())), from.jobs);
  codec::write_ids(to.initFinished(list_size(from.finished.size())), from.finished);
  codec::write_list(to.initMembers(list_size(from.members.size())), from.members);
  to.setMembersVersion(from.members_version);
  codec::write_list(to.initPlan(list_size(from.plan.size())), from.plan);
  codec::write_list(to.initClients(list_size(from.clients.size())), from.clients);
  codec::write_list(to.initTokens(list_size(from.tokens.size())), from.tokens);
  to.setReplicas(from.replicas);
}

static protocol::LedgerImage read(LedgerImage::Reader from, Reading& reading) {
  codec::check_format(from.getFormatVersion(), codec::image_format_version, "snapshot");
  return {
      {from.getApplied()},
      from.getNextJobSequence(),
      codec::read_list(from.getJobs(), reading, "jobs", any_number),
      codec::read_ids<base::JobId>(from.getFinished(), reading, "finished jobs", any_number),
      codec::read_list(from.getMembers(), reading, "members"),
      from.getMembersVersion(),
      codec::read_list(from.getPlan(), reading, "plan"),
      codec::read_list(from.getClients(), reading, "clients"),
      codec::read_list(from.getTokens(), reading, "tokens"),
      from.getReplicas(),
  };
}

}  // namespace fastgpu::schema

namespace fastgpu::codec {

base::Bytes encode(const protocol::LedgerImage& image) {
  return encode_root<schema::LedgerImage>(
      [&](schema::LedgerImage::Builder to) { schema::write(to, image); });
}

base::Result<protocol::LedgerImage> decode_ledger_image(std::span<const std::uint8_t> data) {
  return decode_root<schema::LedgerImage>(data,
                                          [](schema::LedgerImage::Reader from, Reading& reading) {
                                            return schema::read(from, reading);
                                          });
}

}  // namespace fastgpu::codec
