#include "runtime/session/pins/input_pins.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/base/object_order.hpp"

namespace fastgpu::session {
namespace {

namespace limits = base::limits;
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

bool may_stand_in(const protocol::NodeView& node, const std::set<base::NodeId>& avoided) {
  return node.state == protocol::NodeState::up &&
         node.info.state == protocol::MemberState::active && !avoided.contains(node.info.node);
}

/// Those of one home, split by who stands in for it: no part is longer than what a node fetches at
/// a time. Nothing where nobody is left.
std::vector<InputPart> stood_in(base::NodeId home, const Inputs& inputs, const ClusterMap& map,
                                const std::set<base::NodeId>& avoided) {
  std::vector<base::NodeId> nodes;
  for (const protocol::NodeView& node : map.view().nodes) {
    if (may_stand_in(node, avoided)) {
      nodes.push_back(node.info.node);
    }
  }
  if (nodes.empty()) {
    return {};
  }
  std::map<base::NodeId, Inputs> by_keeper;
  for (const ObjectRef& object : inputs) {
    by_keeper[base::first_in_order_for(object.hash, nodes)].push_back(object);
  }
  std::vector<InputPart> parts;
  for (const auto& [keeper, objects] : by_keeper) {
    for (std::size_t first = 0; first < objects.size(); first += limits::copy_objects_max) {
      const auto begin = objects.begin() + static_cast<std::ptrdiff_t>(first);
      const std::size_t count = std::min(limits::copy_objects_max, objects.size() - first);
      parts.push_back({home, keeper, {begin, begin + static_cast<std::ptrdiff_t>(count)}, avoided});
    }
  }
  return parts;
}

bool all_are_up(const ClusterMap& map) {
  return std::all_of(map.view().nodes.begin(), map.view().nodes.end(),
                     [](const protocol::NodeView& node) {
                       return node.state == protocol::NodeState::up ||
                              node.info.state == protocol::MemberState::removed;
                     });
}

}  // namespace

Inputs inputs_of(const protocol::ClientRequest& request) {
  std::map<std::pair<base::NodeId, base::ObjectHash>, ObjectRef> inputs;
  if (const auto* submit = std::get_if<protocol::Submit>(&request); submit && submit->spec) {
    for_each_input(*submit->spec, [&](const ObjectRef& object) {
      inputs.emplace(std::pair(object.home, object.hash), object);
    });
  }
  Inputs each;
  each.reserve(inputs.size());
  for (const auto& [key, object] : inputs) {
    each.push_back(object);
  }
  return each;
}

std::vector<InputPart> parts_of(const Inputs& inputs, const ClusterMap& map) {
  std::map<base::NodeId, Inputs> homes;
  for (const ObjectRef& object : inputs) {
    homes[object.home].push_back(object);
  }
  std::vector<InputPart> parts;
  for (auto& [home, objects] : homes) {
    std::vector<InputPart> others;
    if (map.replicated() && !map.may_answer(home)) {
      others = stood_in(home, objects, map, {home});
    }
    if (others.empty()) {
      parts.push_back({home, home, std::move(objects), {}});
    }
    std::move(others.begin(), others.end(), std::back_inserter(parts));
  }
  return parts;
}

std::vector<InputPart> given_on(const InputPart& part, const ClusterMap& map) {
  std::set<base::NodeId> avoided = part.avoided;
  avoided.insert(part.keeper);
  avoided.insert(part.home);
  return map.replicated() && avoided.size() <= limits::stand_ins_max
             ? stood_in(part.home, part.objects, map, avoided)
             : std::vector<InputPart>{};
}

base::Error inputs_away(base::NodeId home, const ClusterMap& map, const base::Error* said) {
  const bool nobody_has_them = said != nullptr && said->kind == base::ErrorKind::lost;
  const std::string elsewhere = said == nullptr ? ""
                                : nobody_has_them
                                    ? ", and no other node that is up has them"
                                    : "; one asked in its place says: " + said->message;
  if (map.find(home) == nullptr) {
    // One that is silent may have a copy.
    const bool surely = map.replicated() ? nobody_has_them && all_are_up(map) : true;
    return {surely ? base::ErrorKind::lost : base::ErrorKind::unavailable,
            base::ErrorCode::object_missing,
            "inputs of the job are said to be on " + base::to_string(home) +
                ", which is no node of this cluster" + elsewhere,
            surely ? "submit the job again with its inputs"
                   : "try again, or submit the job again with its inputs"};
  }
  return {base::ErrorKind::unavailable, base::ErrorCode::object_missing,
          "inputs of the job are on a node that does not answer: " + map.why_away(home) + elsewhere,
          "bring it back, or submit the job again with its inputs"};
}

base::Error inputs_unanswered(const std::string& keeper) {
  return {base::ErrorKind::unavailable, base::ErrorCode::timeout,
          keeper + ", which is asked for inputs of the job, did not say in time that it keeps them",
          "try again"};
}

}  // namespace fastgpu::session
