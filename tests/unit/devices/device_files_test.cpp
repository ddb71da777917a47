// Of the files of /dev a command gets those of its own GPU.

#include "runtime/exec/cuda/device_files.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

namespace fs = std::filesystem;
using Files = std::vector<std::string>;

class DeviceFiles : public ::testing::Test {
 protected:
  DeviceFiles() {
    for (const char* name : {"null", "nvidia0", "nvidia1", "nvidia12", "nvidiactl", "nvidia-uvm",
                             "nvidia-uvm-tools", "nvidia-modeset", "nvidia-caps"})
      write("dev/" + std::string(name), "");
    write("proc/driver/nvidia/gpus/0000:01:00.0/information", text("GPU-aa", "0"));
    write("proc/driver/nvidia/gpus/0000:02:00.0/information", text("GPU-bb", "12"));
  }
  static std::string text(const std::string& uuid, const std::string& minor) {
    return "Model: \t\t A GPU\nIRQ:   \t\t 30\nGPU UUID: \t " + uuid +
           "\nBus Type: \t PCIe\nDevice Minor: \t " + minor + "\n";
  }
  void write(const std::string& path, const std::string& data) const {
    fs::create_directories((root_.path() / fs::path(path)).parent_path());
    std::ofstream(root_.path() / fs::path(path)) << data;
  }
  Files files_of(const std::string& uuid) const { return gpu_device_files(uuid, root_.path()); }
  TemporaryFolder root_;
};

TEST_F(DeviceFiles, AreThoseOfTheGpuAndOfTheDriver) {
  EXPECT_EQ(files_of("GPU-aa"),
            (Files{"/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia0", "/dev/nvidiactl"}));
  EXPECT_EQ(files_of("GPU-bb"),
            (Files{"/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia12", "/dev/nvidiactl"}));
}

TEST_F(DeviceFiles, AreThoseOfAllGpusWhereTheDriverDoesNotTellWhichIsWhose) {
  EXPECT_EQ(files_of("MIG-cc"), (Files{"/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia0",
                                       "/dev/nvidia1", "/dev/nvidia12", "/dev/nvidiactl"}));
}

TEST(DeviceFilesOfAHostWithoutGpus, AreNone) {
  const TemporaryFolder empty;
  EXPECT_TRUE(gpu_device_files("GPU-aa", empty.path()).empty());
}

}  // namespace
}  // namespace fastgpu::exec::test
