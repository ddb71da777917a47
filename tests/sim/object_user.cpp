#include "tests/sim/object_user.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "runtime/base/sha256.hpp"
#include "runtime/objects/copies/holders.hpp"

namespace fastgpu::testing {

using namespace std::chrono_literals;

void ObjectUser::act() {
  if (objects_.empty() || random_.chance(600'000)) {
    upload();
  } else {
    submit(objects_[random_.below(objects_.size())]);  // perhaps one that nobody keeps any more
  }
}

/// Contents repeat, so that some uploads find the object there.
void ObjectUser::upload() {
  const auto letter = static_cast<char>('a' + random_.below(8));
  const std::string text(1 + 5000 * random_.below(3), letter);
  const base::Bytes data = base::Bytes::copy_of(std::string_view(text));
  client_.call(protocol::PutChunk{base::sha256(data.span()), data.size(), 0, data}, 4s,
               [this](const protocol::ClientReply& reply) {
                 if (const auto* put = std::get_if<protocol::PutReply>(&reply)) {
                   uploaded(put->object);
                 }
               });
}

void ObjectUser::uploaded(const protocol::ObjectRef& object) {
  objects_.push_back(object);
  if (random_.chance(500'000)) {
    submit(object);
  } else if (random_.chance(500'000)) {
    world_.agenda().note_in(std::chrono::milliseconds(random_.below(3000)),
                            [this, object] { submit(object); });
  }
}

void ObjectUser::submit(const protocol::ObjectRef& object) {
  protocol::JobSpec spec = simple_job(1 + static_cast<std::uint32_t>(random_.below(6)));
  auto& out = std::get<protocol::BufferArgument>(spec.kernel.arguments.back());
  out.size_bytes = random_.chance(500'000) ? 4 : 1500;  // larger than what rides in a record
  protocol::BufferArgument in;
  in.name = "in";
  in.size_bytes = object.size_bytes;
  in.data.push_back(object);
  spec.request.memory_bytes = out.size_bytes + in.size_bytes;
  spec.kernel.arguments.push_back(in);
  submit_(std::move(spec));
}

objects::PinLimits short_pin_limits() {
  return {8s, 1s, 500ms, 2s, 1s};
}

/// Where shards have replicas, what a job names is safe on two nodes: the bytes, and a pin.
static void check_copies(const SimWorld& world, Watch& watch) {
  std::set<base::ObjectHash> named;
  for (std::uint32_t i = 0; i < world.node_count(); ++i) {
    named.merge(watch.named_at(world.info(i).node));
  }
  const std::uint32_t wanted = objects::copies_for(world.options().replicas);
  for (const base::ObjectHash& hash : named) {
    std::uint32_t pinned = 0;
    for (std::uint32_t i = 0; i < world.node_count(); ++i) {
      pinned += world.blobs(i)->has(hash) && world.blobs(i)->is_pinned(hash) ? 1 : 0;
    }
    if (pinned < std::min(wanted, world.node_count())) {
      watch.violation("object " + to_string(hash) + ", which a job names, is pinned on " +
                      std::to_string(pinned) + " nodes");
    }
  }
}

void check_objects(const SimWorld& world, Watch& watch) {
  check_copies(world, watch);
  for (std::uint32_t i = 0; i < world.node_count(); ++i) {
    const protocol::NodeInfo& node = world.info(i);
    const objects::BlobStore& blobs = *world.blobs(i);
    for (const base::ObjectHash& hash : watch.named_at(node.node)) {
      if (world.options().replicas <= 1 && !blobs.has(hash)) {
        watch.violation(node.name + " has lost object " + to_string(hash) + ", which a job names");
      }
    }
    for (const auto& [owner, hashes] : blobs.pins().owners()) {
      const ledger::Job* known =
          owner.kind == objects::PinOwnerKind::job
              ? watch.find(base::JobId{owner.low})
              : watch.find(base::RequestId{owner.shard, owner.high, owner.low});
      if (known == nullptr) {
        watch.violation(node.name + " keeps pins of somebody whom no ledger knows");
      }
    }
    for (const base::ObjectHash& hash : blobs.list()) {
      if (!blobs.is_pinned(hash)) {
        watch.violation(node.name + " keeps object " + to_string(hash) + " for nobody");
      }
    }
  }
}

}  // namespace fastgpu::testing
