// The program that measures a real GPU answers each of its questions: on the CPU device, and over
// the fake driver all that it asks of a driver.

#include <array>
#include <cstdio>

#include "tests/unit/devices/device_bed.hpp"

namespace fastgpu::exec::test {
namespace {

struct Report {
  int status{-1};
  std::string text;
};

Report report_of(const std::string& device) {
  const std::string command =
      std::string("'") + FASTGPU_TEST_GPU_REPORT + "' --quick --device '" + device + "' 2>&1";
  Report report;
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr)
    return report;
  std::array<char, 4096> buffer;
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe))
    report.text.append(buffer.data(), got);
  report.status = pclose(pipe);
  return report;
}

TEST(GpuReport, AnswersEachQuestionOfAnExecutorOnTheCpuDevice) {
  use_real_driver();
  const Report report = report_of("cpu:0");
  EXPECT_EQ(report.status, 0) << report.text;
  for (const char* what :
       {"cold compile of a small kernel", "small task, there and back, p50",
        "small tasks, many in flight", "copy to the device", "wild access until the next result",
        "failed assert until the next result", "endless kernel, killed, until the next result"})
    EXPECT_NE(report.text.find(what), std::string::npos) << what << " is not in\n" << report.text;
  EXPECT_EQ(report.text.find("NOT MEASURED"), std::string::npos) << report.text;
}

TEST(GpuReport, AnswersEachQuestionOfADriverOverTheFakeOne) {
  use_fake_driver();
  const Report report = report_of(std::string("cuda:") + fake_gpu);
  EXPECT_EQ(report.status, 0) << report.text;
  for (const char* what : {"context created", "1 MiB from the pool and back",
                           "host to device, pinned", "there and back in pieces, 3 streams",
                           "memory of an ended process, in the next", "health by NVML"})
    EXPECT_NE(report.text.find(what), std::string::npos) << what << " is not in\n" << report.text;
}

TEST(GpuReport, SaysWhatItCouldNotMeasureAndFails) {
  setenv("FASTGPU_LIBCUDA", "/nonexistent/libcuda.so.1", 1);
  const Report report = report_of("cuda:0");
  use_real_driver();
  EXPECT_NE(report.status, 0);
  EXPECT_NE(report.text.find("NOT MEASURED"), std::string::npos) << report.text;
  EXPECT_NE(report.text.find("no NVIDIA driver on this host"), std::string::npos) << report.text;
}

}  // namespace
}  // namespace fastgpu::exec::test
