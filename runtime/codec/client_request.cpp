// What a client asks.

#include "runtime/codec/client_parts.hpp"
#include "runtime/codec/cluster_parts.hpp"
#include "runtime/codec/common_parts.hpp"
#include "runtime/codec/job_parts.hpp"

namespace fastgpu::schema {

namespace limits = base::limits;
using codec::as_data;
using codec::as_text;
using codec::Reading;

static void write_request(ClientRequest::Builder to, const protocol::Hello& from) {
  auto hello = to.initHello();
  hello.setProtocolVersion(from.protocol_version);
  hello.setProgram(as_text(from.program));
}

static protocol::Hello read(Hello::Reader from, Reading& reading) {
  return {from.getProtocolVersion(),
          reading.text(from.getProgram(), limits::name_bytes_max, "program")};
}

static void write_request(ClientRequest::Builder to, const protocol::Submit& from) {
  auto submit = to.initSubmit();
  write(submit.initRequest(), from.request);
  if (from.spec)
    write(submit.initSpec(), *from.spec);
}

static protocol::Submit read(Submit::Reader from, Reading& reading) {
  if (!from.hasSpec())
    codec::refuse("submit", "without a job spec");
  const auto request = read(from.getRequest(), reading);
  return {request, read_shared(from.getSpec(), reading)};
}

static void write_request(ClientRequest::Builder to, const protocol::ListJobs& from) {
  auto list = to.initListJobs();
  list.setFinishedToo(from.finished_too);
  if (!from.labels.empty())
    write_labels(list.initLabels(codec::list_size(from.labels.size())), from.labels);
}

static protocol::ListJobs read(ListJobs::Reader from, Reading& reading) {
  return {from.getFinishedToo(), read_labels(from.getLabels(), reading)};
}

static void write_request(ClientRequest::Builder to, const protocol::ShowJob& from) {
  auto show = to.initShowJob();
  show.setJob(from.job.value);
  show.setFirstTask(from.first_task);
}

static protocol::ShowJob read(ShowJob::Reader from, Reading&) {
  return {{from.getJob()}, from.getFirstTask()};
}

static void write_request(ClientRequest::Builder to, const protocol::WaitJob& from) {
  auto wait = to.initWaitJob();
  wait.setJob(from.job.value);
  wait.setWaitNs(from.wait_ns);
}

static protocol::WaitJob read(WaitJob::Reader from, Reading&) {
  return {{from.getJob()}, codec::read_duration_ns(from.getWaitNs(), "wait")};
}

static void write_request(ClientRequest::Builder to, const protocol::CancelJob& from) {
  auto cancel = to.initCancelJob();
  write(cancel.initRequest(), from.request);
  cancel.setJob(from.job.value);
}

static protocol::CancelJob read(CancelJob::Reader from, Reading& reading) {
  return {read(from.getRequest(), reading), {from.getJob()}};
}

static void write_request(ClientRequest::Builder to, const protocol::AskCluster&) {
  to.setAskCluster();
}

static void write_request(ClientRequest::Builder to, const protocol::PutChunk& from) {
  auto put = to.initPutChunk();
  put.setHash(as_data(from.hash.bytes));
  put.setSizeBytes(from.size_bytes);
  put.setOffset(from.offset);
  put.setData(as_data(from.data.span()));
}

static protocol::PutChunk read(PutChunk::Reader from, Reading& reading) {
  protocol::PutChunk put{reading.hash(from.getHash()), from.getSizeBytes(), from.getOffset(),
                         reading.bytes(from.getData(), limits::object_chunk_bytes, "piece")};
  codec::check_piece(put.offset, put.data.size(), put.size_bytes);
  return put;
}

static void write_request(ClientRequest::Builder to, const protocol::GetChunk& from) {
  auto get = to.initGetChunk();
  write(get.initObject(), from.object);
  get.setOffset(from.offset);
  get.setLength(from.length);
}

static protocol::GetChunk read(GetChunk::Reader from, Reading& reading) {
  return {read(from.getObject(), reading), from.getOffset(), from.getLength()};
}

static void write_request(ClientRequest::Builder to, const protocol::Join& from) {
  auto join = to.initJoin();
  write(join.initRequest(), from.request);
  join.setName(as_text(from.name));
  join.setAddress(as_text(from.address));
  join.setToken(as_text(from.token));
  join.setStore(from.store.value);
  join.setKey(as_text(from.key));
}

static protocol::Join read(Join::Reader from, Reading& reading) {
  return {
      read(from.getRequest(), reading),
      reading.text(from.getName(), limits::name_bytes_max, "node name"),
      reading.text(from.getAddress(), limits::name_bytes_max, "node address"),
      reading.text(from.getToken(), limits::name_bytes_max, "join token"),
      {from.getStore()},
      reading.text(from.getKey(), limits::name_bytes_max, "node key"),
  };
}

static void write_request(ClientRequest::Builder to, const protocol::ChangeMember& from) {
  auto change = to.initChangeMember();
  write(change.initRequest(), from.request);
  change.setNode(from.node.value);
  change.setState(codec::write_enum<MemberState>(from.state));
  change.setForce(from.force);
}

static protocol::ChangeMember read(ChangeMember::Reader from, Reading& reading) {
  return {
      read(from.getRequest(), reading),
      {from.getNode()},
      codec::read_enum(from.getState(), protocol::MemberState::removed, "state of a member"),
      from.getForce(),
  };
}

static void write_request(ClientRequest::Builder to, const protocol::AddToken& from) {
  auto token = to.initAddToken();
  write(token.initRequest(), from.request);
  token.setHash(as_data(from.hash.bytes));
  token.setValidNs(from.valid_ns);
}

static protocol::AddToken read(AddToken::Reader from, Reading& reading) {
  return {
      read(from.getRequest(), reading),
      reading.hash(from.getHash()),
      codec::read_duration_ns(from.getValidNs(), "validity of a token"),
  };
}

static void write_request(ClientRequest::Builder to, const protocol::SetClientKey& from) {
  auto set = to.initSetClientKey();
  write(set.initRequest(), from.request);
  write(set.initClient(), from.client);
}

static protocol::SetClientKey read(SetClientKey::Reader from, Reading& reading) {
  return {read(from.getRequest(), reading), read(from.getClient(), reading)};
}

static void write_request(ClientRequest::Builder to, const protocol::ReadLog& from) {
  auto read_log = to.initReadLog();
  read_log.setNode(from.node.value);
  read_log.setJob(from.job.value);
  read_log.setTask(from.task);
  read_log.setAllTasks(from.all_tasks);
  read_log.setCursor(from.cursor);
  read_log.setWaitNs(from.wait_ns);
  read_log.setBytesMax(from.bytes_max);
}

static protocol::ReadLog read(ReadLog::Reader from, Reading&) {
  return {
      {from.getNode()},   {from.getJob()},  from.getTask(),
      from.getAllTasks(), from.getCursor(), codec::read_duration_ns(from.getWaitNs(), "wait"),
      from.getBytesMax(),
  };
}

void write(ClientRequest::Builder to, const protocol::ClientRequest& from) {
  std::visit([&](const auto& request) { write_request(to, request); }, from);
}

protocol::ClientRequest read(ClientRequest::Reader from, Reading& reading) {
  switch (from.which()) {
    case ClientRequest::UNSET:
      break;
    case ClientRequest::HELLO:
      return read(from.getHello(), reading);
    case ClientRequest::SUBMIT:
      return read(from.getSubmit(), reading);
    case ClientRequest::LIST_JOBS:
      return read(from.getListJobs(), reading);
    case ClientRequest::SHOW_JOB:
      return read(from.getShowJob(), reading);
    case ClientRequest::WAIT_JOB:
      return read(from.getWaitJob(), reading);
    case ClientRequest::CANCEL_JOB:
      return read(from.getCancelJob(), reading);
    case ClientRequest::ASK_CLUSTER:
      return protocol::AskCluster{};
    case ClientRequest::PUT_CHUNK:
      return read(from.getPutChunk(), reading);
    case ClientRequest::GET_CHUNK:
      return read(from.getGetChunk(), reading);
    case ClientRequest::JOIN:
      return read(from.getJoin(), reading);
    case ClientRequest::READ_LOG:
      return read(from.getReadLog(), reading);
    case ClientRequest::CHANGE_MEMBER:
      return read(from.getChangeMember(), reading);
    case ClientRequest::ADD_TOKEN:
      return read(from.getAddToken(), reading);
    case ClientRequest::SET_CLIENT_KEY:
      return read(from.getSetClientKey(), reading);
  }
  codec::refuse("request", "of no known kind");
}

}  // namespace fastgpu::schema
