#include "runtime/session/pins/input_pins.hpp"

#include <utility>

namespace fastgpu::session {
namespace {

using protocol::ObjectRef;

template <class Visit>
void for_each_in(const std::vector<protocol::Data>& data, Visit& visit) {
  for (const protocol::Data& piece : data) {
    if (const auto* object = std::get_if<ObjectRef>(&piece)) {
      visit(*object);
    }
  }
}

template <class Visit>
void for_each_input(const protocol::JobSpec& spec, Visit visit) {
  for (const protocol::Argument& argument : spec.kernel.arguments) {
    if (const auto* buffer = std::get_if<protocol::BufferArgument>(&argument)) {
      for_each_in(buffer->data, visit);
    }
  }
  for (const protocol::InputFile& file : spec.command.inputs) {
    for_each_in(file.data, visit);
  }
}

}  // namespace

std::set<base::NodeId> homes_of_inputs(const protocol::ClientRequest& request) {
  std::set<base::NodeId> homes;
  if (const auto* submit = std::get_if<protocol::Submit>(&request); submit && submit->spec) {
    for_each_input(*submit->spec, [&](const ObjectRef& object) { homes.insert(object.home); });
  }
  return homes;
}

std::vector<base::ObjectHash> inputs_at(base::NodeId home, const protocol::JobSpec& spec) {
  std::set<base::ObjectHash> hashes;
  for_each_input(spec, [&](const ObjectRef& object) {
    if (object.home == home) {
      hashes.insert(object.hash);
    }
  });
  return {hashes.begin(), hashes.end()};
}

base::Error inputs_nowhere(base::NodeId home) {
  return {base::ErrorKind::lost, base::ErrorCode::object_missing,
          "inputs of the job are said to be on " + base::to_string(home) +
              ", which is no node of this cluster",
          "submit the job again with its inputs"};
}

base::Error inputs_away(const std::string& why) {
  return {base::ErrorKind::unavailable, base::ErrorCode::object_missing,
          "inputs of the job are on a node that does not answer: " + why,
          "bring it back, or submit the job again with its inputs"};
}

base::Error inputs_unanswered(const std::string& node) {
  return {base::ErrorKind::unavailable, base::ErrorCode::timeout,
          node + ", which has inputs of the job, did not say in time that it keeps them",
          "try again"};
}

}  // namespace fastgpu::session
