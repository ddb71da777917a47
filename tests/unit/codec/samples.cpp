#include "tests/unit/codec/samples.hpp"

#include <memory>
#include <numeric>

namespace fastgpu::codec::samples {
namespace {

/// Gives numbers that were not given before.
class Numbers {
 public:
  template <class Integer = std::uint32_t>
  Integer next() {
    return static_cast<Integer>(++last_);
  }
  /// One that needs all 64 bits.
  std::uint64_t wide() { return 0xf000'0000'0000'0000ull + ++last_; }
  std::string text(const char* word) { return word + std::to_string(++last_); }

 private:
  std::uint64_t last_{100};
};

Numbers numbers;

base::RequestId request_id() {
  return {{numbers.next()}, numbers.wide(), numbers.wide()};
}

base::AttemptId attempt_id() {
  return {{numbers.next()}, {numbers.wide()}, {numbers.wide()}, numbers.wide()};
}

base::DeviceId device_id() {
  return {{numbers.next()}, numbers.next<std::uint16_t>()};
}

base::ClusterId cluster_id() {
  return {numbers.wide(), numbers.wide()};
}

base::JobId job_id() {
  return {numbers.wide()};
}

base::Incarnation incarnation() {
  return {numbers.wide()};
}

base::TaskRange range() {
  return {numbers.next(), numbers.next()};
}

std::vector<base::TaskRange> ranges() {
  return {range(), {0, 1}, {9'999'999, 1}};
}

base::ObjectHash hash() {
  base::ObjectHash made;
  std::iota(made.bytes.begin(), made.bytes.end(), numbers.next<std::uint8_t>());
  return made;
}

protocol::ObjectRef object_ref() {
  return {hash(), numbers.wide(), {numbers.next()}};
}

base::Bytes bytes() {
  return base::Bytes::copy_of(numbers.text("some\n\tbytes \xff "));
}

std::vector<protocol::Data> data() {
  return {bytes(), object_ref(), base::Bytes{}};
}

protocol::SharedSpec shared_spec() {
  return {std::make_shared<const protocol::JobSpec>(job_spec())};
}

protocol::Timings timings() {
  return {numbers.next(), numbers.next(), numbers.next(), numbers.next(), numbers.next(), true};
}

protocol::CommandEnd command_end() {
  return {-numbers.next<std::int32_t>(),
          numbers.next<std::uint8_t>(),
          numbers.text("protection "),
          numbers.next<std::int64_t>(),
          numbers.wide(),
          numbers.wide(),
          {numbers.text("out/"), ""}};
}

protocol::CommandSpec command_spec() {
  return {{numbers.text("python"), "", numbers.text("{}")},
          {{"SEED", numbers.text("")}, {"", ""}},
          numbers.text("cwd"),
          {{numbers.text("in/"), true, data()}, {"", false, {}}},
          {numbers.text("out/{}"), ""},
          numbers.wide(),
          numbers.wide(),
          true};
}

protocol::TaskOutcome outcome() {
  return {protocol::TaskState::timed_out,
          base::failure_reason_last,
          numbers.text("outcome "),
          attempt_id(),
          device_id(),
          data(),
          timings(),
          command_end()};
}

std::vector<protocol::TaskReport> reports() {
  return {{range(), outcome()}, {range(), {}}};
}

protocol::NodeInfo node_info() {
  return {{numbers.next()}, numbers.text("n"),   numbers.text("127.0.0.1:7"),
          {numbers.wide()}, numbers.text("key"), protocol::MemberState::draining};
}

std::vector<protocol::ShardPlan> plan() {
  return {{{numbers.next()}, {{numbers.next()}, {numbers.next()}}}, {{numbers.next()}, {}}};
}

protocol::ClientKey client_key() {
  return {numbers.text("alice"), numbers.text("key"), true};
}

protocol::JoinToken join_token() {
  return {hash(), numbers.next<std::int64_t>()};
}

std::vector<protocol::NodeInfo> node_infos() {
  return {node_info(), node_info()};
}

protocol::LedShard led_shard() {
  return {{numbers.next()}, {numbers.wide()}, {numbers.wide()}};
}

protocol::DeviceBooks device_books() {
  protocol::DeviceBooks books;
  books.device = device_id();
  books.incarnation = incarnation();
  books.version = numbers.wide();
  books.kind = protocol::DeviceKind::null;
  books.model = numbers.text("model ");
  books.uuid = numbers.text("uuid-");
  books.memory_bytes_free = numbers.wide();
  books.memory_bytes_total = numbers.wide();
  books.slots_free = numbers.next();
  books.slots_total = numbers.next();
  books.queued_tasks = numbers.next();
  books.queue_room = numbers.next();
  books.backlog_ns = numbers.next<std::int64_t>();
  books.healthy = false;
  books.unhealthy_why = numbers.text("disk full ");
  books.no_commands_why = numbers.text("no warden ");
  books.telemetry = protocol::DeviceTelemetry{numbers.wide(),
                                              numbers.next(),
                                              numbers.next(),
                                              numbers.next(),
                                              numbers.next<std::uint64_t>(),
                                              numbers.wide(),
                                              numbers.text("memory lost ")};
  return books;
}

protocol::NodeDuties node_duties() {
  return {numbers.next(), numbers.wide(), true};
}

protocol::NodeView node_view() {
  return {node_info(),
          incarnation(),
          protocol::NodeState::down,
          numbers.next<std::int64_t>(),
          {led_shard(), led_shard()},
          {device_books(), device_books()},
          node_duties()};
}

protocol::Heartbeat heartbeat() {
  return {
      node_info(), {led_shard()}, {device_books(), device_books()}, numbers.wide(), node_duties()};
}

protocol::Stop stop() {
  return {attempt_id(), job_id(), device_id(), ranges()};
}

protocol::HeldAttempt held_attempt() {
  return {attempt_id(),
          job_id(),
          ranges(),
          {range()},
          {protocol::WaitingCode::staging, numbers.text("waits ")}};
}

protocol::JobSummary job_summary() {
  protocol::JobSummary summary;
  summary.job = job_id();
  summary.name = numbers.text("job ");
  summary.state = protocol::TaskState::lost;
  for (std::uint32_t& count : summary.counts)
    count = numbers.next();
  summary.kind = protocol::DeviceKind::gpu;
  summary.submitted_at_ms = numbers.next<std::int64_t>();
  summary.finished_at_ms = numbers.next<std::int64_t>();
  summary.nodes = {{numbers.next()}, {numbers.next()}};
  summary.waiting = {protocol::WaitingCode::no_majority, numbers.text("waits ")};
  summary.device_ns = numbers.next<std::int64_t>();
  summary.labels = {{"stage", numbers.text("train")}, {"", ""}};
  return summary;
}

protocol::JobDetail job_detail() {
  return {job_summary(),
          shared_spec(),
          reports(),
          numbers.next(),
          {{attempt_id(), ranges(), device_id(), protocol::PlaceCause::refused},
           {attempt_id(), {}, device_id()}},
          {numbers.next()}};
}

base::LogRecord log_record() {
  return {
      job_id(), numbers.next(), attempt_id(), base::LogStream::notice, numbers.next<std::int64_t>(),
      bytes()};
}

protocol::Submit submit() {
  return {request_id(), shared_spec()};
}

protocol::KeepCopies keep_copies() {
  const auto object = [] { return protocol::ObjectRef{hash(), numbers.wide(), {numbers.next()}}; };
  return {numbers.wide(), request_id(), job_id(), {object(), object()}};
}

}  // namespace

protocol::JobSpec job_spec() {
  protocol::JobSpec spec;
  spec.name = numbers.text("spec ");
  spec.kernel.source = base::Bytes::copy_of(numbers.text("__global__ void k() {} // "));
  spec.kernel.name = numbers.text("k<float>");
  spec.kernel.grid = {numbers.next(), numbers.next(), numbers.next()};
  spec.kernel.block = {numbers.next(), numbers.next(), numbers.next()};
  spec.kernel.shared_bytes = numbers.next();
  spec.kernel.defines = {{"N", numbers.text("")}, {"", ""}};
  spec.kernel.standard = "c++20";
  spec.kernel.arguments = {
      protocol::ScalarArgument{protocol::ScalarType::f64, numbers.text("{}")},
      protocol::BufferArgument{protocol::BufferUse::inout, numbers.text("x{}"), numbers.wide(),
                               data()},
      protocol::BufferArgument{protocol::BufferUse::scratch, "", numbers.wide(), {}},
  };
  spec.kernel.precise = true;
  spec.tasks = numbers.next();
  spec.request = {protocol::DeviceKind::null, numbers.wide()};
  spec.time_limit_ns = numbers.next<std::int64_t>();
  spec.retries = numbers.next();
  spec.crash_limit = numbers.next();
  spec.wait_if_infeasible = true;
  spec.command = command_spec();
  spec.lease_ns = numbers.next<std::int64_t>();
  spec.after = {{job_id(), protocol::DependencyKind::fail}, {job_id(), {}}};
  spec.labels = {{"stage", numbers.text("train")}, {"", ""}};
  spec.items = {job_id(), ranges(), numbers.next()};
  return spec;
}

protocol::Members members() {
  return {numbers.wide(), node_infos(),  plan(), {client_key(), client_key()},
          {join_token()}, numbers.next()};
}

std::vector<protocol::PeerMessage> peer_messages() {
  using namespace protocol;
  return {
      heartbeat(),
      MembersAsk{},
      members(),
      Assign{attempt_id(), job_id(), ranges(), device_id(), incarnation(), shared_spec(),
             -numbers.next<std::int64_t>(), true},
      stop(),
      Adopt{{numbers.next()}, {numbers.wide()}, {numbers.wide()}},
      Settled{attempt_id(), job_id(), device_id(), ranges()},
      Renewed{{numbers.next()},
              {numbers.wide()},
              {numbers.wide()},
              device_id(),
              numbers.next<std::int64_t>(),
              numbers.next<std::int64_t>(),
              {stop(), stop()},
              numbers.next<std::int64_t>()},
      AssignReply{attempt_id(), job_id(), device_id(), RefusalReason::draining, device_books(),
                  -numbers.next<std::int64_t>()},
      Finish{attempt_id(), job_id(), device_id(), reports(), numbers.next<std::int64_t>()},
      Renew{{numbers.next()},
            {numbers.wide()},
            {numbers.wide()},
            device_id(),
            incarnation(),
            -numbers.next<std::int64_t>(),
            {held_attempt(), held_attempt()}},
      ObjectFetch{hash(), numbers.wide(), numbers.next()},
      ObjectPart{hash(), numbers.next(), numbers.wide(), false, bytes()},
      Forward{numbers.wide(), submit()},
      ForwardReply{numbers.wide(), job_detail()},
      ObjectPin{numbers.wide(), numbers.next(), request_id(), {object_ref(), object_ref()}},
      ObjectPinned{numbers.wide(),
                   numbers.next(),
                   true,
                   {base::ErrorKind::lost, base::ErrorCode::object_missing,
                    numbers.text("message "), numbers.text("hint ")}},
      PinCheck{
          {numbers.next()}, numbers.wide(), {request_id(), request_id()}, {job_id(), job_id()}},
      PinAnswer{{numbers.next()},
                {numbers.wide()},
                {numbers.wide()},
                numbers.wide(),
                {request_id()},
                {job_id(), job_id()}},
      DependencyAsk{{numbers.next()},
                    {numbers.next()},
                    {numbers.wide()},
                    {numbers.wide()},
                    numbers.wide(),
                    {job_id(), job_id()}},
      DependencyAnswer{{numbers.next()},
                       {numbers.wide()},
                       {numbers.wide()},
                       numbers.wide(),
                       {numbers.next()},
                       {numbers.wide()},
                       {numbers.wide()},
                       {{job_id(), JobKnowledge::known, TaskState::running},
                        {job_id(), JobKnowledge::never, {}}}},
      raft_messages()[2],
      RaftBatch{raft_messages()},
      keep_copies(),
      CopiesKept{numbers.wide(), false, {{}, base::ErrorCode::disk_full, "", ""}},
  };
}

namespace {

protocol::RaftPosition raft_position() {
  return {{numbers.wide()}, {numbers.wide()}};
}

std::vector<protocol::RaftMember> raft_members() {
  return {{{numbers.next()}, {numbers.wide()}, true}, {{numbers.next()}, {numbers.wide()}, false}};
}

std::vector<protocol::RaftEntry> raft_entries() {
  using protocol::RaftEntryKind;
  return {{{numbers.wide()}, RaftEntryKind::no_op, {numbers.wide()}, {}, {}},
          {{numbers.wide()}, RaftEntryKind::command, {numbers.wide()}, bytes(), {}},
          {{numbers.wide()}, RaftEntryKind::configuration, {numbers.wide()}, {}, raft_members()}};
}

protocol::RaftMessage raft_message(protocol::RaftBody body) {
  return {{numbers.next()}, {numbers.wide()}, {numbers.wide()},
          {numbers.wide()}, {numbers.wide()}, std::move(body)};
}

}  // namespace

std::vector<protocol::RaftMessage> raft_messages() {
  using namespace protocol;
  return {
      raft_message(RaftVoteRequest{true, {numbers.wide()}, raft_position(), true}),
      raft_message(RaftVoteReply{true, {numbers.wide()}, true}),
      raft_message(RaftAppend{raft_position(), raft_entries(), {numbers.wide()}, {numbers.wide()}}),
      raft_message(RaftAppendReply{
          {numbers.wide()}, {numbers.wide()}, true, {numbers.wide()}, {numbers.wide()}}),
      raft_message(RaftSnapshotChunk{raft_position(),
                                     {numbers.wide()},
                                     raft_members(),
                                     numbers.next(),
                                     numbers.wide(),
                                     numbers.next(),
                                     bytes(),
                                     {numbers.wide()}}),
      raft_message(RaftSnapshotReply{raft_position(), numbers.wide(), {numbers.wide()}}),
      raft_message(RaftTimeoutNow{}),
  };
}

std::vector<protocol::ClientRequest> client_requests() {
  using namespace protocol;
  return {
      Hello{numbers.next<std::uint16_t>(), numbers.text("fastgpu ")},
      submit(),
      ListJobs{true, {{"stage", numbers.text("train")}, {"", ""}}},
      ShowJob{job_id(), numbers.next()},
      WaitJob{job_id(), numbers.next<std::int64_t>()},
      CancelJob{request_id(), job_id()},
      AskCluster{},
      PutChunk{hash(), numbers.wide(), numbers.next(), bytes()},
      GetChunk{object_ref(), numbers.wide(), numbers.next()},
      Join{request_id(),
           numbers.text("n"),
           numbers.text("host:"),
           numbers.text("token-"),
           {numbers.wide()},
           numbers.text("key")},
      ReadLog{{numbers.next()},
              job_id(),
              numbers.next(),
              true,
              numbers.wide(),
              numbers.next<std::int64_t>(),
              numbers.next()},
      ChangeMember{request_id(), {numbers.next()}, MemberState::removed, true},
      AddToken{request_id(), hash(), numbers.next<std::int64_t>()},
      SetClientKey{request_id(), client_key()},
  };
}

std::vector<protocol::ClientReply> client_replies() {
  using namespace protocol;
  return {
      base::Error{base::ErrorKind::internal, base::ErrorCode::corrupt, numbers.text("message "),
                  numbers.text("hint ")},
      Welcome{numbers.next<std::uint16_t>(),
              cluster_id(),
              node_info(),
              incarnation(),
              numbers.next(),
              {{0}, {numbers.next()}},
              node_infos()},
      Accepted{job_id()},
      JobList{{job_summary(), job_summary()}, numbers.wide(), numbers.next(), {numbers.next()}},
      job_detail(),
      ClusterStatus{
          cluster_id(), {numbers.next()}, {node_view(), node_view()}, numbers.next<std::int64_t>()},
      PutReply{object_ref(), numbers.wide(), true},
      Chunk{object_ref(), numbers.wide(), bytes()},
      Joined{cluster_id(), node_info(), numbers.next(), node_infos()},
      LogPart{{log_record(), log_record()}, numbers.wide(), {numbers.next()}, true, numbers.wide()},
      Recorded{},
  };
}

protocol::Entry entry() {
  using namespace protocol;
  return {{
      SubmitRecord{request_id(), shared_spec(), numbers.next<std::int64_t>(), {numbers.next()}},
      PlacedRecord{attempt_id(), job_id(), ranges(), device_id(), incarnation(),
                   PlaceCause::refused},
      FinishRecord{attempt_id(), job_id(), reports(), numbers.next<std::int64_t>()},
      ReleasedRecord{attempt_id(), job_id(), device_id(), ranges(), numbers.next<std::int64_t>()},
      CancelRecord{request_id(), job_id(), numbers.next<std::int64_t>()},
      GiveUpRecord{job_id(), ranges(), base::FailureReason::cancelled, numbers.text("gave up "),
                   numbers.next<std::int64_t>()},
      MemberRecord{request_id(), node_info(), hash(), numbers.next<std::int64_t>()},
      DependencyRecord{job_id(),
                       {job_id(), JobKnowledge::forgotten, TaskState::lost},
                       numbers.next<std::int64_t>()},
      MemberStateRecord{request_id(), {numbers.next()}, MemberState::removed},
      TokenRecord{request_id(), join_token(), numbers.next<std::int64_t>()},
      ClientKeyRecord{request_id(), client_key()},
      ReplicasRecord{request_id(), numbers.next()},
  }};
}

protocol::LedgerImage ledger_image() {
  using namespace protocol;
  const SharedOutcome shared{std::make_shared<const TaskOutcome>(outcome())};
  const SharedOutcome other{std::make_shared<const TaskOutcome>()};
  const auto record = [](TaskPhase phase, const SharedOutcome& ended) {
    return TaskRecord{phase,          PlaceCause::node_failure,
                      numbers.next(), numbers.next(),
                      attempt_id(),   device_id(),
                      incarnation(),  ended};
  };
  JobSpec spec = job_spec();
  spec.tasks = 9;
  JobImage job;
  job.job = job_id();
  job.request = request_id();
  job.cancel_request = request_id();
  job.spec = {std::make_shared<const JobSpec>(spec)};
  job.submitted_at_ms = numbers.next<std::int64_t>();
  job.finished_at_ms = numbers.next<std::int64_t>();
  job.accepted_by = {numbers.next()};
  job.device_ns = numbers.next<std::int64_t>();
  job.tasks = {{{0, 2}, record(TaskPhase::ended, shared)},
               {{2, 1}, record(TaskPhase::ready, {})},
               {{3, 1}, {}},
               {{4, 3}, record(TaskPhase::ended, shared)},
               {{7, 1}, record(TaskPhase::placed, {})},
               {{8, 1}, record(TaskPhase::ended, other)}};
  job.attempts = {{attempt_id(), device_id(), ranges(), {range()}},
                  {attempt_id(), device_id(), {}, {}}};
  job.waits_for = {{job_id(), DependencyKind::fail}, {job_id(), DependencyKind::any}};
  return {{numbers.wide()},
          numbers.wide(),
          {job, job},
          {job_id(), job_id()},
          {{request_id(), node_info()}, {request_id(), node_info()}},
          numbers.wide(),
          plan(),
          {client_key(), client_key()},
          {join_token(), join_token()},
          numbers.next()};
}

}  // namespace fastgpu::codec::samples
