#include "tests/sim/trouble.hpp"

namespace fastgpu::testing {

void Trouble::make(const std::function<base::Duration()>& lasting) {
  const std::uint32_t nodes = world_.options().nodes;
  const auto victim = static_cast<std::uint32_t>(random_.below(nodes));
  const auto other = static_cast<std::uint32_t>(random_.below(nodes));
  const base::Duration time = lasting();
  switch (random_.below(3)) {
    case 0:
      if (kinds_.crashes && world_.is_up(victim)) {
        ++crashes_;
        world_.crash(victim);
        world_.agenda().note_in(time, [this, victim] { revive(victim); });
      }
      return;
    case 1:
      if (kinds_.cuts && victim != other) {
        world_.network().cut(world_.host(victim), world_.host(other));
        world_.agenda().note_in(time, [this, victim, other] {
          world_.network().heal(world_.host(victim), world_.host(other));
        });
      }
      return;
    default:
      if (kinds_.pauses) {
        world_.network().set_paused(world_.host(victim), true);
        world_.agenda().note_in(
            time, [this, victim] { world_.network().set_paused(world_.host(victim), false); });
      }
      return;
  }
}

void Trouble::make_peace() {
  link::SimNetworkOptions calm = world_.options().network;
  calm.loss_ppm = calm.duplicate_ppm = calm.reorder_ppm = 0;
  world_.network().set_options(calm);
  world_.network().heal_all();
  for (std::uint32_t i = 0; i < world_.options().nodes; ++i) {
    world_.network().set_paused(world_.host(i), false);
    revive(i);
  }
}

void Trouble::revive(std::uint32_t index) {
  if (!world_.is_up(index)) {
    world_.start(index);
  }
}

}  // namespace fastgpu::testing
