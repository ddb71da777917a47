#include "runtime/exec/channel/doorbell.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/base/check.hpp"

namespace fastgpu::exec {
void Doorbell::ring_always() {
  // A counter that is full rings just as well.
  [[maybe_unused]] const int rung = eventfd_write(bell_, 1);
}

void Doorbell::sleep(std::span<pollfd> others, int limit_ms) {
  std::array<pollfd, 4> all{};
  FASTGPU_CHECK(others.size() < all.size(), "one place is the bell's own");
  std::copy(others.begin(), others.end(), all.begin());
  all[others.size()] = {bell_, POLLIN, 0};
  poll(all.data(), others.size() + 1, limit_ms);
  for (std::size_t i = 0; i < others.size(); ++i)
    others[i].revents = all[i].revents;
  eventfd_t count = 0;
  if ((all[others.size()].revents & POLLIN) != 0)
    eventfd_read(bell_, &count);
}

}  // namespace fastgpu::exec
