#include "actors/routing.hpp"

#include <type_traits>

namespace fastgpu::actors {
namespace {

using namespace protocol;

template <class Message, class... Candidates>
inline constexpr bool is_one_of = (std::is_same_v<Message, Candidates> || ...);

std::vector<caf::actor> shard(const Directory& directory, base::ShardId id) {
  const auto found = directory.shards.find(id);
  return found == directory.shards.end() ? std::vector<caf::actor>{}
                                         : std::vector<caf::actor>{found->second};
}

std::vector<caf::actor> worker(const Directory& directory, base::DeviceId device) {
  return device.ordinal < directory.workers.size()
             ? std::vector<caf::actor>{directory.workers[device.ordinal]}
             : std::vector<caf::actor>{};
}

}  // namespace

std::vector<caf::actor> receivers_of(const Directory& directory, const PeerMessage& message) {
  return std::visit(
      [&](const auto& said) -> std::vector<caf::actor> {
        using Message = std::decay_t<decltype(said)>;
        if constexpr (is_one_of<Message, Heartbeat, MembersAsk, Members>) {
          return {directory.monitor};
        } else if constexpr (is_one_of<Message, Assign, Stop, Settled, Renewed>) {
          return worker(directory, said.device);
        } else if constexpr (is_one_of<Message, Adopt>) {
          return directory.workers;
        } else if constexpr (is_one_of<Message, AssignReply, Finish>) {
          return shard(directory, said.attempt.shard);
        } else if constexpr (is_one_of<Message, Renew, PinCheck, DependencyAsk, RaftMessage>) {
          return shard(directory, said.shard);
        } else if constexpr (is_one_of<Message, RaftBatch>) {
          return {};  // its messages go one by one
        } else if constexpr (is_one_of<Message, DependencyAnswer>) {
          return shard(directory, said.asker);
        } else if constexpr (is_one_of<Message, ObjectFetch, ObjectPart, ObjectPin, PinAnswer,
                                       KeepCopies, CopiesKept>) {
          return {directory.objects};
        } else {
          static_assert(is_one_of<Message, Forward, ForwardReply, ObjectPinned>);
          return {directory.gateway};
        }
      },
      message);
}

std::pair<base::ShardId, base::Epoch> shard_of(const PeerMessage& message) {
  return std::visit(
      [](const auto& said) -> std::pair<base::ShardId, base::Epoch> {
        using Message = std::decay_t<decltype(said)>;
        if constexpr (is_one_of<Message, Assign, Stop, Settled, AssignReply, Finish>) {
          return {said.attempt.shard, said.attempt.epoch};
        } else if constexpr (is_one_of<Message, Adopt, Renew, Renewed, PinAnswer, RaftMessage>) {
          return {said.shard, said.epoch};
        } else if constexpr (is_one_of<Message, DependencyAnswer>) {
          return {said.asker, said.asker_epoch};
        } else {
          return {};
        }
      },
      message);
}

}  // namespace fastgpu::actors
