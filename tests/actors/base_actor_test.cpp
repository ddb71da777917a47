#include "actors/base_actor.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

/// Throws when it is told of a client that has gone, and knows no other message.
class FailingActor final : public BaseActor {
 public:
  FailingActor(caf::actor_config& config, ContextPtr context)
      : BaseActor(config, std::move(context), "failing") {}

 private:
  caf::message_handler handlers() override {
    return {on<ClientGone>([](const ClientGone&) { throw std::runtime_error("a broken rule"); })};
  }
};

void spawn_and_send(auto message) {
  testing::ActorBench bench;
  bench.spawn<FailingActor>();
  bench.send(message);
}

TEST(BaseActorDeathTest, EndsTheProcessWhenAnExceptionEscapesAHandler) {
  EXPECT_DEATH(spawn_and_send(ClientGone{{1}}), "actor failing of n1 cannot go on: a broken rule");
}

TEST(BaseActorDeathTest, EndsTheProcessOnAMessageThatNobodyTakes) {
  EXPECT_DEATH(spawn_and_send(Durable{{1}}), "actor failing of n1 cannot go on");
}

TEST(BaseActor, DropsEverythingOnceItsNodeHasDied) {
  testing::ActorBench bench;
  bench.spawn<FailingActor>();
  bench.context()->dead = true;
  bench.send(ClientGone{{1}});
  EXPECT_EQ(bench.link.size(), 0u) << "it is still here, and nothing was done";
}

}  // namespace
}  // namespace fastgpu::actors
