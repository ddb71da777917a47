#include "runtime/codec/client_codec.hpp"

#include "runtime/codec/client_parts.hpp"

namespace fastgpu::codec {
namespace {

/// Who asks for more than any node takes is told so: his program may be good, his job is too large.
base::Error told_to_asker(const Refusal& refusal) {
  if (refusal.code != base::ErrorCode::too_large)
    return as_error(refusal);
  return {base::ErrorKind::invalid, refusal.code, "no node takes this request: " + refusal.why,
          "shorten it; what is large goes into input files: --in FILE, --arg in:FILE"};
}

}  // namespace

base::Bytes encode(base::CallId call, const protocol::ClientRequest& request) {
  return encode_root<schema::ClientCall>([&](schema::ClientCall::Builder to) {
    to.setCall(call.value);
    write(to.initRequest(), request);
  });
}

base::Result<ClientCall> decode_client_call(std::span<const std::uint8_t> data) {
  return decode_root<schema::ClientCall>(
      data,
      [](schema::ClientCall::Reader from, Reading& reading) {
        return ClientCall{{from.getCall()}, read(from.getRequest(), reading)};
      },
      told_to_asker);
}

base::Bytes encode(base::CallId call, const protocol::ClientReply& reply) {
  return encode_root<schema::ClientAnswer>([&](schema::ClientAnswer::Builder to) {
    to.setCall(call.value);
    write(to.initReply(), reply);
  });
}

base::Result<ClientAnswer> decode_client_answer(std::span<const std::uint8_t> data) {
  return decode_root<schema::ClientAnswer>(
      data, [](schema::ClientAnswer::Reader from, Reading& reading) {
        return ClientAnswer{{from.getCall()}, read(from.getReply(), reading)};
      });
}

std::optional<base::CallId> peek_call(std::span<const std::uint8_t> data) {
  const auto call = decode_root<schema::ClientCall>(
      data, [](schema::ClientCall::Reader from, Reading&) { return base::CallId{from.getCall()}; });
  if (!call.ok())
    return std::nullopt;
  return call.value();
}

}  // namespace fastgpu::codec
