#include "runtime/session/request_size.hpp"

namespace fastgpu::session {

namespace {

void add_data(SpecSize& size, const std::vector<protocol::Data>& data) {
  for (const protocol::Data& piece : data) {
    const auto* bytes = std::get_if<base::Bytes>(&piece);
    size.data_bytes += bytes ? bytes->size() : sizeof(protocol::ObjectRef);
  }
}

void add_command(SpecSize& size, const protocol::CommandSpec& command) {
  size.common_bytes += command.cwd.size();
  for (const std::string& word : command.argv) {
    size.common_bytes += word.size() + 1;
  }
  for (const auto& [name, value] : command.environment) {
    size.common_bytes += name.size() + value.size() + 2;
  }
  for (const std::string& output : command.outputs) {
    size.common_bytes += output.size() + 1;
  }
  for (const protocol::InputFile& input : command.inputs) {
    size.common_bytes += input.path.size() + 1;
    add_data(size, input.data);
  }
}

}  // namespace

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
    add_data(size, std::get<protocol::BufferArgument>(argument).data);
  }
  if (spec.is_command()) {
    add_command(size, spec.command);
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
