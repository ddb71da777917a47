#include "tests/fuzz/codec_property.hpp"

#include "runtime/codec/client_codec.hpp"
#include "runtime/codec/image_codec.hpp"
#include "runtime/codec/peer_codec.hpp"
#include "runtime/codec/record_codec.hpp"

namespace fastgpu::codec {
namespace {

using Input = std::span<const std::uint8_t>;

/// `again` encodes a value; equal values must come back from it.
template <class Value, class Decode, class Again>
Verdict judge(const base::Result<Value>& first, Decode decode, Again again) {
  if (!first.ok())
    return Verdict::refused;
  const auto second = decode(again(first.value()).span());
  return second.ok() && second.value() == first.value() ? Verdict::stable : Verdict::unstable;
}

Verdict judge_peer(Input data) {
  return judge(decode_peer(data), decode_peer,
               [](const protocol::PeerMessage& message) { return encode(message); });
}

Verdict judge_client_call(Input data) {
  const auto call = decode_client_call(data);
  // A call that can be read can be answered.
  if (call.ok() && peek_call(data) != call.value().call)
    return Verdict::unstable;
  return judge(call, decode_client_call,
               [](const ClientCall& value) { return encode(value.call, value.request); });
}

Verdict judge_client_answer(Input data) {
  return judge(decode_client_answer(data), decode_client_answer,
               [](const ClientAnswer& value) { return encode(value.call, value.reply); });
}

Verdict judge_entry(Input data) {
  return judge(decode_entry(data), decode_entry,
               [](const protocol::Entry& value) { return encode(value); });
}

Verdict judge_job_spec(Input data) {
  return judge(decode_job_spec(data), decode_job_spec,
               [](const protocol::JobSpec& value) { return encode(value); });
}

Verdict judge_ledger_image(Input data) {
  return judge(decode_ledger_image(data), decode_ledger_image,
               [](const protocol::LedgerImage& value) { return encode(value); });
}

}  // namespace

const std::array<Decoder, 6> decoders{{{"peer", judge_peer},
                                       {"client_call", judge_client_call},
                                       {"client_answer", judge_client_answer},
                                       {"entry", judge_entry},
                                       {"job_spec", judge_job_spec},
                                       {"ledger_image", judge_ledger_image}}};

}  // namespace fastgpu::codec
