#include "runtime/codec/common_parts.hpp"

namespace fastgpu::schema {

namespace limits = base::limits;
using codec::as_data;
using codec::as_text;
using codec::Reading;

namespace {

/// A code that this program does not know is `none`: its kind tells how to react.
base::ErrorCode read_code(std::uint16_t number) {
  const auto code = static_cast<base::ErrorCode>(number);
  switch (code) {
    case base::ErrorCode::none:
    case base::ErrorCode::usage:
    case base::ErrorCode::bad_job_spec:
    case base::ErrorCode::bad_argument:
    case base::ErrorCode::too_large:
    case base::ErrorCode::file_not_found:
    case base::ErrorCode::infeasible:
    case base::ErrorCode::overloaded:
    case base::ErrorCode::disk_full:
    case base::ErrorCode::not_found:
    case base::ErrorCode::already_finished:
    case base::ErrorCode::name_taken:
    case base::ErrorCode::conflict:
    case base::ErrorCode::version_skew:
    case base::ErrorCode::wrong_cluster:
    case base::ErrorCode::no_node_reachable:
    case base::ErrorCode::no_majority:
    case base::ErrorCode::timeout:
    case base::ErrorCode::shard_unavailable:
    case base::ErrorCode::object_missing:
    case base::ErrorCode::output_missing:
    case base::ErrorCode::node_down:
    case base::ErrorCode::denied:
    case base::ErrorCode::listen_refused:
    case base::ErrorCode::job_failed:
    case base::ErrorCode::job_cancelled:
    case base::ErrorCode::job_timed_out:
    case base::ErrorCode::job_lost:
    case base::ErrorCode::internal:
    case base::ErrorCode::corrupt:
      return code;
  }
  return base::ErrorCode::none;
}

}  // namespace

void write(RequestId::Builder to, const base::RequestId& from) {
  to.setShard(from.shard.value);
  to.setHigh(from.high);
  to.setLow(from.low);
}

base::RequestId read(RequestId::Reader from, Reading&) {
  return {{from.getShard()}, from.getHigh(), from.getLow()};
}

void write(AttemptId::Builder to, const base::AttemptId& from) {
  to.setShard(from.shard.value);
  to.setEpoch(from.epoch.value);
  to.setTerm(from.term.value);
  to.setSequence(from.sequence);
}

base::AttemptId read(AttemptId::Reader from, Reading&) {
  return {{from.getShard()}, {from.getEpoch()}, {from.getTerm()}, from.getSequence()};
}

void write(DeviceId::Builder to, const base::DeviceId& from) {
  to.setNode(from.node.value);
  to.setOrdinal(from.ordinal);
}

base::DeviceId read(DeviceId::Reader from, Reading&) {
  return {{from.getNode()}, from.getOrdinal()};
}

void write(TaskRange::Builder to, const base::TaskRange& from) {
  to.setFirst(from.first);
  to.setCount(from.count);
}

base::TaskRange read(TaskRange::Reader from, Reading&) {
  const base::TaskRange range{from.getFirst(), from.getCount()};
  if (range.count == 0)
    codec::refuse("task range", "empty");
  if (range.end() > limits::array_tasks_max)
    codec::refuse("task range", "past the largest array");
  return range;
}

void write(ClusterId::Builder to, const base::ClusterId& from) {
  to.setHigh(from.high);
  to.setLow(from.low);
}

base::ClusterId read(ClusterId::Reader from, Reading&) {
  return {from.getHigh(), from.getLow()};
}

void write(ObjectRef::Builder to, const protocol::ObjectRef& from) {
  to.setHash(as_data(from.hash.bytes));
  to.setSizeBytes(from.size_bytes);
  to.setHome(from.home.value);
}

protocol::ObjectRef read(ObjectRef::Reader from, Reading& reading) {
  return {reading.hash(from.getHash()), from.getSizeBytes(), {from.getHome()}};
}

void write(Payload::Builder to, const protocol::Data& from) {
  if (const auto* bytes = std::get_if<base::Bytes>(&from)) {
    to.setInline(as_data(bytes->span()));
  } else {
    write(to.initObject(), std::get<protocol::ObjectRef>(from));
  }
}

protocol::Data read(Payload::Reader from, Reading& reading) {
  switch (from.which()) {
    case Payload::UNSET:
      break;
    case Payload::INLINE:
      return reading.bytes(from.getInline(), limits::inline_data_bytes_max, "inline data");
    case Payload::OBJECT:
      return read(from.getObject(), reading);
  }
  codec::refuse("data", "neither bytes nor an object");
}

void write(Error::Builder to, const base::Error& from) {
  to.setKind(codec::write_enum<ErrorKind>(from.kind));
  to.setCode(static_cast<std::uint16_t>(from.code));
  to.setMessage(as_text(codec::clip(from.message)));
  to.setHint(as_text(codec::clip(from.hint)));
}

base::Error read(Error::Reader from, Reading& reading) {
  return {
      codec::read_enum(from.getKind(), base::ErrorKind::internal, "error kind"),
      read_code(from.getCode()),
      reading.text(from.getMessage(), limits::message_text_bytes_max, "error message"),
      reading.text(from.getHint(), limits::message_text_bytes_max, "error hint"),
  };
}

}  // namespace fastgpu::schema
