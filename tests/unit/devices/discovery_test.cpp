// Which GPUs there are and how they are, as children of this process find out.

#include "runtime/exec/cuda/discovery.hpp"

#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "runtime/exec/cuda/gpu_watch.hpp"
#include "tests/unit/devices/device_bed.hpp"

namespace fastgpu::exec::test {
namespace {

TEST(GpuDiscovery, ListsDevicesWithWhatIsKnownOfThem) {
  use_fake_driver();
  set_knobs("devices 2\nmemory 1048576\narch 80\n");
  const GpuListing listing = list_gpus(FASTGPU_TEST_EXECUTOR);
  EXPECT_EQ(listing.driver, std::string("CUDA 13.0, ") + FASTGPU_TEST_FAKE_CUDA);
  EXPECT_EQ(listing.trouble, "");
  EXPECT_EQ(listing.devices,
            (std::vector<GpuDescription>{{fake_gpu, "Fake GPU", 1 << 20, 80, false},
                                         {second_fake_gpu, "Fake GPU", 1 << 20, 80, false}}));
  EXPECT_EQ(describe(listing), "2 GPUs (" + listing.driver + "): Fake GPU " + fake_gpu +
                                   ", Fake GPU " + second_fake_gpu);
}

TEST(GpuDiscovery, ListsTheSlicesOfADividedDeviceInItsPlace) {
  use_fake_driver();
  set_knobs("devices 2\nslices 2\n");
  const GpuListing listing = list_gpus(FASTGPU_TEST_EXECUTOR);
  ASSERT_EQ(listing.devices.size(), 3u) << describe(listing);
  EXPECT_EQ(listing.devices[0].uuid, fake_gpu);
  EXPECT_EQ(listing.devices[1].uuid, fake_slice);
  EXPECT_TRUE(listing.devices[1].slice);
  EXPECT_EQ(listing.devices[2].uuid, "MIG-fa5e0100-0000-0000-0000-000000000001");
}

TEST(GpuDiscovery, ShowsOnlyWhatTheOperatorLeavesVisible) {
  use_fake_driver();
  set_knobs("devices 2\n");
  setenv("CUDA_VISIBLE_DEVICES", second_fake_gpu, 1);
  const GpuListing listing = list_gpus(FASTGPU_TEST_EXECUTOR);
  unsetenv("CUDA_VISIBLE_DEVICES");
  ASSERT_EQ(listing.devices.size(), 1u);
  EXPECT_EQ(listing.devices[0].uuid, second_fake_gpu);
}

TEST(GpuDiscovery, SaysWhyThereIsNone) {
  use_fake_driver();
  setenv("FASTGPU_LIBCUDA", "/nonexistent/libcuda.so.1", 1);
  GpuListing listing = list_gpus(FASTGPU_TEST_EXECUTOR);
  EXPECT_TRUE(listing.no_driver);
  EXPECT_EQ(describe(listing), "no NVIDIA driver on this host: tried /nonexistent/libcuda.so.1");
  setenv("FASTGPU_LIBCUDA", FASTGPU_TEST_OLD_DRIVER, 1);
  listing = list_gpus(FASTGPU_TEST_EXECUTOR);
  EXPECT_FALSE(listing.no_driver);
  EXPECT_NE(describe(listing).find("knows CUDA 11.4: FastGPU needs 12.0"), std::string::npos);
  use_fake_driver();
  set_knobs("init 803\n");
  listing = list_gpus(FASTGPU_TEST_EXECUTOR);
  EXPECT_TRUE(listing.devices.empty());
  EXPECT_NE(listing.trouble.find("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)"), std::string::npos);
}

TEST(GpuDiscovery, SaysWhatADriverLacksAndUsesItAllTheSame) {
  use_fake_driver();
  set_knobs("lacks cuMemPoolTrimTo\n");
  const GpuListing listing = list_gpus(FASTGPU_TEST_EXECUTOR);
  EXPECT_EQ(listing.devices.size(), 1u);
  EXPECT_EQ(listing.trouble, "the driver lacks cuMemPoolTrimTo: FastGPU goes on without");
}

TEST(GpuDiscovery, ReadsNoNonsense) {
  const GpuListing listing =
      parse_gpu_listing("gpu\tGPU-1\tName of it\t100\t90\twhole\ngpu\tshort\n\nnonsense\n");
  ASSERT_EQ(listing.devices.size(), 1u);
  EXPECT_EQ(listing.devices[0].model, "Name of it");
}

/// The news of a watch, waited for by condition variable.
class Watched {
 public:
  explicit Watched(GpuWatchOptions options)
      : watch_(watch_gpus(std::move(options), [this](const GpuNews& news) {
          std::lock_guard lock(mutex_);
          news_.push_back(news);
          changed_.notify_all();
        })) {}
  ~Watched() { watch_.reset(); }
  /// The first one of its kind from now on that the test accepts.
  template <class T>
  std::optional<T> await(std::function<bool(const T&)> accept) {
    std::unique_lock lock(mutex_);
    std::optional<T> found;
    changed_.wait_for(lock, patience, [&] {
      for (; !news_.empty() && !found; news_.pop_front())
        if (const auto* one = std::get_if<T>(&news_.front()); one != nullptr && accept(*one))
          found = *one;
      return found.has_value();
    });
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<GpuNews> news_;
  std::unique_ptr<GpuWatch> watch_;
};

GpuWatchOptions watch_options() {
  GpuWatchOptions options;
  options.program = FASTGPU_TEST_EXECUTOR;
  options.interval_ms = 10;
  options.restart_pause_ms = 1;
  options.restart_pause_max_ms = 20;
  return options;
}

TEST(GpuWatch, TellsHowADeviceIsAndWhatIsNotKnown) {
  use_fake_driver();
  set_knobs("memory 1000\nmemory_used 400\nutilisation 80\ntemperature 61\necc 2\n");
  Watched watched(watch_options());
  const auto sample = watched.await<GpuSample>([](const GpuSample&) { return true; });
  ASSERT_TRUE(sample);
  EXPECT_EQ(*sample, (GpuSample{fake_gpu, 400, 1000, 80, 61, std::nullopt, 2, false}));
}

TEST(GpuWatch, TellsAnXidAndALostDevice) {
  use_fake_driver();
  Watched watched(watch_options());
  ASSERT_TRUE(watched.await<GpuSample>([](const GpuSample& one) { return !one.lost; }));
  set_knobs("xid 79\nlost\n");
  const auto xid = watched.await<GpuXid>([](const GpuXid&) { return true; });
  ASSERT_TRUE(xid);
  EXPECT_EQ(*xid, (GpuXid{fake_gpu, 79}));
  EXPECT_TRUE(watched.await<GpuSample>([](const GpuSample& one) { return one.lost; }));
}

TEST(GpuWatch, TellsAnXidOfADividedDeviceForEachSliceThatItMayConcern) {
  use_fake_driver();
  set_knobs("slices 2\n");
  const auto listing = list_gpus(FASTGPU_TEST_EXECUTOR);
  ASSERT_EQ(listing.devices.size(), 2u);
  const auto accept = [](const std::string& uuid, std::uint64_t number) {
    return [uuid, number](const GpuXid& xid) { return xid == GpuXid{uuid, number}; };
  };
  Watched watched(watch_options());
  set_knobs("slices 2\nxid 79\n");
  EXPECT_TRUE(watched.await<GpuXid>(accept(listing.devices[0].uuid, 79)));
  EXPECT_TRUE(watched.await<GpuXid>(accept(listing.devices[1].uuid, 79)));
  set_knobs("slices 2\nxid 48\nxid_instance 2\n");
  const auto of_one = watched.await<GpuXid>(
      [&](const GpuXid& xid) { return xid.number == 48 && xid.uuid.starts_with("MIG-"); });
  ASSERT_TRUE(of_one);
  EXPECT_EQ(of_one->uuid, listing.devices[1].uuid) << "the first one is not concerned";
}

TEST(GpuWatch, TellsWhoComputesOnADevice) {
  use_fake_driver();
  const std::string self = std::to_string(getpid());
  set_knobs("process " + self + " 1000\nprocess " + self + "\nprocess 999999999 5\n");
  Watched watched(watch_options());
  const auto list = watched.await<GpuProcesses>([](const GpuProcesses&) { return true; });
  ASSERT_TRUE(list);
  EXPECT_EQ(*list, (GpuProcesses{fake_gpu, {{getpid(), 1000}, {getpid(), std::nullopt}}}));
  set_knobs("");
  EXPECT_TRUE(watched.await<GpuProcesses>([](const auto& one) { return one.processes.empty(); }));
}

TEST(GpuWatch, SaysThatThereIsNothingToWatchWith) {
  use_fake_driver();
  setenv("FASTGPU_LIBNVML", "/nonexistent/libnvidia-ml.so.1", 1);
  Watched watched(watch_options());
  const auto trouble = watched.await<GpuWatchTrouble>([](const auto&) { return true; });
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->why, "no NVML on this host: tried /nonexistent/libnvidia-ml.so.1");
}

TEST(GpuWatch, ComesBackWhenNvmlDoes) {
  use_fake_driver();
  set_knobs("nvml_init 9\n");
  Watched watched(watch_options());
  ASSERT_TRUE(watched.await<GpuWatchTrouble>([](const auto&) { return true; }));
  set_knobs("");
  EXPECT_TRUE(watched.await<GpuSample>([](const auto&) { return true; }));
}

TEST(GpuNews, ComeBackFromTheirLines) {
  const GpuNews all[] = {GpuSample{"GPU-1", 1, 2, 3, std::nullopt, 5, 6, true}, GpuXid{"GPU-1", 79},
                         GpuProcesses{"GPU-1", {}},
                         GpuProcesses{"GPU-1", {{17, 1ull << 40}, {18, std::nullopt}}},
                         GpuWatchTrouble{"no NVML"}};
  for (const GpuNews& news : all)
    EXPECT_EQ(parse_gpu_news(to_line(news)), news);
  for (const char* line : {"", "sample", "xid\tGPU-1\tmany", "sample\tu\tthere\t1\t2\tx\t-\t-\t-",
                           "processes", "processes\tGPU-1\t17", "processes\tGPU-1\t17:x"})
    EXPECT_FALSE(parse_gpu_news(line)) << line;
}

TEST(GpuNews, TellProgramsFromDevices) {
  for (const std::uint64_t xid : {13, 31, 43, 45, 68, 109})
    EXPECT_FALSE(blames_device(xid)) << xid;
  for (const std::uint64_t xid : {48, 79, 95, 119, 12345})
    EXPECT_TRUE(blames_device(xid)) << xid;
}

}  // namespace
}  // namespace fastgpu::exec::test
