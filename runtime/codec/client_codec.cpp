#include "runtime/codec/client_codec.hpp"

#include "runtime/codec/client_parts.hpp"

namespace fastgpu::codec {

base::Bytes encode(base::CallId call, const protocol::ClientRequest& request) {
  return encode_root<schema::ClientCall>([&](schema::ClientCall::Builder to) {
    to.setCall(call.value);
    write(to.initRequest(), request);
  });
}

base::Result<ClientCall> decode_client_call(std::span<const std::uint8_t> data) {
  return decode_root<schema::ClientCall>(
      data, [](schema::ClientCall::Reader from, Reading& reading) {
        return ClientCall{{from.getCall()}, read(from.getRequest(), reading)};
      });
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
