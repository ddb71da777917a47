#include "node/cli/text/quantities.hpp"

#include <gtest/gtest.h>

namespace fastgpu::cli {
namespace {

using namespace std::chrono_literals;

TEST(Quantities, ReadsDurationsAsPeopleWriteThem) {
  EXPECT_EQ(parse_duration("90s").value(), 90s);
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("2d").value(), 48h);
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("1.5h").value(), 90min);
  EXPECT_EQ(parse_duration("10").value(), 10s);
}

TEST(Quantities, RefusesWhatIsNoDuration) {
  for (const char* text :
       {"", "s", "1x", "-5s", "5s3", "1h 30m", "1e400s", "300000d", "nan", "nans", "inf"}) {
    const auto time = parse_duration(text);
    ASSERT_FALSE(time.ok()) << text;
    EXPECT_EQ(time.error().code, base::ErrorCode::usage);
    EXPECT_FALSE(time.error().hint.empty());
  }
}

TEST(Quantities, ReadsSizesInPowersOfTenAndOfTwo) {
  EXPECT_EQ(parse_size("4096").value(), 4096u);
  EXPECT_EQ(parse_size("40GB").value(), 40'000'000'000u);
  EXPECT_EQ(parse_size("512MiB").value(), 512u << 20);
  EXPECT_EQ(parse_size("1.5KiB").value(), 1536u);
  EXPECT_EQ(parse_size("16K").value(), 16u << 10);
  EXPECT_EQ(parse_size("18446744073709551615").value(), UINT64_MAX);
}

TEST(Quantities, RefusesWhatIsNoSize) {
  for (const char* text :
       {"", "KiB", "12X", "-1", "1GiBx", "99999999999TB", "nan", "nanB", "inf"}) {
    EXPECT_FALSE(parse_size(text).ok()) << text;
  }
}

TEST(Quantities, ReadsLaunchSizesOfOneToThreeSides) {
  using Sides = std::array<std::uint32_t, 3>;
  EXPECT_EQ(parse_dimensions("256").value(), (Sides{256, 1, 1}));
  EXPECT_EQ(parse_dimensions("64,4").value(), (Sides{64, 4, 1}));
  EXPECT_EQ(parse_dimensions("16,16,2").value(), (Sides{16, 16, 2}));
  for (const char* text : {"", "1,", ",1", "1,2,3,4", "a", "-1", "1x2", "4294967296"}) {
    EXPECT_FALSE(parse_dimensions(text).ok()) << text;
  }
}

TEST(Quantities, ShowsTimesAndSizesShortly) {
  EXPECT_EQ(show_duration(850us), "850 us");
  EXPECT_EQ(show_duration(3200us), "3.2 ms");
  EXPECT_EQ(show_duration(12400ms), "12.4 s");
  EXPECT_EQ(show_duration(252s), "4m12s");
  EXPECT_EQ(show_duration(125min), "2h5m");
  EXPECT_EQ(show_duration(76h), "3d4h");
  EXPECT_EQ(show_size(512), "512 B");
  EXPECT_EQ(show_size(1536), "1.5 KiB");
  EXPECT_EQ(show_size(80ull << 30), "80.0 GiB");
  EXPECT_EQ(show_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(show_time(1'769'860'800'250), "2026-01-31T12:00:00.250Z");
}

}  // namespace
}  // namespace fastgpu::cli
