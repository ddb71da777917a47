/// Every example on a node whose one device is a CPU, and on one whose one device is a GPU as the
/// fake driver makes it: the answers are the same, to the last bit.

#include <gtest/gtest.h>

#include <sstream>

#include "tests/system/cluster_views.hpp"
#include "tests/system/fake_driver.hpp"

namespace fastgpu::testing {
namespace {

/// An example: its words, in which @ is a folder and % the cluster, and the file of that folder
/// with its answer; where that is empty, the lines that it prints and that begin so are its answer.
struct Example {
  std::string name;
  std::vector<std::string> words;
  std::string file;
  std::string lines;
};

std::ostream& operator<<(std::ostream& out, const Example& example) {
  return out << example.name;
}

class Examples : public ::testing::TestWithParam<Example> {
 protected:
  /// What it answers on a node of that kind, whose devices are all of the kind.
  static std::string answer_on(const ProcessClusterOptions& options, const std::string& kind) {
    const Example& example = GetParam();
    const ProcessCluster cluster(options);
    EXPECT_TRUE(await_item(cluster, 0, {"gpus"}, [&kind](const nlohmann::json& device) {
      return device.value("kind", "") == kind && device.value("healthy", false);
    })) << cluster.fastgpu({"gpus"}).out;
    const TemporaryFolder folder;
    std::vector<std::string> command{"env", "-C", FASTGPU_TEST_SOURCE,
                                     "FASTGPU_SERVER=" + cluster.servers()};
    for (std::string word : example.words) {
      if (const auto at = word.find('@'); at != std::string::npos) {
        word.replace(at, 1, folder.path());
      }
      word = word == "%" ? cluster.servers() : word;
      command.push_back(std::move(word));
    }
    const Finished done = run_command(command, Seconds{200});
    EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
    return example.file.empty() ? lines_of(done.out, example.lines)
                                : read_file(folder.file(example.file));
  }
  static std::string lines_of(const std::string& text, const std::string& begin) {
    std::istringstream in(text);
    std::string found;
    for (std::string line; std::getline(in, line);) {
      found += line.starts_with(begin) ? line + "\n" : "";
    }
    return found;
  }
};

TEST_P(Examples, AnswersTheSameOnAGpuOfTheFakeDriverAsOnACpu) {
  const std::string cpu = answer_on({.nodes = 1, .cpu_devices = 1}, "cpu");
  EXPECT_GT(cpu.size(), 10u) << "there is an answer";
  EXPECT_TRUE(cpu == answer_on(node_with_fake_gpus(0), "gpu"));
}

INSTANTIATE_TEST_SUITE_P(
    All, Examples,
    ::testing::Values(
        Example{"digits", {program("digits"), "--server", "%", "--steps", "5"}, "", "step "},
        Example{"heat",
                {program("heat"), "--pictures", "@", "--field", "@/field.f64", "--jobs", "4"},
                "field.f64",
                ""},
        Example{"photo",
                {"examples/photo/photo.sh", "examples/photo/data/camera.pgm", "@/edges"},
                "edges",
                ""},
        Example{
            "nbody", {program("nbody"), "--steps", "20", "--xyz", "@/argon.xyz"}, "argon.xyz", ""},
        Example{
            "csv", {program("csv"), "--shards", "8", "--save", "@/values.csv"}, "values.csv", ""},
        Example{"words", {"examples/words/words.sh", "README.md", "docs/gpu.md"}, "", " "}),
    [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace fastgpu::testing
