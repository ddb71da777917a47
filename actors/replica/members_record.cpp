#include "actors/replica/members_record.hpp"

#include <variant>

#include "runtime/codec/peer_codec.hpp"
#include "runtime/store/sealed_record.hpp"

namespace fastgpu::actors {
namespace {

constexpr const char* members_key = "m";

base::Result<protocol::Members> read(const store::KeyValue& record) {
  const auto body = store::unseal(record);
  if (!body) {
    return body.error();
  }
  const auto message = codec::decode_peer(body.value());
  const auto* members = message ? std::get_if<protocol::Members>(&message.value()) : nullptr;
  if (members == nullptr) {
    return store::corrupt(record.key, "is no list of members");
  }
  return *members;
}

}  // namespace

store::Write put_members(const protocol::Members& members) {
  const base::Bytes body = codec::encode(members);
  return store::RecordWriter(body.size() + 4).bytes(body.span()).seal(members_key);
}

base::Result<protocol::Members> read_members(const store::Store& store) {
  const auto found = store.scan(members_key);
  if (!found.ok()) {
    return found.error();
  }
  for (const store::KeyValue& record : found.value()) {
    if (record.key == members_key) {
      return read(record);
    }
  }
  return protocol::Members{};
}

}  // namespace fastgpu::actors
