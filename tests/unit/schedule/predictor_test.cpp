#include "runtime/schedule/predictor.hpp"

#include <gtest/gtest.h>

namespace fastgpu::schedule {
namespace {

using protocol::DeviceKind;

TEST(Predictor, LearnsPerKindAndStartsWide) {
  Predictor predictor;
  const base::ObjectHash signature{{1}};
  EXPECT_FALSE(predictor.predict(signature, DeviceKind::cpu).known);
  EXPECT_GT(predictor.predict(signature, DeviceKind::cpu).p90_ns,
            100 * predictor.predict(signature, DeviceKind::cpu).mean_ns);
  for (int i = 0; i < 50; ++i)
    predictor.ran(signature, DeviceKind::cpu, 1, 1'000'000);
  const auto learned = predictor.predict(signature, DeviceKind::cpu);
  EXPECT_TRUE(learned.known);
  EXPECT_NEAR(static_cast<double>(learned.mean_ns), 1e6, 1e3);
  EXPECT_LT(learned.p90_ns, 1'100'000);
  EXPECT_FALSE(predictor.predict(signature, DeviceKind::gpu).known);
}

TEST(Predictor, ForgetsTheLeastRecentlyFedBeyondItsLimit) {
  Predictor predictor;
  base::ObjectHash first{{1}};
  predictor.ran(first, DeviceKind::cpu, 1, 5);
  for (std::size_t i = 0; i <= Predictor::known_max; ++i) {
    base::ObjectHash other{{2}};
    other.bytes[1] = static_cast<std::uint8_t>(i);
    other.bytes[2] = static_cast<std::uint8_t>(i >> 8);
    predictor.ran(other, DeviceKind::cpu, 1, 5);
  }
  EXPECT_FALSE(predictor.predict(first, DeviceKind::cpu).known);
}

}  // namespace
}  // namespace fastgpu::schedule
