#include "runtime/session/request_size.hpp"

namespace fastgpu::session {

SpecSize size_of(const protocol::JobSpec& spec) {
  SpecSize size;
  size.common_bytes = spec.name.size() + spec.kernel.name.size() + spec.kernel.source.size();
  for (const auto& [name, value] : spec.kernel.defines) {
    size.common_bytes += name.size() + value.size();
  }
  for (const protocol::Argument& argument : spec.kernel.arguments) {
    if (const auto* scalar = std::get_if<protocol::ScalarArgument>(&argument)) {
      size.common_bytes += scalar->text.size();
      continue;
    }
    for (const protocol::Data& piece : std::get<protocol::BufferArgument>(argument).data) {
      const auto* bytes = std::get_if<base::Bytes>(&piece);
      size.data_bytes += bytes ? bytes->size() : sizeof(protocol::ObjectRef);
    }
  }
  return size;
}

std::uint64_t held_bytes(const protocol::ClientRequest& request) {
  std::uint64_t bytes = sizeof(protocol::ClientRequest);
  if (const auto* submit = std::get_if<protocol::Submit>(&request); submit && submit->spec) {
    const SpecSize size = size_of(*submit->spec);
    bytes += sizeof(protocol::JobSpec) + size.common_bytes + size.data_bytes;
  } else if (const auto* put = std::get_if<protocol::PutChunk>(&request)) {
    bytes += put->data.size();
  }
  return bytes;
}

}  // namespace fastgpu::session
